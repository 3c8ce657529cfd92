"""Events by the API: told to automations of the name, once for each Idempotency-Key."""

from collections.abc import Callable
from typing import Any

import pytest

from integrations.organizations.scopes import EVENTS_WRITE, MESSAGES_WRITE
from messaging.automations import hearing
from messaging.automations.flow import Flow, read
from messaging.automations.models import Automation
from messaging.automations.publishing import create, publish
from messaging.automations.registry import trigger_of
from messaging.automations.scopes import scope_at
from messaging.automations.trigger_models import SeenEvent
from messaging.happenings.models import Happening
from tests.conftest import Cast
from tests.factories import ContactFactory
from tests.messaging.automations.conftest import kinds_of_tests, spec

from .conftest import Caller, field_of, problem_of

__all__ = ["kinds_of_tests"]
pytestmark = pytest.mark.django_db


@pytest.fixture
def automation(cast: Cast) -> Automation:
    flow = Flow("api_event", {"name": "order.shipped"}, (spec("n1"),), 1)
    made = create(cast.organization, name="Shipped", flow=flow, actor=cast.admin)
    publish(made, actor=cast.admin)
    return made


def begun(automation: Automation) -> list[dict[str, Any]]:
    hearing.hear_all()
    return [run.data["trigger"] for run in automation.runs.order_by("id")]


def test_an_event_begins_a_run_with_its_contact_and_data(cast: Cast, api: Caller, automation: Automation) -> None:
    contact = ContactFactory(organization=cast.organization, phone="+4930123456")
    event = {"name": "order.shipped", "to": "+49 30 123456", "data": {"order": {"no-1": 7}}}
    response = api.post("events", event)
    taken = response.json()
    assert response.status_code == 202
    assert (taken["name"], taken["is_listened_to"]) == ("order.shipped", True)
    assert begun(automation) == [{"event": "order.shipped", "phone": "+4930123456", "data": {"order": {"no_1": 7}}}]
    assert automation.runs.get().contact == contact
    api.post("events", {"name": "order.paid", "contact": str(contact.pk)})
    assert len(begun(automation)) == 1
    scope = scope_at(cast.organization, read(automation.draft), "n1", automation=automation)
    assert scope.field("trigger.data.order.no_1") is not None
    trigger = trigger_of("api_event")
    assert trigger is not None and "order.shipped" in trigger.form(scope=scope).fields["name"].help_text


def test_the_run_of_an_event_is_found_by_the_events_id(api: Caller, automation: Automation) -> None:
    event = {"name": "order.shipped", "data": {"n": 1}}
    first, second = (api.post("events", event).json()["id"] for _ in range(2))
    again = [api.post("events", event, **{"Idempotency-Key": "a"}).json()["id"] for _ in range(2)]
    assert len({first, second, *again}) == 3 and again[0] == again[1]
    runs = f"automations/{automation.pk}/runs?event="
    assert api.get(f"{runs}{second}").json()["items"] == [], "nobody has heard of it yet"
    assert len(begun(automation)) == 3
    found = [api.get(f"{runs}{one}").json()["items"] for one in (first, second, again[0])]
    assert [len(items) for items in found] == [1, 1, 1]
    assert [items[0]["id"] for items in found] == [str(run.pk) for run in automation.runs.order_by("id")]
    assert field_of(api.get(f"{runs}x")) == ("event", "bad_id")


def test_of_a_stranger_nobody_hears(stranger: Caller, automation: Automation) -> None:
    taken = stranger.post("events", {"name": "order.shipped"}).json()
    assert (taken["is_listened_to"], taken["id"]) == (False, None)
    assert begun(automation) == [] and not Happening.objects.exists()


def test_the_same_key_is_one_event(api: Caller, automation: Automation) -> None:
    event = {"name": "order.shipped", "data": {"n": 1}}
    for _ in range(2):
        assert api.post("events", event, **{"Idempotency-Key": "a"}).status_code == 202
    problem_of(api.post("events", {"name": "order.shipped"}, **{"Idempotency-Key": "a"}), 409, "idempotency_key_reused")
    api.post("events", event), api.post("events", event)
    assert len(begun(automation)) == 3


def test_it_needs_its_scope(make_caller: Callable[..., Caller], automation: Automation) -> None:
    problem_of(make_caller(MESSAGES_WRITE).post("events", {"name": "order.shipped"}), 403, "missing_scope")
    assert make_caller(EVENTS_WRITE).post("events", {"name": "order.shipped"}).status_code == 202


@pytest.mark.parametrize(
    ("event", "field", "code"),
    [
        ({}, "name", "required"), ({"name": "Order Shipped"}, "name", "bad_format"),
        ({"name": "x" * 61}, "name", "too_long"),
        ({"name": "a", "to": "12"}, "to", "too_short"), ({"name": "a", "data": [1]}, "data", "not_an_object"),
        ({"name": "a", "contact": "019508a7-3f00-7c3e-9d52-0a4f6b1c2d3e"}, "contact", "unknown"),
        ({"name": "a", "contact": "x"}, "contact", "bad_id"), ({"name": "a", "more": 1}, "more", "unknown_field"),
        ({"name": "a", "data": {"text": "x" * 70_000}}, "data", "too_long"),
    ],
)  # fmt: skip
def test_bad_input_is_named(api: Caller, event: dict[str, Any], field: str, code: str) -> None:
    assert field_of(api.post("events", event)) == (field, code)


def test_a_contact_of_others_does_not_exist_and_both_are_too_much(cast: Cast, api: Caller) -> None:
    theirs = ContactFactory(organization=cast.other)
    assert field_of(api.post("events", {"name": "a", "contact": str(theirs.pk)})) == ("contact", "unknown")
    both = {"name": "a", "to": "+4930123456", "contact": str(theirs.pk)}
    assert field_of(api.post("events", both)) == ("contact", "not_both")


def test_names_are_remembered_up_to_a_number(
    cast: Cast, api: Caller, automation: Automation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("messaging.automations.events.MOST_NAMES", 2)
    for name in ("a", "b", "a", "order.shipped"):
        assert api.post("events", {"name": name}).status_code == 202
    assert set(SeenEvent.objects.values_list("name", flat=True)) == {"a", "b"}
    assert len(begun(automation)) == 1


def test_the_panel_says_how_a_program_reports_it(cast: Cast, automation: Automation) -> None:
    page = cast.client("owner").get(cast.url(f"automations/{automation.pk}/steps/trigger/")).content.decode()
    assert "/api/v1/events" in page and "You make it under API keys." in page
