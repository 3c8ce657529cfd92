"""An import proves what it says of consent, takes consent back where the file does, and ends no opt-out."""

from typing import Any

import pytest

from integrations.connections.models import Connection
from integrations.organizations.models import AuditEntry
from messaging.consent.blocking import consent_blocks
from messaging.consent.ledger import Entry, record_consent, state_of
from messaging.consent.models import ConsentPolicy, ConsentRecord, OptOut
from messaging.consent.opt_outs import STOP_TAG, opt_in, opt_out
from messaging.contacts.erasure.erasing import erase_person
from messaging.contacts.models import Contact
from messaging.sending.models import Message
from tests.conftest import Cast
from tests.factories import ContactFactory
from tests.messaging.contact_files.conftest import Checked

pytestmark = pytest.mark.django_db

ANNA, BOB, CID = "+4915112345678", "+4915112345679", "+4915112345670"
AGREED: dict[str, Any] = {
    "agreed": "everybody",
    "purpose": "marketing",
    "wording": "Trade fair 2026: “You may text me.”",
}
BY_COLUMN = {**AGREED, "agreed": "column"}


def state(cast: Cast, phone: str) -> str:
    found = state_of(cast.organization, phone=phone)
    return found.state if found else ""


def test_without_a_word_about_consent_none_is_recorded(cast: Cast, imported: Checked) -> None:
    imported(f"Name,Phone,Consent\nAnna,{ANNA},yes\n")
    assert not ConsentRecord.objects.exists()
    assert consent_blocks(cast.organization, [ANNA], purpose="marketing") == {ANNA: "no_consent"}


def test_record_has_the_wording_the_file_its_hash_and_the_row_as_proof(cast: Cast, imported: Checked) -> None:
    importing = imported(f"Name,Phone\nAnna,{ANNA}\nBob,{BOB}\n", **AGREED)
    assert importing.counts["consents"] == 2
    record = ConsentRecord.objects.get(phone=BOB)
    assert (record.action, record.source, record.purpose) == ("granted", "import", "marketing")
    assert record.contact_id == Contact.objects.get(phone=BOB).pk
    assert record.actor_label == cast.owner.email
    assert record.evidence == {
        "wording": AGREED["wording"], "file": "people.csv", "file_sha256": importing.file_sha256, "row": 3,
    }  # fmt: skip
    assert consent_blocks(cast.organization, [ANNA, BOB], purpose="marketing") == {}
    imported(f"Name,Phone\nAnna,{ANNA}\nBob,{BOB}\n", **AGREED)
    assert ConsentRecord.objects.count() == 2


def test_with_confirmation_by_sms_a_file_only_asks(cast: Cast, imported: Checked, connection: Connection) -> None:
    ConsentPolicy.objects.create(organization=cast.organization, double_opt_in=True)
    importing = imported(f"Name,Phone\nAnna,{ANNA}\nBob,{BOB}\n", **AGREED)
    assert (state(cast, ANNA), state(cast, BOB)) == ("pending", "pending")
    asked = Message.objects.filter(source="consent")
    assert sorted(asked.values_list("phone", "lane")) == [(ANNA, Message.Lane.BULK), (BOB, Message.Lane.BULK)]
    page = cast.client("owner").get(cast.url(f"contacts/import/{importing.pk}/")).content.decode()
    assert "Confirmation by SMS is on" in page
    imported(f"Name,Phone\nAnna,{ANNA}\n", **AGREED)
    assert asked.count() == 2


def test_column_says_who_agreed_who_took_it_back_and_who_is_silent(cast: Cast, imported: Checked) -> None:
    given = Entry(phone=BOB, action="granted", source="staff", reason="by phone")
    record_consent(cast.organization, given)
    importing = imported(
        f"Name,Phone,Newsletter\nAnna,{ANNA},ja\nBob,{BOB},no\nCid,{CID},\n", columns={"consent": 2}, **BY_COLUMN
    )
    assert (state(cast, ANNA), state(cast, BOB), state(cast, CID)) == ("granted", "withdrawn", "")
    assert (importing.counts["consents"], importing.counts["withdrawals"]) == (1, 1)


def test_who_took_consent_back_is_not_made_to_agree_by_a_file(cast: Cast, imported: Checked) -> None:
    record_consent(cast.organization, Entry(phone=ANNA, action="withdrawn", source="link"))
    importing = imported(f"Name,Phone\nAnna,{ANNA}\n", **AGREED)
    assert state(cast, ANNA) == "withdrawn"
    assert importing.counts["kept_back"] == 1


def test_an_erased_person_is_not_made_to_agree_by_a_file_either(cast: Cast, imported: Checked) -> None:
    for phone in (ANNA, BOB):
        person = ContactFactory(organization=cast.organization, phone=phone)
        record_consent(cast.organization, Entry(phone=phone, action="withdrawn", source="link"))
        if phone == BOB:
            opt_out(cast.organization, phone=BOB, source="keyword")
        erase_person(person)
    importing = imported(f"Name,Phone\nAnna,{ANNA}\nBob,{BOB}\nCid,{CID}\n", **AGREED)
    assert [state(cast, phone) for phone in (ANNA, BOB, CID)] == ["", "", "granted"]
    assert importing.counts["kept_back"] == 2
    assert consent_blocks(cast.organization, [ANNA], purpose="marketing") == {ANNA: "no_consent"}
    assert [tag.name for tag in Contact.objects.get(phone=BOB).tags.all()] == [STOP_TAG]


@pytest.mark.parametrize("source", ["keyword", "staff", "twilio"])
def test_opted_out_numbers_stay_so_whatever_the_file_says(cast: Cast, imported: Checked, source: str) -> None:
    opt_out(cast.organization, phone=ANNA, source=source)
    importing = imported(f"Name,Phone,Opted out\nAnna,{ANNA},no\n", **AGREED)
    assert importing.counts["kept_back"] == 1
    assert OptOut.objects.get().ended_at is None
    assert consent_blocks(cast.organization, [ANNA], purpose="transactional") == {ANNA: "opted_out"}
    assert [tag.name for tag in Contact.objects.get(phone=ANNA).tags.all()] == [STOP_TAG]


def test_column_of_opt_outs_opts_out_and_wins_over_consent(cast: Cast, imported: Checked) -> None:
    importing = imported(f"Name,Phone,Opted out\nAnna,{ANNA},yes\nBob,{BOB},\n", **AGREED)
    standing = OptOut.objects.get()
    assert (standing.phone, standing.source, standing.scope) == (ANNA, "import", "organization")
    assert (state(cast, ANNA), state(cast, BOB)) == ("withdrawn", "granted")
    assert (importing.counts["new_opt_outs"], importing.counts["kept_back"]) == (1, 1)
    assert Contact.objects.get(phone=ANNA).tags.filter(name=STOP_TAG).exists()
    again = imported(f"Name,Phone,Opted out\nAnna,{ANNA},yes\nBob,{BOB},\n", **AGREED)
    assert again.counts["new_opt_outs"] == 0
    assert OptOut.objects.count() == 1


def test_skipped_contacts_lose_but_do_not_gain(cast: Cast, imported: Checked) -> None:
    imported(f"Name,Phone\nAnna,{ANNA}\nBob,{BOB}\n")
    record_consent(cast.organization, Entry(phone=BOB, action="granted", source="staff", reason="x"))
    imported(f"Phone,Newsletter\n{ANNA},yes\n{BOB},no\n", columns={"consent": 1}, existing="skip", **BY_COLUMN)
    assert (state(cast, ANNA), state(cast, BOB)) == ("", "withdrawn")


def test_list_of_opt_outs_opts_out_and_makes_no_contacts(cast: Cast, imported: Checked) -> None:
    imported(f"Name,Phone\nAnna,{ANNA}\n", **AGREED)
    opt_out(cast.organization, phone=CID, source="keyword")
    importing = imported(f"Number\n{ANNA}\n{BOB}\n{CID}\n{BOB}\nnobody\n", kind="opt_outs")
    assert {name: importing.counts[name] for name in ("new_opt_outs", "standing_opt_outs", "bad", "repeated")} == {
        "new_opt_outs": 2, "standing_opt_outs": 1, "bad": 1, "repeated": 1,
    }  # fmt: skip
    assert set(OptOut.objects.filter(source="import").values_list("phone", flat=True)) == {ANNA, BOB}
    assert list(Contact.objects.values_list("phone", flat=True)) == [ANNA]
    assert Contact.objects.get().tags.get().name == STOP_TAG
    assert state(cast, ANNA) == "withdrawn"
    assert ConsentRecord.objects.filter(phone=BOB).get().evidence["row"] == 3
    assert AuditEntry.objects.get(action="opt_outs.imported").changes["new_opt_outs"] == 2
    # The person's own START ends it, and gives back what the import took.
    opt_in(cast.organization, phone=ANNA, source="keyword")
    assert state(cast, ANNA) == "granted"
