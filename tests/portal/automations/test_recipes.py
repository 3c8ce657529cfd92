"""Each recipe, filled in as it says, does what it promises: from what sets it off to the text."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db.models.functions import Now
from django.test import Client

from integrations.connections.models import Connection
from messaging.automations import building, hooks, looking
from messaging.automations.events import report_event
from messaging.automations.flow import read
from messaging.automations.models import Automation, Run, RunStep
from messaging.automations.publishing import publish
from messaging.automations.recipes import every_recipe, find, use
from messaging.contacts.models import AttributeDefinition
from messaging.happenings.models import Happening
from messaging.outgoing.keeping import make_secret
from messaging.sending.models import Message
from messaging.sending.transitions import Move, advance
from messaging.verification import life
from messaging.verification.models import Verification
from portal.forms.models import PublicForm
from portal.forms.submitting import submit
from tests.conftest import Cast
from tests.factories import ContactFactory, MessageFactory
from tests.messaging.automations.conftest import carry_on
from tests.messaging.outgoing.receiver import Receiver, receiving
from tests.messaging.verification.conftest import own_code_of, wrong
from tests.portal.forms.conftest import PHONE, enter, form, plain, published

__all__ = ["form", "plain", "published"]
pytestmark = pytest.mark.django_db


def begin(cast: Cast, key: str) -> Automation:
    recipe = find(key)
    assert recipe is not None
    return use(recipe, cast.organization, name=recipe.title, actor=cast.owner)


def fill_in(automation: Automation, card: str = "", **settings: Any) -> None:
    """Set what a card of the recipe lacks, as its panel does."""
    flow, shown = read(automation.draft), automation.draft_number
    if not card:
        building.configure_trigger(automation, settings={**flow.trigger_settings, **settings}, shown=shown)
        return
    node = flow.find(card)
    assert node is not None
    building.configure_step(automation, card, settings={**node.settings, **settings}, shown=shown)


def call(cast: Cast, automation: Automation, body: Any) -> int:
    secret = hooks.make_secret(automation, actor=cast.owner)
    headers = {"Authorization": f"Bearer {secret}"}
    address = f"/hooks/automations/{hooks.hook_of(automation).key}"
    return Client().post(address, json.dumps(body), content_type="application/json", headers=headers).status_code


def let_waits_be_over() -> None:
    """Let what runs wait for be over: in the row, and in what the step remembers of it."""
    for step in RunStep.objects.filter(kind="wait", ended_at=None):
        step.memory["until"] = step.started_at.isoformat()
        step.save(update_fields=["memory"])
    Run.objects.filter(status="waiting").update(due_at=Now())
    carry_on()


def texts() -> list[tuple[str, str]]:
    return list(Message.objects.order_by("id").values_list("phone", "body"))


def test_every_recipe_is_done_here() -> None:
    assert {recipe.key for recipe in every_recipe()} == {
        "orders", "threshold", "appointment", "two_factor", "welcome", "win_back",
    }  # fmt: skip


def test_orders_are_told_by_their_status(cast: Cast, connection: Connection) -> None:
    automation = begin(cast, "orders")
    publish(automation, actor=cast.owner)
    order = {"order_id": "4711", "phone": "+49 1511 2345678"}
    assert call(cast, automation, {**order, "status": "received"}) == 202
    assert call(cast, automation, {**order, "status": "Shipped", "tracking_url": "https://dhl.example/7"}) == 202
    assert call(cast, automation, {**order, "status": "delivered"}) == 202
    assert call(cast, automation, {**order}) == 422
    carry_on()
    assert [phone for phone, _ in texts()] == ["+4915112345678"] * 3
    assert [body for _, body in texts()] == [
        "Thank you! We have your order 4711 and tell you when it leaves.",
        "Your order 4711 is on its way: https://dhl.example/7",
        "Your order 4711 was delivered. Enjoy it!",
    ]


def test_an_alert_goes_to_the_numbers_on_duty_once(cast: Cast, connection: Connection) -> None:
    automation = begin(cast, "threshold")
    fill_in(automation, value_path="t", limit=30, subject_path="sensor")
    fill_in(automation, "n1", numbers="+4915112345678, +4915187654321")
    publish(automation, actor=cast.owner)
    for number in (29, 31.5, 20, 33):
        assert call(cast, automation, {"t": number, "sensor": "cellar"}) == 202
    carry_on()
    alert = "Alert: cellar reads 31.5. Please look after it."
    assert texts() == [("+4915112345678", alert), ("+4915187654321", alert)]


def test_an_appointment_is_reminded_of_a_day_before(cast: Cast, connection: Connection) -> None:
    AttributeDefinition.objects.create(organization=cast.organization, key="visit", label="Visit", kind="moment")
    automation = begin(cast, "appointment")
    fill_in(automation, attribute="visit")
    publish(automation, actor=cast.owner)
    soon = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=24, seconds=30)
    for name, at in (("Anna Schmidt", soon), ("Ben", soon + timedelta(hours=3))):
        ContactFactory(organization=cast.organization, name=name, attributes={"visit": at.isoformat()})
    Automation.objects.update(next_look_at=Now())
    assert looking.look_all() == 1
    run = Run.objects.get()
    assert run.due_at == soon - timedelta(hours=24)
    Run.objects.update(due_at=Now())
    carry_on()
    ((phone, body),) = texts()
    assert phone == run.phone and body.startswith(f"Hello Anna, we see you {run.data['trigger']['date']}.")


@pytest.fixture
def receiver(settings: Any) -> Iterator[Receiver]:
    settings.OUTGOING_WEBHOOKS_ALLOW = frozenset({"127.0.0.1"})
    with receiving() as running:
        yield running


@pytest.mark.parametrize("is_right", [True, False])
def test_an_application_hears_whether_the_code_was_right(
    cast: Cast, connection: Connection, receiver: Receiver, is_right: bool
) -> None:
    automation = begin(cast, "two_factor")
    make_secret(cast.organization, actor=cast.owner)
    for card, path in (("n2", "yes"), ("n3", "no")):
        fill_in(automation, card, url=receiver.url.replace("/hook", f"/{path}"))
    publish(automation, actor=cast.owner)
    report_event(cast.organization, name="login", data={"user": "4711"}, phone=PHONE)
    carry_on()
    code = own_code_of(PHONE)
    for _ in range(1 if is_right else 5):
        life.check(Verification.objects.get(), code=code if is_right else wrong(code))
    carry_on()
    assert Run.objects.get().status == "done"
    ((_, path, _, body),) = receiver.calls
    assert path.startswith("/yes" if is_right else "/no")
    told = json.loads(body)["data"]
    assert told["trigger"]["data"] == {"user": "4711"} and code not in body.decode()
    assert told["n1"]["status"] == ("approved" if is_right else "max_attempts")


def test_who_sends_a_form_is_welcomed_a_minute_later(cast: Cast, connection: Connection, plain: PublicForm) -> None:
    automation = begin(cast, "welcome")
    fill_in(automation, form=str(plain.pk), any_number=True)
    publish(automation, actor=cast.owner)
    submit(enter(plain))
    carry_on()
    run = Run.objects.get()
    assert texts() == [] and run.due_at - run.steps.get().started_at == timedelta(minutes=1)
    let_waits_be_over()
    thanks = f"Hello Ada, thank you for writing to {cast.organization.name}. We are glad that you are here."
    assert texts() == [(PHONE, thanks)]


def test_who_was_not_reached_is_marked_and_written_to_once_more(cast: Cast, connection: Connection) -> None:
    publish(begin(cast, "win_back"), actor=cast.owner)
    contact = ContactFactory(organization=cast.organization, phone=PHONE, name="Anna Schmidt")
    values = {"organization": cast.organization, "connection": connection, "contact": contact, "phone": PHONE}
    lost = MessageFactory(**values, status="accepted")
    advance([Move(message_id=lost.pk, to="undelivered", source="callback", error_code=30003)])
    carry_on()
    let_waits_be_over()
    again = Message.objects.exclude(pk=lost.pk).get()
    assert again.body.startswith("Hello Anna, a message from us did not reach you.")
    assert [tag.name for tag in contact.tags.all()] == ["Delivery failed"]
    Message.objects.filter(pk=again.pk).update(status="accepted")
    advance([Move(message_id=again.pk, to="undelivered", source="callback", error_code=30003)])
    carry_on()
    assert Happening.objects.filter(heard_at=None).count() == 0
    assert Run.objects.latest("id").reason == "loop" and Message.objects.count() == 2
