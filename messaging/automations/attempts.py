"""One try of a step: what the node returns, or the failure it amounts to.

A node is somebody’s class, of a wing above too. Whatever one raises that it should not is its own step’s failure, and
stands in the log; only what the database itself is short of is left to the turn.
"""

import json
import re
from datetime import datetime
from typing import Any

import structlog
from django.core.serializers.json import DjangoJSONEncoder
from django.db import InterfaceError, OperationalError, transaction

from messaging.happenings.telling import caused_by
from messaging.templates.rendering import MissingVariables, TemplateProblem

from .base import Done, Node, NodeFailed, Outcome, Step, TryLater

log = structlog.get_logger(__name__)

Result = Outcome | NodeFailed | TryLater
OURS = (
    "Something failed on our side. Try the step again; if it fails again, ask whoever runs this installation to look "
    "into the worker’s log."
)
# As JSON has them: what PostgreSQL stores in no text.
_UNSTORABLE = re.compile(r"(?<!\\)(?:\\\\)*\\u0000|[\ud800-\udfff]")


class ExactEncoder(DjangoJSONEncoder):
    """Times to the microsecond, by which due times are compared; Django's encoder cuts them."""

    def default(self, o: object) -> Any:
        return o.isoformat() if isinstance(o, datetime) else super().default(o)


class StepFailed(Exception):
    """A step failed that may have written something, and no savepoint was set."""


def attempt(node: Node, step: Step) -> Result:
    """Do a step and return what came of it; raises nothing but what the database is short of."""
    try:
        with caused_by(step.run.pk):
            result = node.rehearse(step) if step.is_test else node.run(step)
        return _storable(step, result)
    except (NodeFailed, TryLater) as failure:
        return failure
    except MissingVariables as missing:
        names = ", ".join(missing.names)
        return NodeFailed(
            "missing_value",
            f"There was no value for {names}. Write a fallback in the step, or see that what sets the automation off "
            "brings it; then try again.",
        )
    except TemplateProblem as problem:
        return NodeFailed("bad_text", str(problem))
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        log.exception("step_failed", run=str(step.run.pk), node=node.key)
        return NodeFailed("internal", OURS)


def attempt_here(node: Node, step: Step, *, is_careful: bool) -> Result:
    """Do a step in the turn's transaction; where it fails nothing of it stays."""
    result: Result
    if not node.writes:
        return attempt(node, step)
    if not is_careful:
        result = attempt(node, step)
        if isinstance(result, NodeFailed | TryLater):
            raise StepFailed
        return result
    try:
        with transaction.atomic():
            result = attempt(node, step)
            if isinstance(result, NodeFailed | TryLater):
                raise result
    except (NodeFailed, TryLater) as failure:
        return failure
    return result


def _storable(step: Step, result: Outcome) -> Result:
    """Return the result, or a failure where it could not be kept: it would break the turn of all others as well."""
    if not _can_be_kept(step.shown):
        step.shown = {}
    is_whole = _can_be_kept(step.memory)
    if not is_whole:
        step.memory = {}
    if is_whole and (not isinstance(result, Done) or _can_be_kept(result.output)):
        return result
    log.error("step_not_storable", run=str(step.run.pk), node=step.spec.kind)
    return NodeFailed("internal", OURS)


def _can_be_kept(values: Any) -> bool:
    if not values:
        return True
    try:
        raw = json.dumps(values, cls=ExactEncoder, allow_nan=False, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError):
        return False
    return _UNSTORABLE.search(raw) is None
