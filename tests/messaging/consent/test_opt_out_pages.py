"""The pages of opt-outs: everybody looks, agents change, and nobody undoes what the person said."""

import uuid

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext

from integrations.organizations.models import AuditEntry
from messaging.consent.models import OptOut
from messaging.consent.opt_outs import opt_in, opt_out
from tests.conftest import Cast
from tests.factories import ContactFactory

PHONE = "+4915112345678"
SERVICE = "MG" + "a" * 32
HTMX = {"HX-Request": "true"}


@pytest.mark.parametrize(
    ("who", "status"), [("owner", 200), ("agent", 200), ("viewer", 200), ("stranger", 404), (None, 302)]
)
def test_members_see_opt_outs_and_nobody_else_does(cast: Cast, who: str | None, status: int) -> None:
    opt_out(cast.organization, phone=PHONE, source=OptOut.Source.KEYWORD)
    response = cast.client(who).get(cast.url("opt-outs/"))
    assert response.status_code == status
    assert (b"+49 1511 2345678" in response.content) == (status == 200)


@pytest.mark.parametrize(("who", "status"), [("viewer", 403), ("stranger", 404), (None, 302)])
def test_only_agents_and_above_change_opt_outs(cast: Cast, who: str | None, status: int) -> None:
    standing = opt_out(cast.organization, phone=PHONE, source=OptOut.Source.STAFF)
    client = cast.client(who)
    assert client.get(cast.url("opt-outs/new/")).status_code == status
    assert client.post(cast.url("opt-outs/new/"), {"phone": "+33612345678"}).status_code == status
    assert client.post(cast.url(f"opt-outs/{standing.pk}/end/")).status_code == status
    assert OptOut.objects.filter(ended_at=None).count() == 1


def test_an_opt_out_of_another_organization_is_not_found(cast: Cast) -> None:
    theirs = opt_out(cast.other, phone=PHONE, source=OptOut.Source.STAFF)
    client = cast.client("owner")
    for pk in (theirs.pk, uuid.uuid4()):
        assert client.post(cast.url(f"opt-outs/{pk}/end/")).status_code == 404
    theirs.refresh_from_db()
    assert theirs.is_active


def test_adding_by_hand_twice_is_one_opt_out_and_one_audit_entry(cast: Cast) -> None:
    client = cast.client("agent")
    for _ in range(2):
        assert client.post(cast.url("opt-outs/new/"), {"phone": "0151 12345678"}).url == cast.url("opt-outs/")
    standing = OptOut.objects.get()
    assert (standing.phone, standing.source, standing.scope) == (PHONE, "staff", "organization")
    entry = AuditEntry.objects.get()
    assert entry.actor_id == cast.agent.pk
    assert PHONE not in f"{entry.changes}{entry.object_label}"


@pytest.mark.parametrize("typed", ["", "hello", "12", "\x00", "x" * 500, "+999 123"])
def test_a_bad_number_is_said_at_the_field(cast: Cast, typed: str) -> None:
    response = cast.client("agent").post(cast.url("opt-outs/new/"), {"phone": typed})
    assert response.status_code == 422
    assert b"hg-field-wrong" in response.content
    assert not OptOut.objects.exists()


def test_a_member_ends_what_a_member_made(cast: Cast) -> None:
    standing = opt_out(cast.organization, phone=PHONE, source=OptOut.Source.STAFF)
    client, url = cast.client("agent"), cast.url(f"opt-outs/{standing.pk}/end/")
    assert client.get(url).status_code == 405
    assert "messages to this number are sent again" in client.post(url, follow=True).content.decode()
    assert "already ended" in client.post(url, follow=True).content.decode()
    standing.refresh_from_db()
    assert standing.ended_by == "staff"


@pytest.mark.parametrize("source", ["keyword", "twilio", "api"])
def test_what_no_member_made_no_member_ends(cast: Cast, source: str) -> None:
    standing = opt_out(cast.organization, phone=PHONE, source=source)
    client = cast.client("owner")
    assert "Needs START" in client.get(cast.url("opt-outs/")).content.decode()
    assert "START" in client.post(cast.url(f"opt-outs/{standing.pk}/end/"), follow=True).content.decode()
    standing.refresh_from_db()
    assert standing.is_active


def test_source_reach_and_end_stand_in_words(cast: Cast) -> None:
    ContactFactory(organization=cast.organization, phone=PHONE, name="Anna Schmidt")
    ContactFactory(organization=cast.other, phone="+33612345678", name="Elsewhere")
    opt_out(cast.organization, phone=PHONE, source=OptOut.Source.KEYWORD, keyword="STOP", twilio_scope=SERVICE)
    opt_out(cast.organization, phone="+33612345678", source=OptOut.Source.TWILIO, scope="sender", sender=SERVICE)
    opt_out(cast.organization, phone="+33612345678", source=OptOut.Source.TWILIO, scope="sender", sender="+12125550123")
    opt_out(cast.organization, phone="+48512345678", source=OptOut.Source.STAFF)
    opt_in(cast.organization, phone="+48512345678", source=OptOut.Source.KEYWORD)
    page = cast.client("viewer").get(cast.url("opt-outs/")).content.decode()
    for words in ("Keyword in a reply: “STOP”", "Twilio refused the number", "A member", "Everything you send",
                  "Only the Messaging Service", "Only messages from", "Ended by: keyword", "Anna Schmidt"):  # fmt: skip
        assert words in page
    assert "Elsewhere" not in page


@pytest.mark.parametrize("query", ["0151 12345678", "+49-151-12345678", "5678"])
def test_searching_by_any_writing_and_by_state(cast: Cast, query: str) -> None:
    opt_out(cast.organization, phone=PHONE, source=OptOut.Source.KEYWORD)
    opt_out(cast.organization, phone="+33612345699", source=OptOut.Source.KEYWORD)
    client = cast.client("viewer")
    found = client.post(cast.url("opt-outs/"), {"q": query}, headers=HTMX)
    assert b"+49 1511 2345678" in found.content
    assert b"+33" not in found.content
    assert "12345678" not in found["HX-Replace-Url"]
    ended = client.post(cast.url("opt-outs/"), {"q": query, "state": "past"}, headers=HTMX)
    assert b"No opt-out fits" in ended.content
    plain = client.post(cast.url("opt-outs/"), {"q": query, "state": "active"})
    assert b"+49 1511 2345678" in client.get(plain.url).content


def test_odd_searches_break_nothing(cast: Cast) -> None:
    client = cast.client("viewer")
    for wanted in ({"q": "\x00"}, {"q": "%"}, {"state": "nonsense"}, {"q": "x" * 5000}):
        assert client.post(cast.url("opt-outs/"), wanted, headers=HTMX).status_code == 200
    assert client.get(cast.url("opt-outs/"), {"after": "nonsense", "search": "nonsense"}).status_code == 200


def test_the_list_costs_the_same_however_long_it_is(cast: Cast) -> None:
    client = cast.client("viewer")

    def queries() -> int:
        with CaptureQueriesContext(database) as captured:
            client.get(cast.url("opt-outs/"))
        return len(captured)

    for number in range(2):
        opt_out(cast.organization, phone=f"+49151123450{number:02d}", source=OptOut.Source.KEYWORD)
    queries()
    few = queries()
    for number in range(2, 60):
        opt_out(cast.organization, phone=f"+49151123450{number:02d}", source=OptOut.Source.KEYWORD)
    assert queries() == few
    first = client.get(cast.url("opt-outs/")).context["page"]
    second = client.get(cast.url("opt-outs/"), {"after": str(first.next)}).context["page"]
    assert len(first.rows) + len(second.rows) == 60
