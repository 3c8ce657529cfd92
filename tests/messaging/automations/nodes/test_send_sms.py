"""Send SMS: to whom it should, once each, whatever is refused and whoever dies in between."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, connections, transaction
from django.db.models.functions import Now

from integrations.connections.models import Connection
from messaging.automations import engine, moves
from messaging.automations.flow import NodeSpec
from messaging.automations.models import Run, RunMessage
from messaging.automations.nodes.sending import node as node_module
from messaging.automations.nodes.testing import sandbox_of
from messaging.automations.registry import node_of
from messaging.automations.scopes import scope_at
from messaging.consent.models import OptOut
from messaging.consent.opt_outs import opt_out
from messaging.contacts.models import Contact, SavedFilter, Tag
from messaging.sending.models import Message
from messaging.templates.models import Template, TemplateVersion
from tests.conftest import Cast
from tests.factories import ConnectionFactory, ContactFactory
from tests.messaging.automations.conftest import MakeAutomation, begin, carry_on

from .conftest import PHONE, Problems, RunNode, step_of

pytestmark = pytest.mark.django_db
HELLO = {"to": "contact", "text": "Hello {{ contact.first_name }}"}


def template(cast: Cast, body: str, *, name: str = "Order", organization: Any = None) -> Template:
    made = Template.objects.create(organization=organization or cast.organization, name=name)
    made.current = TemplateVersion.objects.create(template=made, number=1, body=body)
    made.save()
    return made


def texts() -> list[tuple[str, str, str]]:
    return sorted(Message.objects.values_list("phone", "body", "status"))


def test_the_contact_is_written_to(run_node: RunNode, contact: Contact, connection: Connection) -> None:
    step = run_node("send_sms", HELLO, contact=contact)
    message = Message.objects.get()
    assert (message.phone, message.body, message.status, message.source) == (
        PHONE,
        "Hello Anna",
        "queued",
        "automation",
    )
    assert (message.contact, message.lane) == (contact, Message.Lane.FAST)
    assert step.status == "done" and step.output["message_id"] == str(message.pk)
    assert (step.output["status"], step.output["count"], step.output["blocked"]) == ("queued", 1, 0)
    assert step.input == {"to": "+49•••••78", "text": "Hello Anna"}
    assert RunMessage.objects.get().message == message


def test_a_template_gets_the_values_that_are_mapped(
    run_node: RunNode, contact: Contact, connection: Connection, cast: Cast
) -> None:
    body = '{{ first_name }}, order {{ order.id }} comes {{ day | "soon" }}.'
    made = template(cast, body)
    settings = {"to": "contact", "template": str(made.pk), "values": {"order.id": "{{ trigger.order }}"}}
    step = run_node("send_sms", settings, contact=contact, data={"order": "A-7"})
    message = Message.objects.get()
    assert message.body == "Anna, order A-7 comes soon." and message.template == made
    assert step.input["template"] == "Order" and step.input["order.id"] == "A-7"


def test_a_number_of_the_trigger_and_typed_ones_are_written_to(run_node: RunNode, connection: Connection) -> None:
    run_node("send_sms", {"to": "field", "field": "trigger.phone", "text": "One"}, data={"phone": "0151 12345678"})
    typed = {"to": "typed", "numbers": "+4915100000001, {{ trigger.phone }}\n+4915100000001", "text": "Two"}
    step = run_node("send_sms", typed, key="2", data={"phone": "+4915100000002"})
    assert texts() == [
        ("+4915100000001", "Two", "queued"), ("+4915100000002", "Two", "queued"), (PHONE, "One", "queued"),
    ]  # fmt: skip
    assert step.output["count"] == 2


def test_many_go_in_slices_each_once_whatever_dies_between(
    automation: MakeAutomation, cast: Cast, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(node_module, "SLICE", 10)
    tag = Tag.objects.create(organization=cast.organization, name="VIP")
    for number in range(25):
        ContactFactory(organization=cast.organization, phone=f"+49151200000{number:02d}").tags.add(tag)
    run = begin(automation(NodeSpec("n1", "send_sms", {"to": "tag", "tag": str(tag.pk), "text": "News"})))
    assert run is not None
    token, claimed = engine.claim(Run.Lane.QUICK, most=10)
    engine.carry_on(token, claimed)
    assert Message.objects.count() == 10
    with monkeypatch.context() as patch:

        def die(*_: Any, **__: Any) -> None:
            raise OperationalError("the server went away")

        patch.setattr(node_module, "_output", die)  # the last slice is written, and then it dies
        engine.work(seconds=2)
    assert Message.objects.count() == 20  # the second one stands; nothing of the third
    Run.objects.update(due_at=Now() - timedelta(hours=1))
    carry_on()
    step = step_of(run)
    assert (step.output["count"], step.status) == (25, "done") and Message.objects.count() == 25
    assert set(Message.objects.values_list("lane", flat=True)) == {Message.Lane.BULK}
    assert RunMessage.objects.values("key").distinct().count() == 25


def test_who_opted_out_gets_nothing_and_the_run_goes_on(
    run_node: RunNode, contact: Contact, connection: Connection, cast: Cast
) -> None:
    opt_out(cast.organization, phone=PHONE, source=OptOut.Source.STAFF)
    step = run_node("send_sms", HELLO, contact=contact)
    assert texts() == [(PHONE, "Hello Anna", "blocked")]
    assert step.status == "done" and (step.output["status"], step.output["reason"]) == ("blocked", "opted_out")
    assert "opted out" in RunMessage.objects.get().detail


def test_without_a_route_or_credits_the_message_is_stored_as_blocked(run_node: RunNode, contact: Contact) -> None:
    step = run_node("send_sms", HELLO, contact=contact)
    message = Message.objects.get()
    assert (message.status, message.error_reason, message.connection) == ("blocked", "not_connected", None)
    assert step.status == "done" and step.output["reason"] == "not_connected"
    china = {"to": "typed", "numbers": "+8613800138000", "text": "Hi"}
    assert run_node("send_sms", china, key="2").output["reason"] == "no_route"


def test_a_broken_connection_fails_the_step_which_is_tried_again(
    run_node: RunNode, contact: Contact, connection: Connection, cast: Cast
) -> None:
    Connection.objects.filter(pk=connection.pk).update(status="broken", broken_code=20003)
    step = run_node("send_sms", HELLO, contact=contact)
    assert (step.status, step.reason) == ("failed", "connection_broken") and "is broken" in step.detail
    assert not Message.objects.exists() and not RunMessage.objects.exists()
    Connection.objects.filter(pk=connection.pk).update(status="active")
    assert moves.retry(step.run, actor=cast.agent)
    carry_on()
    assert texts() == [(PHONE, "Hello Anna", "queued")]


@pytest.mark.parametrize(("phone", "code"), [("12", "too_short"), ("", "no_number"), ("nobody", "not_a_number")])
def test_a_bad_number_fails_the_step_in_words(run_node: RunNode, connection: Connection, phone: str, code: str) -> None:
    step = run_node("send_sms", {"to": "field", "field": "trigger.phone", "text": "Hi"}, data={"phone": phone})
    assert (step.status, step.reason) == ("failed", code) and step.detail.endswith(".")
    assert not Message.objects.exists()


def test_of_many_a_bad_number_is_counted(run_node: RunNode, connection: Connection) -> None:
    typed = {"to": "typed", "numbers": "{{ trigger.phone }}, +4915100000001", "text": "Two"}
    step = run_node("send_sms", typed, data={"phone": "12"})
    assert step.status == "done" and (step.output["count"], step.output["skipped"]) == (1, 1)
    assert RunMessage.objects.get(key="?12").reason == "too_short"


def test_where_none_could_be_written_to_the_step_fails(run_node: RunNode, connection: Connection) -> None:
    typed = {"to": "typed", "numbers": "{{ trigger.phone }}, {{ trigger.order }}", "text": "Two"}
    step = run_node("send_sms", typed, data={"phone": "12", "order": "13"})
    assert (step.status, step.reason) == ("failed", "none_reached") and "None of 2" in step.detail


def test_what_is_gone_in_mid_run_is_said(
    automation: MakeAutomation, contact: Contact, connection: Connection, cast: Cast
) -> None:
    made = template(cast, "Order {{ order }}")
    settings = {"to": "contact", "template": str(made.pk), "values": {"order": "{{ trigger.order }}"}}
    published = automation(NodeSpec("n1", "send_sms", settings))

    def code(key: str, **values: Any) -> str:
        run = begin(published, key, **values)
        assert run is not None
        if key == "erased":
            contact.delete()
        carry_on()
        step = step_of(run)
        assert step.status == "failed" and step.detail.endswith(".")
        return step.reason

    assert code("1", contact=contact) == "missing_value"
    TemplateVersion.objects.update(body="{{ other }} {{ order }}")
    assert code("2", contact=contact, data={"order": "7"}) == "missing_variables"
    Template.objects.update(archived_at=Now())
    assert code("3", contact=contact, data={"order": "7"}) == "template_gone"
    assert "Bring it back under Templates, and try this run again" in Run.objects.get(key="3").detail
    Template.objects.update(archived_at=None)
    assert code("erased", contact=contact, data={"order": "7"}) == "contact_gone"


def test_the_tag_or_filter_may_be_gone(automation: MakeAutomation, cast: Cast, connection: Connection) -> None:
    tag = Tag.objects.create(organization=cast.organization, name="VIP")
    saved = SavedFilter.objects.create(organization=cast.organization, name="Germans", wanted={"countries": ["DE"]})
    for key, settings in (("1", {"to": "tag", "tag": str(tag.pk)}), ("2", {"to": "filter", "filter": str(saved.pk)})):
        run = begin(automation(NodeSpec("n1", "send_sms", {**settings, "text": "x"}), name=key), key)
        (tag if key == "1" else saved).delete()
        carry_on()
        assert run is not None and step_of(run).reason == "recipients_gone"


def test_a_filter_is_read_when_the_step_is_done(run_node: RunNode, cast: Cast, connection: Connection) -> None:
    saved = SavedFilter.objects.create(organization=cast.organization, name="Germans", wanted={"countries": ["DE"]})
    ContactFactory(organization=cast.organization, phone="+4915100000009")
    ContactFactory(organization=cast.other, phone="+4915100000008")
    run_node("send_sms", {"to": "filter", "filter": str(saved.pk), "text": "x"})
    assert [phone for phone, *_ in texts()] == ["+4915100000009"]


def test_more_than_a_step_takes_are_refused_before_anybody_is_written_to(
    run_node: RunNode, cast: Cast, connection: Connection, contact: Contact, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(node_module, "MOST", 0)
    tag = Tag.objects.create(organization=cast.organization, name="VIP")
    contact.tags.add(tag)
    step = run_node("send_sms", {"to": "tag", "tag": str(tag.pk), "text": "News"})
    assert step.reason == "too_many" and not Message.objects.exists()


def test_what_the_step_lacks_is_said(problems: Problems, cast: Cast) -> None:
    made, foreign = template(cast, "{{ order }}"), template(cast, "Hi", organization=cast.other)
    tag = Tag.objects.create(organization=cast.other, name="Theirs")
    expected: list[tuple[dict[str, str], str]] = [
        ({"to": "contact"}, "Choose a template, or write the text."),
        ({"to": "typed", "text": "Hi"}, "Write at least one number."),
        ({"to": "typed", "numbers": "12", "text": "Hi"}, "12: "),
        ({"to": "tag", "text": "Hi"}, "Choose the tag."),
        ({"to": "tag", "tag": str(tag.pk), "text": "Hi"}, "This tag was deleted."),
        ({"to": "field", "field": "trigger.gone", "text": "Hi"}, "is not known here"),
        ({"to": "contact", "template": str(made.pk)}, "The template needs a value for it."),
        ({"to": "contact", "template": str(foreign.pk)}, "This template was deleted or archived."),
        ({"to": "contact", "text": "Hi {{ trigger.gone }}"}, "trigger.gone }} is not known here."),
        ({"to": "contact", "text": "Hi {{ no"}, "not closed"),
        ({"to": "contact", "text": "Hi", "sender": "?!"}, "Sender:"),
        ({"to": "contact", "text": "Hi", "connection": str(tag.pk)}, "This connection was disconnected."),
        ({"to": "nobody", "text": "Hi"}, "These recipients cannot be had here."),
    ]
    for settings, sentence in expected:
        assert any(sentence in one for one in problems("send_sms", settings)), settings
    assert problems("send_sms", HELLO) == []


def test_the_form_keeps_what_was_typed(cast: Cast) -> None:
    made = template(cast, "{{ order.id }} {{ name }}")
    node = node_of("send_sms")
    assert node is not None
    from messaging.automations.flow import Flow

    scope = scope_at(cast.organization, Flow(trigger="test", nodes=(NodeSpec("n1", "send_sms"),), count=1), "n1")
    data = {
        "to": "contact",
        "template": str(made.pk),
        "value__order__id": "{{ trigger.order }}",
        "numbers": "left over",
    }
    form = node.form(data, scope=scope)
    assert form.is_valid(), form.errors
    kept = form.to_settings()
    assert kept == {"to": "contact", "template": str(made.pk), "values": {"order.id": "{{ trigger.order }}"}}
    assert node.form.to_data(kept)["value__order__id"] == "{{ trigger.order }}"
    assert node.describe(scope, kept) == "Send “Order” to the contact of the trigger"


def test_the_connection_and_the_sender_of_the_step_are_taken(
    run_node: RunNode, contact: Contact, connection: Connection, cast: Cast
) -> None:
    second = ConnectionFactory(organization=cast.organization, name="Second", is_default=False)
    run_node("send_sms", {**HELLO, "connection": str(second.pk), "sender": "+4915100000000"}, contact=contact)
    run_node("send_sms", HELLO, key="2", contact=contact)
    named, usual = Message.objects.order_by("id")
    assert (named.connection, named.sender) == (second, "+4915100000000")
    assert (usual.connection, usual.sender) == (connection, connection.messaging_service_sid)


def test_a_connection_that_was_disconnected_in_mid_run_is_said(
    automation: MakeAutomation, contact: Contact, connection: Connection, cast: Cast
) -> None:
    second = ConnectionFactory(organization=cast.organization, name="Second", is_default=False)
    run = begin(automation(NodeSpec("n1", "send_sms", {**HELLO, "connection": str(second.pk)})), contact=contact)
    Connection.objects.filter(pk=second.pk).update(status="disconnected")
    carry_on()
    assert run is not None
    step = step_of(run)
    assert (step.status, step.reason) == ("failed", "not_connected") and "connect it again" in step.detail
    assert not Message.objects.exists()


def test_marketing_goes_only_to_who_agreed(run_node: RunNode, contact: Contact, connection: Connection) -> None:
    step = run_node("send_sms", {**HELLO, "purpose": "marketing"}, contact=contact)
    message = Message.objects.get()
    assert (message.purpose, message.status) == ("marketing", "blocked")
    assert (step.status, step.output["reason"]) == ("done", "no_consent")


def test_what_an_earlier_step_found_may_stand_in_the_text(
    automation: MakeAutomation, contact: Contact, connection: Connection
) -> None:
    tag = NodeSpec("n1", "tag", {"what": "add", "new": "Welcomed"})
    text = {"to": "contact", "text": "Tagged {{ n1.tag }}: {{ n1.changed }}, {{ run.started_at }}"}
    run = begin(automation(tag, NodeSpec("n2", "send_sms", text)), contact=contact)
    assert run is not None
    carry_on()
    run.refresh_from_db()
    assert run.started_at is not None
    assert Message.objects.get().body == f"Tagged Welcomed: yes, {run.started_at.isoformat()}"


def test_who_is_tagged_while_it_goes_out_is_not_drawn_in(
    automation: MakeAutomation, cast: Cast, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(node_module, "SLICE", 2)
    tag = Tag.objects.create(organization=cast.organization, name="VIP")
    for number in range(3):
        ContactFactory(organization=cast.organization, phone=f"+4915120000{number:03d}").tags.add(tag)
    run = begin(automation(NodeSpec("n1", "send_sms", {"to": "tag", "tag": str(tag.pk), "text": "News"})))
    engine.carry_on(*engine.claim(Run.Lane.QUICK, most=10))
    late = ContactFactory(organization=cast.organization, phone="+4915120000999")
    # In a test all is one transaction, whose clock stands still.
    Contact.objects.filter(pk=late.pk).update(created_at=Now() + timedelta(minutes=1))
    late.tags.add(tag)
    carry_on()
    assert run is not None and step_of(run).output["count"] == 3
    assert not Message.objects.filter(phone=late.phone).exists()


def test_a_test_goes_to_the_sandbox_and_nowhere_else(
    try_node: RunNode, contact: Contact, connection: Connection, sandbox_connection: Connection, cast: Cast
) -> None:
    tag = Tag.objects.create(organization=cast.organization, name="VIP")
    contact.tags.add(tag)
    ContactFactory(organization=cast.organization, phone="+4915100000009").tags.add(tag)
    settings = {"to": "tag", "tag": str(tag.pk), "text": "News", "connection": str(connection.pk)}
    step = try_node("send_sms", settings, phone="+4915100000001")
    message = Message.objects.get()
    assert (message.phone, message.connection) == ("+4915100000001", sandbox_connection)
    assert step.status == "done" and step.input["to"] == "2 recipients"


def test_of_two_sandboxes_a_test_sends_over_the_one_whose_phone_its_page_shows(
    try_node: RunNode, sandbox_connection: Connection, cast: Cast
) -> None:
    ConnectionFactory(organization=cast.organization, name="Newer", mode="sandbox", is_default=False)
    try_node("send_sms", {"to": "typed", "numbers": PHONE, "text": "Hi"})
    assert Message.objects.get().connection == sandbox_of(cast.organization) == sandbox_connection


def test_a_test_without_a_sandbox_says_what_to_do(try_node: RunNode, connection: Connection) -> None:
    step = try_node("send_sms", {"to": "typed", "numbers": PHONE, "text": "Hi"})
    assert (step.status, step.reason) == ("failed", "no_sandbox") and "Connect one" in step.detail
    assert not Message.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_write_to_each_once(
    automation: MakeAutomation, cast: Cast, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(node_module, "SLICE", 5)
    tag = Tag.objects.create(organization=cast.organization, name="VIP")
    for number in range(20):
        ContactFactory(organization=cast.organization, phone=f"+49151200000{number:02d}").tags.add(tag)
    made = automation(NodeSpec("n1", "send_sms", {"to": "tag", "tag": str(tag.pk), "text": "News"}))
    with transaction.atomic():
        for key in "123":
            begin(made, key)

    def work() -> None:
        try:
            carry_on()
        finally:
            connections.close_all()

    workers = [threading.Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    carry_on()
    assert set(Run.objects.values_list("status", flat=True)) == {"done"}
    assert Message.objects.count() == RunMessage.objects.count() == 60
