"""What cannot be read, or breaks, harms itself alone: never the runs of others, and never without a word."""

from typing import Any

import pytest
from django.db.models.functions import Now

from messaging.automations import hearing, looking
from messaging.automations.base import Done, Outcome, Step
from messaging.automations.models import Automation, AutomationVersion, Run
from messaging.automations.registry import _triggers
from messaging.happenings.models import Happening
from messaging.happenings.telling import tell
from tests.conftest import Cast

from .conftest import ActNode, MakeAutomation, TestTrigger, begin, carry_on, spec

pytestmark = pytest.mark.django_db

UNREADABLE: dict[str, Any] = {"trigger": {"kind": "test"}, "nodes": [{"id": "step-1"}]}


def spoil(automation: Automation) -> None:
    """Let the live version be one that this version of the product cannot read."""
    AutomationVersion.objects.filter(pk=automation.live_id).update(flow=UNREADABLE)


class _Breaks(TestTrigger):
    """Breaks for settings that have `breaks`, both where it hears and where it looks."""

    __test__ = False
    looks = True

    def starts(self, organization: Any, settings: Any, heard: Any) -> Any:
        if settings.get("breaks"):
            raise KeyError("breaks")
        return super().starts(organization, settings, heard)

    def look(self, automation: Any, settings: Any, *, now: Any) -> Any:
        if settings.get("breaks"):
            raise KeyError("breaks")
        return super().look(automation, settings, now=now)


def break_trigger(automation: Automation) -> None:
    flow = {**automation.live.flow, "trigger": {"kind": "test", "settings": {"breaks": True}}}  # type: ignore[union-attr]
    AutomationVersion.objects.filter(pk=automation.live_id).update(flow=flow)


@pytest.fixture
def breaking(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(_triggers, "test", _Breaks())


@pytest.mark.parametrize("poison", [spoil, break_trigger])
def test_an_automation_that_cannot_hear_keeps_nobody_else_from_hearing(
    cast: Cast, automation: MakeAutomation, breaking: None, poison: Any
) -> None:
    bad, good = automation(spec("n1"), name="Bad"), automation(spec("n1"), name="Good")
    poison(bad)
    tell(cast.organization.pk, "test.thing", phone="+4915112345678", data={"n": 1})
    assert hearing.hear_all() == 1
    assert Run.objects.get(automation=good).status == "waiting"
    assert not Happening.objects.filter(heard_at=None).exists()
    lost = Run.objects.get(automation=bad)
    assert (lost.status, lost.reason, lost.phone) == ("skipped", "internal", "+4915112345678")
    assert "Publish" in lost.detail and lost.data["trigger"] == {"n": 1}


@pytest.mark.parametrize("poison", [spoil, break_trigger])
def test_an_automation_that_cannot_look_keeps_nobody_else_from_looking(
    automation: MakeAutomation, breaking: None, monkeypatch: pytest.MonkeyPatch, poison: Any
) -> None:
    bad, good = automation(spec("n1"), name="Bad"), automation(spec("n1"), name="Good")
    poison(bad)
    Automation.objects.filter(pk=bad.pk).update(next_look_at="2026-01-01T00:00:00Z")
    Automation.objects.filter(pk=good.pk).update(next_look_at="2026-01-02T00:00:00Z")
    looking.look_all()
    good.refresh_from_db()
    assert good.next_look_at is None
    lost = Run.objects.get(automation=bad)
    assert (lost.status, lost.reason) == ("skipped", "internal") and "Publish" in lost.detail
    assert Automation.objects.filter(pk=bad.pk, next_look_at__gt=Now()).exists()  # it is looked at again, later
    Automation.objects.filter(pk=bad.pk).update(next_look_at=Now())
    looking.look_all()
    assert Run.objects.filter(automation=bad).count() == 1  # told once an hour, not each time


def test_a_run_whose_version_cannot_be_read_fails_alone(automation: MakeAutomation) -> None:
    bad, good = automation(spec("n1"), name="Bad"), automation(spec("n1"), name="Good")
    runs = [begin(bad, "1"), begin(good, "1")]
    spoil(bad)
    carry_on()
    lost, done = (Run.objects.get(pk=run.pk) for run in runs if run is not None)
    assert done.status == "done"
    assert (lost.status, lost.reason) == ("failed", "internal") and "Try the step again" in lost.detail


@pytest.mark.parametrize("kind", ["act", "outside"])
@pytest.mark.parametrize("poison", [{"text": "a\x00b"}, {"number": float("nan")}, {"what": {1, 2}}, {"\ud800": 1}])
def test_an_output_that_cannot_be_stored_fails_its_own_run_and_no_other(
    automation: MakeAutomation, monkeypatch: pytest.MonkeyPatch, kind: str, poison: Any
) -> None:
    from . import conftest

    def act(step: Step) -> Outcome:
        return Done(poison if step.run.automation.name == "Bad" else {})

    monkeypatch.setattr(conftest, "act", act)
    assert ActNode.key == "act"
    bad, good = automation(spec("n1", kind=kind), name="Bad"), automation(spec("n1", kind=kind), name="Good")
    runs = [begin(bad, "1"), begin(good, "1")]
    carry_on()
    lost, done = (Run.objects.get(pk=run.pk) for run in runs if run is not None)
    assert done.status == "done"
    assert (lost.status, lost.reason) == ("failed", "internal")
    step = lost.steps.get()
    assert (step.status, step.reason, step.output) == ("failed", "internal", {})
