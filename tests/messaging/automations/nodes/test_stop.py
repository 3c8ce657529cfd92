"""Stop: the run ends here, also from inside a branch, and the page says by which step."""

import pytest

from messaging.automations.flow import NodeSpec
from messaging.contacts.models import Tag
from tests.messaging.automations.conftest import MakeAutomation, begin, carry_on, spec

from .conftest import RunNode

pytestmark = pytest.mark.django_db


def test_nothing_below_is_done_not_even_below_the_branch(automation: MakeAutomation) -> None:
    stopped = (NodeSpec("n2", "stop"), spec("n3"))
    fork = spec("n1", has_branches=True, branch="yes", branches={"yes": stopped, "no": ()})
    run = begin(automation(fork, spec("n4")))
    assert run is not None
    carry_on()
    run.refresh_from_db()
    assert (run.status, run.detail) == ("done", "Ended by the step Stop.")
    assert [step.node for step in run.steps.all()] == ["n1", "n2"] and run.ended_at is not None
    assert set(Tag.objects.values_list("name", flat=True)) == {"n1 1"}


def test_a_test_run_ends_there_too(try_node: RunNode) -> None:
    assert try_node("stop", {}).detail == "Ended by the step Stop."
