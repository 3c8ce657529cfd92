"""What members see of verifications: the list, one of them with its next step, a try, the conversion."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from integrations.connections.models import Connection
from integrations.organizations.models import AuditEntry
from messaging.contacts.erasure.erasing import erase_person
from messaging.verification import life
from messaging.verification.askers import Asker
from messaging.verification.models import ClosedChannel, Verification
from messaging.verification.selectors import conversion_of
from portal.forms.models import PublicForm
from tests.conftest import Cast
from tests.factories import ContactFactory

from .conftest import PHONE, SERVICE, VISITOR, own_code_of, wrong


def begin(cast: Cast, **changes: Any) -> Verification:
    return life.start(cast.organization, **{"to": PHONE, "asker": VISITOR, **changes})


def make(cast: Cast, **changes: Any) -> Verification:
    now = timezone.now()
    given: dict[str, Any] = {
        "organization": cast.organization,
        "phone": PHONE,
        "region": "DE",
        "asker_kind": "form",
        "backend": "own",
        "route": "twilio",
        "sends": 1,
        "created_at": now,
        "expires_at": now + timedelta(minutes=10),
        "resend_after": now,
        **changes,
    }
    if given.get("status", "pending") != "pending":
        given.setdefault("ended_at", now)
    if given.get("status") == "approved":
        given.setdefault("approved_at", now)
    return Verification.objects.create(**given)


def test_the_list_is_searched_by_number_without_its_being_in_the_address(cast: Cast) -> None:
    make(cast)
    make(cast, phone="+4915187654321")
    client = cast.client("viewer")
    found = client.post(cast.url("verifications/"), {"q": "0151 12345678"})
    assert found.status_code == 302 and "12345678" not in found["Location"]
    page = client.get(found["Location"]).content.decode()
    assert "+49 1511 2345678" in page and "+49 1518 7654321" not in page


def test_the_status_of_the_list_goes_by_the_clock(cast: Cast) -> None:
    make(cast, expires_at=timezone.now() - timedelta(seconds=1))
    client = cast.client("viewer")
    assert "+49 1511" in client.get(cast.url("verifications/?status=expired")).content.decode()
    assert "+49 1511" not in client.get(cast.url("verifications/?status=pending")).content.decode()


def test_the_list_asks_as_often_for_many_as_for_few(cast: Cast) -> None:
    client = cast.client("viewer")

    def queries() -> int:
        with CaptureQueriesContext(database) as asked:
            assert client.get(cast.url("verifications/")).status_code == 200
        return len(asked)

    make(cast)
    queries()
    few = queries()
    for number in range(20):
        make(cast, phone=f"+49151123456{number:02d}")
    assert queries() <= few


def test_a_page_says_what_happened_and_what_next(cast: Cast) -> None:
    verification = make(cast, status="failed", error_code=60205)
    for who in ("owner", "viewer"):
        page = cast.client(who).get(cast.url(f"verifications/{verification.pk}/")).content.decode()
        assert "What to do:" in page and "Landlines get no code by SMS" in page and "60205" in page


@pytest.mark.parametrize(
    ("locale", "word"),
    [("en", "English"), ("de", "German"), ("zh-Hant", "Traditional Chinese"), ("de-AT", "German"), ("xx-1", "xx-1")],
)
def test_the_language_of_a_code_is_a_word(cast: Cast, locale: str, word: str) -> None:
    verification = make(cast, locale=locale)
    page = cast.client("viewer").get(cast.url(f"verifications/{verification.pk}/")).content.decode()
    assert f"<dt>Language</dt><dd>{word}</dd>" in page


def test_a_stranger_finds_nothing(cast: Cast) -> None:
    verification = make(cast)
    client = cast.client("stranger")
    for path in ("", "check/", "resend/", "cancel/"):
        url = cast.url(f"verifications/{verification.pk}/{path}", cast.other)
        assert (client.post(url) if path else client.get(url)).status_code == 404
    assert "+49 1511" not in client.get(cast.url("verifications/", cast.other)).content.decode()
    verification.refresh_from_db()
    assert verification.status == "pending"


def test_a_member_cancels_and_the_audit_says_so(cast: Cast) -> None:
    verification = make(cast)
    url = cast.url(f"verifications/{verification.pk}/cancel/")
    assert cast.client("viewer").post(url).status_code == 403
    for _ in range(2):
        assert cast.client("agent").post(url).status_code == 302
    verification.refresh_from_db()
    assert verification.status == "canceled"
    (entry,) = AuditEntry.objects.filter(action="verification.canceled")
    assert PHONE not in str(entry.object_label) and PHONE not in str(entry.changes)


def test_a_member_tries_it(cast: Cast, sender_only: Connection) -> None:
    client = cast.client("agent")
    assert client.get(cast.url("verifications/try/")).status_code == 200
    begun = client.post(cast.url("verifications/try/"), {"to": "0151 12345678", "channel": "sms"})
    verification = Verification.objects.get()
    assert begun["Location"] == cast.url(f"verifications/{verification.pk}/")
    page = client.get(begun["Location"]).content.decode()
    assert 'autocomplete="one-time-code"' in page
    code = own_code_of()
    assert code not in page
    told = client.post(begun["Location"] + "check/", {"code": wrong(code)})
    assert told.status_code == 422 and "4 more times" in told.content.decode()
    assert client.post(begun["Location"] + "check/", {"code": f" {code} "}).status_code == 302
    verification.refresh_from_db()
    assert (verification.status, verification.asker_kind) == ("approved", "member")


def test_nobody_else_enters_the_code_of_a_try(cast: Cast, sender_only: Connection) -> None:
    verification = begin(cast, asker=Asker(kind="member", id=cast.owner.pk))
    url = cast.url(f"verifications/{verification.pk}/")
    assert "one-time-code" not in cast.client("admin").get(url).content.decode()
    assert cast.client("admin").post(url + "check/", {"code": own_code_of()}).status_code == 404
    page = cast.client("owner").post(url + "resend/", follow=True).content.decode()
    assert "resend_after" in page or "pause" in page


def test_what_is_wrong_with_a_try_stands_at_the_field(cast: Cast, sender_only: Connection) -> None:
    answer = cast.client("owner").post(cast.url("verifications/try/"), {"to": "12", "channel": "sms"})
    assert answer.status_code == 422 and "too short" in answer.content.decode()
    answer = cast.client("owner").post(cast.url("verifications/try/"), {"to": PHONE, "channel": "call"})
    assert answer.status_code == 422 and "not offered" in answer.content.decode()


def test_a_closed_channel_is_shown_and_offered_again(cast: Cast, with_service: Connection) -> None:
    closed = ClosedChannel.objects.create(
        connection=with_service, service_sid=SERVICE, channel="whatsapp", error_code=60223
    )
    assert "Codes by WhatsApp are not offered" in cast.client("viewer").get(cast.url("verifications/")).content.decode()
    url = cast.url(f"verifications/channels/{closed.pk}/offer/")
    assert cast.client("agent").post(url).status_code == 403
    assert cast.client("stranger").post(url.replace("/o/acme/", "/o/borealis/")).status_code == 404
    assert ClosedChannel.objects.exists()
    cast.client("admin").post(url)
    assert not ClosedChannel.objects.exists()
    assert AuditEntry.objects.filter(action="verification.channel_offered").count() == 1


def test_an_erased_person_leaves_the_figures_alone(cast: Cast, sender_only: Connection) -> None:
    verification = begin(cast)
    code = own_code_of()
    contact = ContactFactory(organization=cast.organization, phone=PHONE)
    erase_person(contact)
    verification.refresh_from_db()
    assert verification.phone.startswith("#") and verification.network == ""
    assert life.check(verification, code=code) == life.Checked("canceled", 0, approved=False)
    page = cast.client("owner").get(cast.url(f"verifications/{verification.pk}/")).content.decode()
    assert "erased" in page


def test_the_conversion_by_country_asker_and_day(cast: Cast) -> None:
    now = timezone.now()
    make(cast, status="approved", delivered_at=now)
    make(cast, status="expired", delivered_at=now, reported_at=now, sends=2)
    make(cast, status="failed")
    make(cast, status="approved", region="FR", asker_kind="portal", created_at=now - timedelta(days=1))
    make(cast, status="approved", region="FR", created_at=now - timedelta(days=40))
    make(cast, organization=cast.other, status="approved")
    report = conversion_of(cast.organization)
    assert (report.total.sent, report.total.delivered, report.total.approved, report.total.percent) == (3, 2, 2, 67)
    assert [(row.name, row.sent, row.codes, row.approved) for row in report.by_country] == [
        ("Germany", 2, 4, 1), ("France", 1, 1, 1)]  # fmt: skip
    assert [(row.name, row.sent) for row in report.by_asker] == [("Public form", 2), ("Portal", 1)]
    assert [row.sent for row in report.by_day[-2:]] == [1, 2]
    page = cast.client("viewer").get(cast.url("verifications/conversion/"))
    assert page.status_code == 200 and "67 %" in page.content.decode()
    assert [row.delivered for row in report.by_country] == [2, None], "of France nobody said anything"
    assert re.search(r"France</td>(<td[^>]*>1</td>){2}<td[^>]*>–</td>", page.content.decode())
    assert cast.client("viewer").get(cast.url("verifications/conversion/?days=x")).status_code == 200


def test_forms_are_told_apart_by_their_titles(cast: Cast) -> None:
    ours = PublicForm.objects.create(organization=cast.organization, title="Sign-up", token="sign-up-of-a-test")
    theirs = PublicForm.objects.create(organization=cast.other, title="Theirs", token="theirs-of-a-test")
    make(cast, asker_id=ours.pk)
    make(cast, asker_id=theirs.pk)
    names = [row.name for row in conversion_of(cast.organization).by_asker]
    assert sorted(names) == ["Public form", "Public form Sign-up"]


def test_a_conversion_without_verifications_is_empty_and_calm(cast: Cast) -> None:
    assert (
        "No verifications in these days"
        in cast.client("viewer").get(cast.url("verifications/conversion/")).content.decode()
    )
