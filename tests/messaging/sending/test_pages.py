"""Pages of sending: send, log, message, dashboard; who may, and that bad input is told in words."""

import uuid
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from integrations.connections.health import mark_broken
from integrations.connections.models import Connection
from messaging.consent.models import OptOut
from messaging.dashboard.counting import count_anew
from messaging.sending.models import Message, MessageEvent, WorkerPulse
from messaging.templates.models import Template, TemplateVersion
from tests.conftest import Cast
from tests.factories import ContactFactory, MessageFactory

pytestmark = pytest.mark.django_db
TO = "+4915112345678"


@pytest.fixture
def parcel(cast: Cast) -> Template:
    template = Template.objects.create(organization=cast.organization, name="Parcel")
    template.current = TemplateVersion.objects.create(template=template, number=1, body="Hi {{ name }}: {{ time }}")
    template.save()
    return template


def send(cast: Cast, who: str = "agent", **fields: str) -> Any:
    return cast.client(who).post(cast.url("messages/send/"), {"to": TO, "body": "Hello", "nonce": "n1", **fields})


class TestSendPage:
    """One message by hand."""

    def test_agent_sends_and_lands_on_the_message(self, cast: Cast, connection: Connection) -> None:
        answer = send(cast)
        message = Message.objects.get()
        assert answer.status_code == 302
        assert answer["Location"] == cast.url(f"messages/{message.pk}/")
        assert (message.phone, message.source, message.created_by_id) == (TO, "page", cast.agent.pk)

    def test_double_submit_is_one_message(self, cast: Cast, connection: Connection) -> None:
        client = cast.client("agent")
        fields = {"to": TO, "body": "Hello", "nonce": "n1"}
        first = client.post(cast.url("messages/send/"), fields)
        second = client.post(cast.url("messages/send/"), fields)
        assert first["Location"] == second["Location"]
        assert Message.objects.count() == 1

    def test_viewer_may_not_and_stranger_finds_nothing(self, cast: Cast, connection: Connection) -> None:
        assert send(cast, "viewer").status_code == 403
        assert send(cast, "stranger").status_code == 404
        assert not Message.objects.exists()

    @pytest.mark.parametrize(
        ("fields", "words"),
        [
            ({"to": ""}, "Say to whom"),
            ({"to": "12"}, "hg-error"),
            ({"body": ""}, "Write the text"),
            ({"body": "a" * 1700}, "at most"),
            ({"send_at": "yesterday"}, "Write date and time"),
            ({"send_at": "2020-01-01T10:00"}, "has passed"),
            ({"template": str(uuid.uuid4())}, "hg-error"),
            ({"template": "no id"}, "hg-error"),
        ],
    )
    def test_bad_input_stays_in_the_form_with_words(
        self, cast: Cast, connection: Connection, fields: dict[str, str], words: str
    ) -> None:
        answer = send(cast, **fields)
        assert answer.status_code == 422
        assert words in answer.content.decode()
        assert not Message.objects.exists()

    def test_template_of_another_organization_cannot_be_chosen(self, cast: Cast, connection: Connection) -> None:
        foreign = Template.objects.create(organization=cast.other, name="Secret plan")
        answer = send(cast, template=str(foreign.pk))
        assert answer.status_code == 422
        assert "Secret plan" not in answer.content.decode()

    def test_variables_are_asked_for_and_rendered(self, cast: Cast, connection: Connection, parcel: Template) -> None:
        ContactFactory(organization=cast.organization, phone=TO, name="Ada")
        missing = send(cast, template=str(parcel.pk))
        assert missing.status_code == 422
        assert send(cast, template=str(parcel.pk), var_time="17:00", nonce="n2").status_code == 302
        assert Message.objects.get().body == "Hi Ada: 17:00"

    def test_choosing_a_template_asks_for_its_variables_without_complaining(
        self, cast: Cast, connection: Connection, parcel: Template
    ) -> None:
        fields = cast.client("agent").post(cast.url("messages/send/fields/"), {"template": str(parcel.pk), "to": TO})
        assert "var_time" in fields.content.decode()
        assert "hg-error" not in fields.content.decode()

    def test_preview_shows_text_segments_and_what_forces_ucs2_and_stores_nothing(
        self, cast: Cast, connection: Connection
    ) -> None:
        answer = cast.client("agent").post(cast.url("messages/send/preview/"), {"to": TO, "body": "Hi – there"})
        text = answer.content.decode()
        assert "Hi – there" in text
        assert "UCS-2" in text
        assert "en dash" in text.lower()
        assert not Message.objects.exists()

    def test_preview_warns_of_an_opt_out_and_is_patient_with_a_half_typed_name(
        self, cast: Cast, connection: Connection
    ) -> None:
        OptOut.objects.create(organization=cast.organization, phone=TO, source="keyword")
        client, address = cast.client("agent"), cast.url("messages/send/preview/")
        assert "opted out" in client.post(address, {"to": TO, "body": "Hi"}).content.decode()
        assert "Choose a contact" in client.post(address, {"to": "Ad", "body": "Hi"}).content.decode()

    def test_refusal_leads_to_system_services_whom_may_go_there(self, cast: Cast) -> None:
        assert cast.url("integration/") in send(cast, "admin").content.decode().split("send-form")[1]
        assert "An owner or admin does that" in send(cast, "agent").content.decode()

    def test_failed_message_can_be_written_again_but_not_that_of_another_organization(
        self, cast: Cast, connection: Connection
    ) -> None:
        failed = MessageFactory(organization=cast.organization, connection=connection, status="failed", phone=TO)
        foreign = MessageFactory(organization=cast.other, status="failed")
        client = cast.client("agent")
        assert f"again={failed.pk}" in client.get(cast.url(f"messages/{failed.pk}/")).content.decode()
        page = client.get(cast.url(f"messages/send/?again={failed.pk}")).content.decode()
        assert TO in page
        assert failed.body in page
        assert client.get(cast.url(f"messages/send/?again={foreign.pk}")).status_code == 404

    def test_contacts_are_offered_by_name_but_not_those_of_others(self, cast: Cast) -> None:
        ContactFactory(organization=cast.organization, name="Ada Lovelace")
        ContactFactory(organization=cast.other, name="Ada Stranger")
        answer = cast.client("agent").post(cast.url("messages/send/recipients/"), {"to": "ada"}).content.decode()
        assert "Ada Lovelace" in answer
        assert "Stranger" not in answer

    def test_contact_of_another_organization_is_not_found(self, cast: Cast) -> None:
        foreign = ContactFactory(organization=cast.other)
        assert cast.client("agent").get(cast.url(f"messages/send/?contact={foreign.pk}")).status_code == 404
        assert cast.client("agent").get(cast.url("messages/send/?contact=nonsense")).status_code == 200

    def test_scheduled_time_is_read_in_the_organizations_zone(self, cast: Cast, connection: Connection) -> None:
        local = (timezone.now() + timedelta(days=2)).strftime("%Y-%m-%dT09:00")
        assert send(cast, send_at=local).status_code == 302
        message = Message.objects.get()
        assert message.status == "scheduled"
        assert message.due_at.astimezone(timezone.get_fixed_timezone(0)).hour in {7, 8}, "09:00 in Berlin"


class TestLog:
    """The list of messages."""

    def test_scheduled_message_says_when_it_is_due(self, cast: Cast, connection: Connection) -> None:
        type(cast.organization).objects.filter(pk=cast.organization.pk).update(time_zone="America/New_York")
        due = timezone.now() + timedelta(days=2)
        message = MessageFactory(organization=cast.organization, connection=connection, status="scheduled", due_at=due)
        page = cast.client("agent").get(cast.url(f"messages/{message.pk}/")).content.decode()
        local = due.astimezone(ZoneInfo("America/New_York"))
        assert f"for {local.day} {local:%B %Y, %H:%M %Z}" in page
        assert "due <time" in cast.client("agent").get(cast.url("messages/")).content.decode()

    def rows(self, cast: Cast, **fields: str) -> list[Message]:
        client = cast.client("viewer")
        answer = client.post(cast.url("messages/"), fields, follow=True)
        assert answer.status_code == 200
        assert TO not in answer.redirect_chain[0][0]
        assert answer.redirect_chain[0][0].count("+") == 0, "no number in an address"
        return list(answer.context["page"].messages)

    @pytest.mark.parametrize("writing", [TO, "0151 1234 5678", "+49 (151) 12345678", "00491511234 5678", "5678"])
    def test_number_is_found_in_any_writing_and_by_its_last_digits(self, cast: Cast, writing: str) -> None:
        wanted = MessageFactory(organization=cast.organization, connection=None, phone=TO)
        MessageFactory(organization=cast.organization, connection=None, phone="+4915199999999")
        MessageFactory(organization=cast.other, connection=None, phone=TO)
        assert self.rows(cast, q=writing) == [wanted]

    def test_message_is_found_by_sid_status_direction_template_and_date(self, cast: Cast, parcel: Template) -> None:
        sid = "SM" + "ab" * 16
        wanted = MessageFactory(
            organization=cast.organization, connection=None, provider_sid=sid, status="failed", template=parcel
        )
        MessageFactory(organization=cast.organization, connection=None, created_at=timezone.now() - timedelta(days=9))
        today = timezone.now().date().isoformat()
        for fields in (
            {"q": sid},
            {"q": sid.upper().replace("SM", "sm", 1)},
            {"status": "failed"},
            {"template": str(parcel.pk)},
            {"since": today},
        ):
            assert self.rows(cast, **fields) == [wanted], fields
        assert len(self.rows(cast, direction="inbound")) == 0
        assert len(self.rows(cast, direction="outbound")) == 2

    @pytest.mark.parametrize("query", ["%", "'; DROP TABLE", "SM", "a" * 80, "😀"])
    def test_strange_search_finds_nothing_and_breaks_nothing(self, cast: Cast, query: str) -> None:
        MessageFactory(organization=cast.organization, connection=None)
        assert self.rows(cast, q=query) == []

    def test_search_for_a_nul_sign_is_no_search(self, cast: Cast) -> None:
        MessageFactory(organization=cast.organization, connection=None)
        assert len(self.rows(cast, q="\x00")) == 1

    def test_last_day_there_is_and_the_first_are_days_like_others(self, cast: Cast) -> None:
        MessageFactory(organization=cast.organization, connection=None)
        assert len(self.rows(cast, since="0001-01-01", until="9999-12-31")) == 1

    def test_refresh_keeps_the_rows_in_place_and_counts_newer_ones(self, cast: Cast) -> None:
        old = MessageFactory(organization=cast.organization, connection=None)
        new = MessageFactory(organization=cast.organization, connection=None)
        answer = cast.client("viewer").get(cast.url(f"messages/?top={old.pk}"), headers={"HX-Request": "true"})
        text = answer.content.decode()
        assert str(old.pk) in text
        assert str(new.pk) not in text
        assert "1 newer message" in text

    def test_pages_follow_each_other_without_gap_or_repetition(self, cast: Cast) -> None:
        made = [MessageFactory(organization=cast.organization, connection=None).pk for _ in range(55)]
        client = cast.client("viewer")
        first = client.get(cast.url("messages/")).context["page"]
        second = client.get(cast.url(f"messages/?after={first.next}")).context["page"]
        assert [row.pk for row in [*first.messages, *second.messages]] == made[::-1]
        assert second.next is None

    def test_log_asks_the_database_equally_often_for_few_and_many(
        self, cast: Cast, connection: Connection, django_assert_max_num_queries: Any
    ) -> None:
        for _ in range(30):
            contact = ContactFactory(organization=cast.organization)
            MessageFactory(organization=cast.organization, connection=connection, contact=contact)
        client = cast.client("viewer")
        with django_assert_max_num_queries(12):
            client.get(cast.url("messages/"))

    def test_empty_log_says_what_belongs_here(self, cast: Cast) -> None:
        assert "No messages yet" in cast.client("viewer").get(cast.url("messages/")).content.decode()


class TestMessagePage:
    """One message."""

    def test_failure_is_explained_with_the_remedy_and_the_timeline(self, cast: Cast) -> None:
        message = MessageFactory(
            organization=cast.organization, connection=None, status="undelivered", error_code=30003, body="<b>Hi</b>"
        )
        MessageEvent.objects.create(message=message, status="undelivered", source="callback", error_code=30003)
        text = cast.client("viewer").get(cast.url(f"messages/{message.pk}/")).content.decode()
        assert "What to do:" in text
        assert "30003" in text
        assert "&lt;b&gt;Hi&lt;/b&gt;" in text

    def test_message_of_another_organization_is_404(self, cast: Cast) -> None:
        message = MessageFactory(organization=cast.other, connection=None)
        assert cast.client("owner").get(cast.url(f"messages/{message.pk}/")).status_code == 404
        for verb in ("cancel", "resolve"):
            assert cast.client("owner").post(cast.url(f"messages/{message.pk}/{verb}/")).status_code == 404

    def test_final_message_is_not_polled_and_an_unfinished_one_is(self, cast: Cast) -> None:
        for status, is_polled in (("delivered", False), ("accepted", True)):
            message = MessageFactory(organization=cast.organization, connection=None, status=status)
            text = cast.client("viewer").get(cast.url(f"messages/{message.pk}/")).content.decode()
            assert ("every 1500ms" in text) == is_polled

    def test_waiting_message_is_canceled_by_an_agent_only(self, cast: Cast) -> None:
        message = MessageFactory(organization=cast.organization, connection=None, status="queued")
        path = cast.url(f"messages/{message.pk}/cancel/")
        assert cast.client("viewer").post(path).status_code == 403
        assert cast.client("agent").post(path).status_code == 302
        message.refresh_from_db()
        assert message.status == "canceled"
        assert "Too late" in cast.client("agent").post(path, follow=True).content.decode()

    @pytest.mark.parametrize(("answer", "status"), [("yes", "sent"), ("no", "queued"), ("", "unknown")])
    def test_flagged_message_is_settled_by_a_person(self, cast: Cast, answer: str, status: str) -> None:
        message = MessageFactory(organization=cast.organization, connection=None, status="unknown", needs_person=True)
        path = cast.url(f"messages/{message.pk}/resolve/")
        assert cast.client("viewer").post(path, {"was_sent": answer}).status_code == 403
        assert cast.client("agent").post(path, {"was_sent": answer}).status_code == 302
        message.refresh_from_db()
        assert (message.status, message.needs_person) == (status, not answer)


class TestDashboard:
    """The first page."""

    def test_figures_of_today_and_trouble_in_words(self, cast: Cast, connection: Connection) -> None:
        now = timezone.now()
        for status in ("delivered", "delivered", "failed", "queued"):
            MessageFactory(
                organization=cast.organization,
                connection=connection,
                status=status,
                handed_over_at=None if status == "queued" else now,
            )
        MessageFactory(organization=cast.other, status="delivered", connection=None)
        count_anew(cast.organization)
        answer = cast.client("viewer").get(cast.url(""))
        today = answer.context["today"]
        assert (today.handed_over, today.delivered, today.failed, today.on_way) == (3, 2, 1, 1)
        assert len(answer.context["bars"]) == 14
        assert "No worker is running" in answer.content.decode()
        WorkerPulse.objects.create(name="w", host="h", pid=1, seen_at=now)
        assert "No worker is running" not in cast.client("viewer").get(cast.url("")).content.decode()

    def test_broken_connection_is_said_at_once(
        self, cast: Cast, connection: Connection, django_capture_on_commit_callbacks: Any
    ) -> None:
        with django_capture_on_commit_callbacks(execute=True):
            mark_broken(connection, code=20003)
        assert "is broken, so nothing is sent" in cast.client("viewer").get(cast.url("")).content.decode()

    def test_without_connection_the_first_step_is_offered_to_whom_can_take_it(self, cast: Cast) -> None:
        assert "Connect Twilio to begin" in cast.client("admin").get(cast.url("")).content.decode()
        assert "Connect Twilio to begin" not in cast.client("agent").get(cast.url("")).content.decode()

    def test_start_leads_to_the_organization_or_to_sign_in(self, cast: Cast) -> None:
        assert cast.client("owner").get("/")["Location"] == cast.url("")
        assert "/accounts/login/" in cast.client(None).get("/")["Location"]


def test_test_sms_goes_through_the_named_connection(cast: Cast, connection: Connection) -> None:
    path = cast.url(f"messages/test/{connection.pk}/")
    assert cast.client("agent").post(path, {"to": TO}).status_code == 403
    assert cast.client("admin").post(path, {"to": TO}).status_code == 302
    message = Message.objects.get()
    assert (message.connection, message.source) == (connection, "test")
    assert "Acme Logistics" in message.body
    answer = cast.client("admin").post(path, {"to": "12"}, follow=True)
    assert answer.status_code == 200
    assert Message.objects.count() == 1
