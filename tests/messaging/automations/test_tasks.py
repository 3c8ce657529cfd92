"""What a lost call costs: a second, until the sweep looks."""

import pytest
from django.db.models.functions import Now

from messaging.automations import tasks
from messaging.automations.models import Run
from messaging.happenings import wake
from messaging.happenings.telling import tell
from tests.conftest import Cast

from .conftest import MakeAutomation, begin, carry_on, spec

pytestmark = pytest.mark.django_db


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    names: list[str] = []
    monkeypatch.setattr(tasks, "call", names.append)
    monkeypatch.setattr("messaging.automations.wake.call", names.append)
    return names


def test_a_quiet_installation_calls_nobody(called: list[str], automation: MakeAutomation) -> None:
    automation(spec("n1"))
    tasks.sweep()
    assert called == []


def test_the_sweep_calls_for_what_waits(called: list[str], automation: MakeAutomation, cast: Cast) -> None:
    made = automation(spec("n1", kind="outside"))
    assert tell(cast.organization.pk, "test.thing")
    tasks.sweep()
    assert called == [wake.HEAR]
    called.clear()
    begin(made)
    tasks.sweep()
    assert called == [wake.HEAR, tasks.QUICK]
    carry_on()
    Run.objects.update(status="waiting", lane=Run.Lane.OUTSIDE, position="n1", due_at=Now())
    called.clear()
    tasks.sweep()
    assert called == [tasks.OUTSIDE]
