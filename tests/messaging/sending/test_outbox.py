"""The one door: what it takes, what it refuses, and that refusals store nothing."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection as database
from django.utils import timezone

from config import calling
from integrations.connections.models import Connection
from messaging.consent.models import OptOut
from messaging.sending import outbox
from messaging.sending.idempotency import KeyReused, once
from messaging.sending.models import IdempotencyKey, Message
from messaging.sending.outbox import Draft, EnqueueProblem, enqueue
from messaging.sending.sweeps import expire_waiting, nudge_forgotten, release_scheduled
from messaging.templates.models import Template, TemplateVersion
from tests.conftest import Cast
from tests.factories import ContactFactory

pytestmark = pytest.mark.django_db
TO = "+4915112345678"


def template(cast: Cast, body: str) -> Template:
    made = Template.objects.create(organization=cast.organization, name="T")
    made.current = TemplateVersion.objects.create(template=made, number=1, body=body)
    made.save()
    return made


def problem(cast: Cast, **fields: Any) -> EnqueueProblem:
    with pytest.raises(EnqueueProblem) as caught:
        enqueue(cast.organization, draft=Draft(**{"to": TO, "body": "Hello", **fields}))
    assert not Message.objects.exists(), "nothing half saved"
    return caught.value


def test_national_number_is_stored_as_e164_with_encoding_and_segments(cast: Cast, connection: Connection) -> None:
    message = enqueue(cast.organization, draft=Draft(to="0151 1234 5678", body="Grüße 😀"))
    assert (message.phone, message.region, message.status) == (TO, "DE", "queued")
    assert (message.encoding, message.segments) == ("UCS-2", 1)
    assert (message.sender, message.connection) == (connection.messaging_service_sid, connection)
    assert [event.status for event in message.events.all()] == ["queued"]
    assert message.valid_until - message.due_at == timedelta(hours=10)


def test_contact_of_the_number_is_found_and_fills_the_template(cast: Cast, connection: Connection) -> None:
    contact = ContactFactory(organization=cast.organization, phone=TO, name="Ada Lovelace")
    draft = Draft(to=TO, template=template(cast, "Hi {{ first_name }}, {{ what }}"), variables={"what": "tea"})
    message = enqueue(cast.organization, draft=draft)
    assert (message.contact, message.body) == (contact, "Hi Ada, tea")
    assert message.template_version.number == 1


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"to": ""}, "to"),
        ({"to": "not a number"}, "to"),
        ({"to": "+49"}, "to"),
        ({"to": "+999123456789"}, "to"),
        ({"body": ""}, "body"),
        ({"body": " \n\t"}, "body"),
        ({"body": "\x00"}, "body"),
        ({"body": "a" * 1700}, "body"),
        ({"sender": "TooLongSenderName"}, "from"),
        ({"send_at": timezone.now() + timedelta(days=400)}, "send_at"),
    ],
)
def test_bad_input_names_its_field_in_words(
    cast: Cast, connection: Connection, fields: dict[str, Any], field: str
) -> None:
    found = problem(cast, **fields)
    assert (found.field, found.is_refusal) == (field, False)
    assert found.detail.endswith(".")


def test_missing_variables_are_all_named_at_once(cast: Cast, connection: Connection) -> None:
    found = problem(cast, body="", template=template(cast, '{{ a }} {{ b }} {{ c | "x" }}'), variables={"a": " "})
    assert (found.code, found.field) == ("missing_variables", "variables")
    assert "a" in found.detail
    assert "b" in found.detail


def test_without_connection_the_refusal_says_what_to_do_and_stores_nothing(cast: Cast) -> None:
    found = problem(cast)
    assert (found.code, found.is_refusal) == ("not_connected", True)


def test_broken_connection_refuses_with_its_cause_and_nothing_falls_back(cast: Cast, connection: Connection) -> None:
    Connection.objects.update(status="broken", broken_code=20003)
    found = problem(cast)
    assert (found.code, found.is_refusal) == ("connection_broken", True)


def test_mainland_china_has_no_route_without_platform_sms_but_hong_kong_has(cast: Cast, connection: Connection) -> None:
    assert problem(cast, to="+8613912345678").code == "no_route"
    assert enqueue(cast.organization, draft=Draft(to="+85291234567", body="Hello")).status == "queued"


def test_suspended_organization_sends_nothing(cast: Cast, connection: Connection) -> None:
    cast.organization.status = "suspended"
    assert problem(cast).code == "suspended"


def test_opted_out_recipient_is_stored_as_blocked(cast: Cast, connection: Connection) -> None:
    OptOut.objects.create(organization=cast.organization, phone=TO, source="keyword")
    message = enqueue(cast.organization, draft=Draft(to=TO, body="Hello"))
    assert (message.status, message.error_reason) == ("blocked", "opted_out")
    assert message.finished_at is not None


def test_opt_out_at_another_organization_does_not_count(cast: Cast, connection: Connection) -> None:
    OptOut.objects.create(organization=cast.other, phone=TO, source="keyword")
    assert enqueue(cast.organization, draft=Draft(to=TO, body="Hello")).status == "queued"


def test_scheduled_message_waits_for_its_time_and_is_queued_then(cast: Cast, connection: Connection) -> None:
    draft = Draft(to=TO, body="Hello", send_at=timezone.now() + timedelta(hours=1))
    message = enqueue(cast.organization, draft=draft)
    assert message.status == "scheduled"
    assert release_scheduled() == 0
    Message.objects.update(due_at=timezone.now() - timedelta(seconds=1))
    assert release_scheduled() == 1
    assert release_scheduled() == 0
    message.refresh_from_db()
    assert message.status == "queued"


def test_waiting_message_is_canceled_once_and_a_claimed_one_is_not(cast: Cast, connection: Connection) -> None:
    message = enqueue(cast.organization, draft=Draft(to=TO, body="Hello"))
    assert outbox.cancel(message, actor=cast.agent)
    assert not outbox.cancel(message, actor=cast.agent)
    message.refresh_from_db()
    assert message.status == "canceled"
    other = enqueue(cast.organization, draft=Draft(to=TO, body="Hello"))
    Message.objects.filter(pk=other.pk).update(status="sending")
    assert not outbox.cancel(other, actor=cast.agent)


def test_messages_of_a_broken_connection_wait_until_their_validity_ends(cast: Cast, connection: Connection) -> None:
    message = enqueue(cast.organization, draft=Draft(to=TO, body="Hello"))
    Connection.objects.update(status="broken", broken_code=20003)
    assert expire_waiting() == 0
    Message.objects.update(valid_until=timezone.now())
    assert expire_waiting() == 1
    message.refresh_from_db()
    assert (message.status, message.error_reason, message.error_code) == ("failed", "connection_broken", 20003)


def test_sweep_nudges_lanes_with_due_messages_only(
    cast: Cast, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    nudged: list[tuple[Any, int]] = []
    monkeypatch.setattr(
        "messaging.sending.sweeps.nudge", lambda connection_id, *, lane, sender: nudged.append((connection_id, lane))
    )
    enqueue(cast.organization, draft=Draft(to=TO, body="Hello", lane=1))
    Message.objects.update(due_at=timezone.now() - timedelta(minutes=1))
    nudge_forgotten()
    assert nudged == [(connection.pk, 1)]


def test_message_is_taken_quickly_while_valkey_is_away(
    cast: Cast, connection: Connection, settings: Any, monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Any,
) -> None:  # fmt: skip
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    monkeypatch.setattr(calling, "_client", None)
    monkeypatch.setattr(calling, "_doubtful_until", 0.0)
    with django_capture_on_commit_callbacks(execute=True):
        message = enqueue(cast.organization, draft=Draft(to=TO, body="Hello"))
    assert message.status == "queued"
    assert calling._doubtful_until > 0, "the nudge noticed, and did not raise"
    monkeypatch.setattr(calling, "_client", None)
    monkeypatch.setattr(calling, "_doubtful_until", 0.0)


class TestIdempotency:
    """The same key is the same message."""

    def test_same_body_gives_the_same_message_and_another_is_refused(self, cast: Cast, connection: Connection) -> None:
        def make() -> Message:
            return enqueue(cast.organization, draft=Draft(to=TO, body="Hello"))

        first, is_new = once(cast.organization, key="k", body={"a": 1, "b": 2}, make=make)
        again, is_again_new = once(cast.organization, key="k", body={"b": 2, "a": 1}, make=make)
        assert (first.pk, is_new, is_again_new) == (again.pk, True, False)
        with pytest.raises(KeyReused):
            once(cast.organization, key="k", body={"a": 2}, make=make)
        assert Message.objects.count() == 1

    def test_key_is_free_again_after_a_refusal_and_after_24_hours(self, cast: Cast, connection: Connection) -> None:
        def refuse() -> Message:
            raise EnqueueProblem("empty", "No.", field="body")

        def make() -> Message:
            return enqueue(cast.organization, draft=Draft(to=TO, body="Hello"))

        with pytest.raises(EnqueueProblem):
            once(cast.organization, key="k", body=1, make=refuse)
        first, is_new = once(cast.organization, key="k", body=2, make=make)
        assert is_new
        IdempotencyKey.objects.update(created_at=timezone.now() - timedelta(hours=25))
        second, is_new = once(cast.organization, key="k", body=3, make=make)
        assert is_new
        assert second.pk != first.pk

    def test_other_organization_may_use_the_same_key(self, cast: Cast, connection: Connection) -> None:
        def make() -> Message:
            return enqueue(cast.organization, draft=Draft(to=TO, body="Hello"))

        once(cast.organization, key="k", body=1, make=make)
        _, is_new = once(cast.other, key="k", body=1, make=make)
        assert is_new

    @pytest.mark.django_db(transaction=True)
    def test_of_thirty_at_once_exactly_one_makes_the_message(self, cast: Cast, connection: Connection) -> None:
        def ask(_: int) -> bool:
            try:
                return once(
                    cast.organization,
                    key="k",
                    body=1,
                    make=lambda: enqueue(cast.organization, draft=Draft(to=TO, body="Hello")),
                )[1]
            finally:
                database.close()

        with ThreadPoolExecutor(10) as pool:
            made = list(pool.map(ask, range(30)))
        assert made.count(True) == 1
        assert Message.objects.count() == 1
