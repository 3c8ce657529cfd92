"""Many opt-outs at once are the same as one after the other, with fewer statements."""

from typing import Any

import pytest

from messaging.consent.ledger import Entry, record_consent, state_of
from messaging.consent.many_opt_outs import opt_out_many
from messaging.consent.models import ConsentRecord, OptOut
from messaging.consent.opt_outs import STOP_TAG, opt_in, opt_out
from tests.conftest import Cast
from tests.factories import ContactFactory

pytestmark = pytest.mark.django_db

ANNA, BOB, CID = "+4915112345678", "+4915112345679", "+4915112345670"


def test_numbers_are_opted_out_once_with_their_proof(cast: Cast) -> None:
    anna = ContactFactory(organization=cast.organization, phone=ANNA)
    theirs = ContactFactory(organization=cast.other, phone=ANNA)
    record_consent(cast.organization, Entry(phone=ANNA, action="granted", source="staff", reason="by phone"))
    standing = opt_out(cast.organization, phone=CID, source="keyword")
    proofs: dict[str, Any] = {ANNA: {"row": 2}, BOB: {"row": 3}, CID: {"row": 4}}
    assert opt_out_many(cast.organization, evidence=proofs, source="import", actor=cast.owner) == 2
    assert set(OptOut.objects.values_list("phone", "source")) == {(ANNA, "import"), (BOB, "import"), (CID, "keyword")}
    assert OptOut.objects.get(phone=CID) == standing
    assert [tag.name for tag in anna.tags.all()] == [STOP_TAG]
    assert not theirs.tags.exists()
    found = state_of(cast.organization, phone=ANNA)
    assert found is not None
    assert (found.state, found.record.evidence["row"], found.record.evidence["before"]) == ("withdrawn", 2, "granted")
    count = ConsentRecord.objects.count()
    assert opt_out_many(cast.organization, evidence=proofs, source="import", actor=cast.owner) == 0
    assert (OptOut.objects.count(), ConsentRecord.objects.count()) == (3, count)


def test_start_gives_back_what_was_taken_and_no_more(cast: Cast) -> None:
    record_consent(cast.organization, Entry(phone=ANNA, action="granted", source="staff", reason="by phone"))
    opt_out_many(cast.organization, evidence={ANNA: {}, BOB: {}}, source="import")
    for phone, state in ((ANNA, "granted"), (BOB, "withdrawn")):
        opt_in(cast.organization, phone=phone, source="keyword")
        assert getattr(state_of(cast.organization, phone=phone), "state", "") == state


def test_many_cost_few_statements(cast: Cast, django_assert_max_num_queries: Any) -> None:
    with django_assert_max_num_queries(16):
        opt_out_many(cast.organization, evidence={f"+49151{n:08d}": {} for n in range(300)}, source="import")
    assert OptOut.objects.count() == 300


def test_nobody_is_nothing(cast: Cast) -> None:
    assert opt_out_many(cast.organization, evidence={}, source="import") == 0
