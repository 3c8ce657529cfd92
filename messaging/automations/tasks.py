"""Celery's side of automations: hear, look, carry on, act. A lost call costs a second; rows say what is to be done."""

import threading
from typing import Any

from celery import shared_task
from celery.signals import worker_shutting_down

from messaging.happenings.wake import HEAR, begin, call

from . import claiming, engine, hearing, hooks, looking, moves
from .models import Run
from .wake import OUTSIDE, QUICK, call_outside, call_quick

# How many threads of a process may do it at once: the others are for sending.
_hearing, _carrying, _acting = threading.Semaphore(1), threading.Semaphore(1), threading.Semaphore(2)


@shared_task(name=HEAR)
def hear() -> None:
    """Begin the runs that happenings set off."""
    begin(HEAR)
    if _hearing.acquire(blocking=False):
        try:
            hearing.hear_all()
        finally:
            _hearing.release()


@shared_task(name=QUICK)
def carry_on() -> None:
    """Carry on the runs that are due."""
    begin(QUICK)
    if _carrying.acquire(blocking=False):
        try:
            engine.work()
        finally:
            _carrying.release()


@shared_task(name=OUTSIDE)
def act() -> None:
    """Do the steps that wait for somebody outside."""
    begin(OUTSIDE)
    if _acting.acquire(blocking=False):
        try:
            engine.act()
        finally:
            _acting.release()


@shared_task(name="messaging.automations.sweep")
def sweep() -> None:
    """Let the triggers look that go by the clock, let go what a lost worker held, and call for what waits."""
    moves.release_lost()
    looking.look_all()
    if hearing.has_unheard():
        call(HEAR)
    if claiming.owners_with_due(Run.Lane.QUICK):
        call_quick()
    if claiming.owners_with_due(Run.Lane.OUTSIDE):
        call_outside()


@shared_task(name="messaging.automations.clean_up")
def clean_up() -> None:
    """Forget happenings that were heard long ago, and what triggers kept for long enough."""
    hearing.forget_heard()
    hooks.forget_old()


@worker_shutting_down.connect
def _claim_nothing_more(**_: Any) -> None:
    engine.begin_stop()
