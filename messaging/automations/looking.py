"""Triggers that go by the clock: schedules, and dates that contacts carry. Who is to look when stands in the row."""

import uuid
from datetime import timedelta

import structlog
from django.db import InterfaceError, OperationalError, transaction
from django.db.models.functions import Now

from integrations.clock import database_now
from integrations.organizations.models import Organization

from .base import Start
from .flow import read
from .models import Automation
from .registry import trigger_of
from .starting import BROKEN, start_runs

log = structlog.get_logger(__name__)

_AFTER_A_FAULT = timedelta(minutes=5)


def look_all() -> int:
    """Let every trigger look whose time has come; return how many looked."""
    # Of a suspended organization nothing begins: what waited for the end of it would all be done at once.
    due = Automation.objects.filter(
        status=Automation.Status.LIVE, next_look_at__lte=Now(), organization__status=Organization.Status.ACTIVE
    )
    return sum(_look_safely(pk) for pk in list(due.order_by("next_look_at").values_list("pk", flat=True)[:500]))


def _look_safely(pk: uuid.UUID) -> bool:
    """Let one look; a fault of its trigger is its own, and written down once an hour: it does again later."""
    try:
        return _look(pk)
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        log.exception("trigger_not_looked", automation=str(pk))
    with transaction.atomic():
        automation = _due(pk)
        if automation is not None:
            now = database_now()
            automation.next_look_at = now + _AFTER_A_FAULT
            automation.save(update_fields=["next_look_at"])
            start_runs(automation, [Start(key=f"look-{now:%Y%m%d%H}", reason="internal", detail=BROKEN)])
    return False


def _due(pk: uuid.UUID) -> Automation | None:
    return (
        Automation.objects.select_for_update(of=("self",), no_key=True, skip_locked=True)
        .select_related("live", "organization")
        .filter(pk=pk, status=Automation.Status.LIVE, next_look_at__lte=Now())
        .first()
    )


def _look(pk: uuid.UUID) -> bool:
    with transaction.atomic():
        automation = _due(pk)
        if automation is None or automation.live is None:
            return False
        flow = read(automation.live.flow)
        trigger = trigger_of(flow.trigger)
        if trigger is None or not trigger.looks:
            automation.next_look_at = None
            automation.save(update_fields=["next_look_at"])
            return False
        starts, again = trigger.look(automation, flow.trigger_settings, now=database_now())
        automation.next_look_at = again
        automation.save(update_fields=["next_look_at", "looked_until"])
        if starts:
            start_runs(automation, starts)
    return True
