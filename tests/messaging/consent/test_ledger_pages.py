"""Pages of the ledger: recorded by hand with a reason, counted, exported without formulas, and the rules."""

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext

from integrations.connections.models import Connection
from integrations.organizations.models import AuditEntry
from messaging.consent.ledger import Entry, record_consent, record_many, state_of
from messaging.consent.models import ConsentPolicy, ConsentRecord, OptOut
from messaging.consent.opt_outs import opt_out
from messaging.contacts.filters import consent_choices
from messaging.contacts.models import Contact
from messaging.sending.outbox import Draft, enqueue
from tests.conftest import Cast
from tests.factories import ContactFactory

PHONE = "+4915112345678"
SAID = {"purpose": "marketing", "action": "granted", "reason": "rang us"}


@pytest.fixture
def contact(cast: Cast) -> Contact:
    return ContactFactory(organization=cast.organization, phone=PHONE, name="Anna Schmidt")


def granted(phone: str = PHONE, **more: object) -> Entry:
    return Entry(**{"phone": phone, "action": "granted", "source": "staff", "reason": "at the desk", **more})


def csv_of(answer: object) -> str:
    return b"".join(answer.streaming_content).decode()  # type: ignore[attr-defined]


# ---- the panel of a contact, and recording by hand


def test_the_contacts_page_shows_state_history_and_proof(cast: Cast, contact: Contact) -> None:
    page = cast.client("agent").get(cast.url(f"contacts/{contact.pk}/")).content.decode()
    assert "Never agreed" in page
    record_consent(cast.organization, granted(evidence={"wording": "Yes to offers", "wording_version": "2"}))
    page = cast.client("viewer").get(cast.url(f"contacts/{contact.pk}/")).content.decode()
    for words in ("Agreed", "“at the desk”", "Yes to offers", "version 2"):
        assert words in page
    assert "Record consent" not in page  # viewers look


def test_a_colleague_records_and_withdraws_with_a_reason(cast: Cast, contact: Contact) -> None:
    client, url = cast.client("agent"), cast.url(f"consent/contact/{contact.pk}/")
    assert client.get(url).status_code == 200
    said = {"purpose": "marketing", "action": "granted", "reason": "rang us on Monday"}
    for _ in range(2):
        answer = client.post(url, said, follow=True)
        assert "Recorded: Anna Schmidt agreed." in answer.content.decode()
    record = ConsentRecord.objects.get()
    assert (record.source, record.reason, record.actor_id) == ("staff", "rang us on Monday", cast.agent.pk)
    client.post(url, {**said, "action": "withdrawn", "reason": "no more offers"})
    assert state_of(cast.organization, phone=PHONE).state == "withdrawn"


@pytest.mark.parametrize(
    "said", [{}, {"purpose": "marketing", "action": "granted"}, {"purpose": "x", "action": "y", "reason": "z"},
             {"purpose": "marketing", "action": "granted", "reason": "   "}],
)  # fmt: skip
def test_without_a_reason_nothing_is_recorded(cast: Cast, contact: Contact, said: dict[str, str]) -> None:
    answer = cast.client("agent").post(cast.url(f"consent/contact/{contact.pk}/"), said)
    assert answer.status_code in ({422} if said else {200, 422})
    assert not ConsentRecord.objects.exists()


def test_agreeing_does_not_end_an_opt_out_and_the_page_says_so(cast: Cast, contact: Contact) -> None:
    opt_out(cast.organization, phone=PHONE, source=OptOut.Source.KEYWORD)
    answer = cast.client("agent").post(
        cast.url(f"consent/contact/{contact.pk}/"),
        {"purpose": "marketing", "action": "granted", "reason": "rang us"},
        follow=True,
    )
    page = answer.content.decode()
    assert "is opted out all the same" in page
    assert "texting START" in page
    assert OptOut.objects.get().is_active


@pytest.mark.parametrize(("who", "status"), [("viewer", 403), ("stranger", 404), (None, 302)])
def test_who_may_not_record(cast: Cast, contact: Contact, who: str | None, status: int) -> None:
    url = cast.url(f"consent/contact/{contact.pk}/")
    assert cast.client(who).get(url).status_code == status
    assert (
        cast.client(who).post(url, {"purpose": "marketing", "action": "granted", "reason": "x"}).status_code == status
    )
    assert not ConsentRecord.objects.exists()


def test_a_contact_of_another_organization_is_not_found(cast: Cast) -> None:
    theirs = ContactFactory(organization=cast.other)
    url = cast.url(f"consent/contact/{theirs.pk}/")
    assert (
        cast.client("owner").post(url, {"purpose": "marketing", "action": "granted", "reason": "x"}).status_code == 404
    )


def test_odd_proofs_break_no_page(cast: Cast, contact: Contact) -> None:
    odd = {"message": "not an id", "question": "x" * 50, "wording": "<script>alert(1)</script>", "file": "\u202eevil"}
    record_consent(cast.organization, granted(evidence=odd))
    for page in (f"contacts/{contact.pk}/", "consent/"):
        answer = cast.client("viewer").get(cast.url(page))
        assert answer.status_code == 200
        assert "<script>alert" not in answer.content.decode()


# ---- the report


def test_the_report_counts_by_source_and_shows_what_was_held_back(
    cast: Cast, contact: Contact, connection: Connection
) -> None:
    record_consent(cast.organization, granted())
    record_consent(cast.organization, granted("+33612345678", source="import", reason=""))
    record_consent(cast.organization, Entry(phone="+33612345678", action="withdrawn", source="api"))
    record_consent(cast.other, granted("+48512345678"))
    enqueue(cast.organization, draft=Draft(to="+34612345678", body="Sale", purpose="marketing"))
    answer = cast.client("viewer").get(cast.url("consent/"))
    report = answer.context["report"]
    assert (report.granted, report.withdrawn, report.blocked_no_consent, report.blocked_opted_out) == (2, 1, 1, 0)
    page = answer.content.decode()
    assert "Anna Schmidt" in page
    assert "+48" not in page


def test_one_persons_report_is_searched_by_post_and_stands_in_no_address(cast: Cast, contact: Contact) -> None:
    record_consent(cast.organization, granted())
    record_consent(cast.organization, granted("+33612345678"))
    client = cast.client("agent")
    found = client.post(cast.url("consent/"), {"q": "0151 12345678"})
    assert "12345678" not in found.url
    page = client.get(found.url)
    assert len(page.context["rows"]) == 1
    key = found.url.split("search=")[1]
    exported = csv_of(client.post(cast.url("consent/export/"), {"search": key}))
    assert exported.count("\r\n") == 2
    wrong = client.get(client.post(cast.url("consent/"), {"q": "hello"}).url)
    assert wrong.status_code == 200
    assert "no letters" in wrong.content.decode()


def test_the_export_is_safe_for_spreadsheets_and_stands_in_the_audit_log(cast: Cast) -> None:
    record_consent(cast.organization, granted(reason='=HYPERLINK("http://evil")', evidence={"wording": "@cmd"}))
    exported = csv_of(cast.client("agent").post(cast.url("consent/export/")))
    assert "'=HYPERLINK" in exported
    assert "'@cmd" in exported
    assert "'+4915112345678" in exported or "+4915112345678" in exported
    assert AuditEntry.objects.filter(action="consent.exported").exists()
    assert cast.client("viewer").post(cast.url("consent/export/")).status_code == 403
    assert cast.client("stranger").post(cast.url("consent/export/")).status_code == 404


@pytest.mark.parametrize(
    "asked", [{"since": "nonsense"}, {"since": "2999-01-01", "until": "1000-01-01"}, {"after": "x"}, {"search": "\x00"}]
)
def test_odd_periods_break_nothing(cast: Cast, asked: dict[str, str]) -> None:
    record_consent(cast.organization, granted())
    for page in ("consent/", "consent/proof/"):
        assert cast.client("viewer").get(cast.url(page), asked).status_code == 200


def test_the_report_costs_the_same_however_long_it_is(cast: Cast) -> None:
    client = cast.client("viewer")

    def queries() -> int:
        with CaptureQueriesContext(database) as captured:
            assert client.get(cast.url("consent/")).status_code == 200
        return len(captured)

    record_many(cast.organization, [granted(f"+49151{number:08d}") for number in range(2)])
    queries()
    few = queries()
    record_many(cast.organization, [granted(f"+49152{number:08d}") for number in range(70)])
    assert queries() == few
    first = client.get(cast.url("consent/")).context["page"]
    second = client.get(cast.url("consent/"), {"after": str(first.next)}).context["page"]
    assert len(first.rows) + len(second.rows) == 72


# ---- the rules


def policy_data(**more: object) -> dict[str, object]:
    return {"scope": "organization", "confirm_within_hours": "72", "append_link": "on", **more}


def test_an_admin_sets_the_rules_and_the_audit_log_says_which(cast: Cast, connection: Connection) -> None:
    client, url = cast.client("admin"), cast.url("consent/policy/")
    page = client.get(url).content.decode()
    assert "Twilio answers for the long codes" in page
    data = policy_data(
        scope="sender", languages=["de", "fr"], extra_stop_words="Schluss, GENUG\nschluss", stop_text="Bye.",
        double_opt_in="on", answers_0="no",
    )  # fmt: skip
    assert "Saved." in client.post(url, data, follow=True).content.decode()
    policy = ConsentPolicy.objects.get()
    assert (policy.scope, policy.languages, policy.extra_stop_words) == ("sender", ["de", "fr"], ["Schluss", "GENUG"])
    assert policy.sender_answers == {connection.messaging_service_sid: "no"}
    assert policy.double_opt_in
    entry = AuditEntry.objects.get(action="consent_policy.changed")
    assert "scope" in entry.changes["fields"]
    assert "Nothing was different" in client.post(url, data, follow=True).content.decode()
    assert AuditEntry.objects.filter(action="consent_policy.changed").count() == 1
    assert "we answer" in client.get(url).content.decode()


@pytest.mark.parametrize(
    "wrong",
    [{"scope": "everywhere"}, {"languages": ["xx"]}, {"extra_stop_words": "x" * 39}, {"extra_stop_words": "!!!"},
     {"confirm_within_hours": "0"}, {"confirm_within_hours": "99999"}, {"stop_text": "x" * 400}, {"answers_0": "maybe"},
     {"extra_help_words": ",".join(f"w{n}" for n in range(60))}, {"scope": ""}],
)  # fmt: skip
def test_what_cannot_be_is_said_at_the_field(cast: Cast, connection: Connection, wrong: dict[str, object]) -> None:
    answer = cast.client("owner").post(cast.url("consent/policy/"), policy_data(**wrong))
    assert answer.status_code == 422
    assert "hg-error" in answer.content.decode()
    assert not ConsentPolicy.objects.exists()


@pytest.mark.parametrize(("who", "status"), [("agent", 403), ("viewer", 403), ("stranger", 404), (None, 302)])
def test_who_may_not_set_the_rules(cast: Cast, who: str | None, status: int) -> None:
    assert cast.client(who).get(cast.url("consent/policy/")).status_code == status
    assert cast.client(who).post(cast.url("consent/policy/"), policy_data()).status_code == status
    assert not ConsentPolicy.objects.exists()


def test_the_settings_page_leads_to_the_rules(cast: Cast) -> None:
    assert cast.url("consent/policy/") in cast.client("owner").get(cast.url("settings/")).content.decode()


def test_contacts_can_be_chosen_by_what_they_agreed_to() -> None:
    assert {"marketing", "no_marketing", "withdrawn", "pending"} <= {value for value, _ in consent_choices()}
