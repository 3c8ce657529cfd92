"""Automations and their runs by the API: lists, one run with its steps, a new try, a stop; strangers and scopes."""

import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from integrations.connections.models import Connection
from integrations.organizations.models import AuditEntry
from messaging.automations.models import Automation, AutomationVersion, Run, RunMessage, RunStep
from messaging.automations.registry import _triggers, register_triggers
from tests.conftest import Cast
from tests.factories import ContactFactory, MessageFactory
from tests.messaging.automations.conftest import TestTrigger

from .conftest import Caller, problem_of

OURS = "+4915112345678"
OTHER = uuid.UUID("0197c3f0-0000-7000-8000-000000000001")
FLOW = {
    "trigger": {"kind": "test", "settings": {}},
    "nodes": [{"id": "n1", "kind": "stop", "settings": {}}],
    "count": 1,
}


@pytest.fixture(autouse=True)
def trigger_of_tests() -> Iterator[None]:
    register_triggers([TestTrigger()])
    yield
    _triggers.pop("test")


def made(organization: Any, name: str = "Welcome") -> Automation:
    automation = Automation.objects.create(organization=organization, name=name, draft=FLOW)
    version = AutomationVersion.objects.create(automation=automation, number=3, flow=FLOW)
    Automation.objects.filter(pk=automation.pk).update(live=version, status="live")
    automation.refresh_from_db()
    return automation


def a_run(automation: Automation, key: str = "1", **values: Any) -> Run:
    return Run.objects.create(
        organization=automation.organization,
        automation=automation,
        version=automation.live,
        key=key,
        position="n1",
        due_at=timezone.now() + timedelta(hours=1),
        **values,
    )


def test_automations_are_listed_in_pages(api: Caller, cast: Cast) -> None:
    for name in ("First", "Second", "Third"):
        made(cast.organization, name)
    made(cast.other, "Yonder")
    first = api.get("automations?limit=2").json()
    assert [item["name"] for item in first["items"]] == ["Third", "Second"]
    assert first["items"][0]["version"] == 3 and first["items"][0]["trigger"] == "Test"
    second = api.get(f"automations?limit=2&cursor={first['next']}").json()
    assert ([item["name"] for item in second["items"]], second["next"]) == (["First"], None)
    assert api.get("automations?status=archived").json()["items"] == []
    problem_of(api.get("automations?state=live"), 422, "validation_failed")


def test_runs_are_listed_and_narrowed(api: Caller, cast: Cast) -> None:
    automation = made(cast.organization)
    a_run(automation, "1", status="failed", reason="no_luck", detail="It did not work.", ended_at=timezone.now())
    a_run(automation, "2", phone=OURS)
    told = api.get(f"automations/{automation.pk}/runs").json()["items"]
    assert [(run["status"], run["to"], run["reason"]) for run in told] == [
        ("waiting", OURS, None),
        ("failed", None, "no_luck"),
    ]
    assert told[0]["due_at"] and told[1]["due_at"] is None
    assert len(api.get(f"automations/{automation.pk}/runs?status=failed").json()["items"]) == 1


def test_run_tells_what_its_steps_brought_and_no_secret(api: Caller, cast: Cast, connection: Connection) -> None:
    contact = ContactFactory(organization=cast.organization, phone=OURS)
    data = {"trigger": {"user": "4711", "login": {"password": "hunter2"}}, "nodes": {}}
    run = a_run(made(cast.organization), contact=contact, phone=OURS, data=data)
    step = RunStep.objects.create(
        run=run,
        ordinal=1,
        node="n1",
        kind="stop",
        memory={"verification": str(OTHER)},
        output={"n": 1},
        started_at=timezone.now(),
    )
    message = MessageFactory(organization=cast.organization, connection=connection, phone=OURS, status="delivered")
    RunMessage.objects.create(run=run, step=step, key=OURS, message=message)
    told = api.get(f"automations/runs/{run.pk}").json()
    assert told["trigger"] == {"user": "4711", "login": {"password": "•••••"}}
    assert (told["version"], told["contact"], told["to"]) == (3, str(contact.pk), OURS)
    [shown] = told["steps"]
    assert (shown["node"], shown["title"], shown["output"]) == ("n1", "Stop", {"n": 1})
    assert shown["verification"] == str(OTHER)
    assert shown["messages"] == [{"message": str(message.pk), "status": "delivered", "reason": None, "detail": None}]


def test_failed_run_is_tried_again_once(api: Caller, cast: Cast) -> None:
    run = a_run(made(cast.organization), status="failed", ended_at=timezone.now())
    assert api.post(f"automations/runs/{run.pk}/retry").json()["status"] == "waiting"
    problem = problem_of(api.post(f"automations/runs/{run.pk}/retry"), 409, "run_state")
    assert "waiting" in problem["detail"]
    assert "API key" in AuditEntry.objects.get(action="automation.run_retried").actor_label


def test_waiting_run_is_stopped_and_stays_so(api: Caller, cast: Cast) -> None:
    run = a_run(made(cast.organization))
    for _ in range(2):
        assert api.post(f"automations/runs/{run.pk}/stop").json()["status"] == "stopped"
    Run.objects.update(status="done")
    problem_of(api.post(f"automations/runs/{run.pk}/stop"), 409, "run_state")


def test_strangers_and_keys_without_the_scope_get_nothing(cast: Cast, make_caller: Callable[..., Caller]) -> None:
    theirs = made(cast.other)
    run, api = a_run(theirs), make_caller()
    for method, path in (
        ("GET", f"automations/{theirs.pk}/runs"),
        ("GET", f"automations/runs/{run.pk}"),
        ("POST", f"automations/runs/{run.pk}/retry"),
        ("POST", f"automations/runs/{run.pk}/stop"),
    ):
        problem_of(api.call(method, path), 404, "not_found")
    mine = a_run(made(cast.organization))
    reader = make_caller("automations:read")
    assert reader.get(f"automations/runs/{mine.pk}").status_code == 200
    problem_of(reader.post(f"automations/runs/{mine.pk}/stop"), 403, "missing_scope")
