"""Many checks of one code at once: exactly one wins, and nobody gets more tries than there are."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection as database

from integrations.connections.models import Connection
from integrations.sandbox.credentials import SandboxCredentials
from messaging.verification import life
from messaging.verification.models import Verification
from messaging.verification.refusals import VerificationRefused
from tests.conftest import Cast
from tests.plugins.sandbox import SandboxServer

from .conftest import PHONE, VISITOR, code_in, own_code_of, wrong

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(count: int, act: Callable[[], Any]) -> list[Any]:
    """Do something in many threads at the same moment, and return what each returned or was refused with."""
    start, found = threading.Barrier(count), []

    def run() -> None:
        start.wait()
        try:
            found.append(act())
        except VerificationRefused as refused:
            found.append(refused)
        finally:
            database.close()

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def checks_of(verification: Verification, code: str, count: int = 8) -> list[Any]:
    return at_once(count, lambda: life.check(Verification.objects.get(pk=verification.pk), code=code))


def test_of_checks_of_our_own_code_one_wins(cast: Cast, sender_only: Connection) -> None:
    verification = life.start(cast.organization, to=PHONE, asker=VISITOR)
    found = checks_of(verification, own_code_of())
    assert sum(one.approved for one in found) == 1
    verification.refresh_from_db()
    assert (verification.status, verification.checks) == ("approved", 1)


def test_wrong_codes_at_once_are_five_tries(cast: Cast, sender_only: Connection) -> None:
    verification = life.start(cast.organization, to=PHONE, asker=VISITOR)
    checks_of(verification, wrong(own_code_of()))
    verification.refresh_from_db()
    assert (verification.status, verification.checks) == ("max_attempts", 5)


def test_of_checks_by_twilio_one_wins(
    cast: Cast, in_sandbox: Connection, sandbox: SandboxServer, account: SandboxCredentials
) -> None:
    first = life.start(cast.organization, to=PHONE, asker=VISITOR)
    second = life.start(cast.organization, to=PHONE, asker=VISITOR)
    code = code_in(str(sandbox.control.phone(account.account_sid, PHONE)["messages"][-1]["body"]))
    pks = iter([first.pk, second.pk] * 3)
    lock = threading.Lock()

    def act() -> Any:
        with lock:
            pk = next(pks)
        return life.check(Verification.objects.get(pk=pk), code=code)

    found = at_once(6, act)
    assert sum(one.approved for one in found if isinstance(one, life.Checked)) == 1
    assert Verification.objects.filter(status="approved").count() == 1


def test_two_clicks_on_another_code_send_one(cast: Cast, sender_only: Connection, later: Callable[..., None]) -> None:
    verification = life.start(cast.organization, to=PHONE, asker=VISITOR)
    later(verification, seconds=31)
    found = at_once(4, lambda: life.resend(Verification.objects.get(pk=verification.pk), asker=VISITOR))
    assert sum(isinstance(one, Verification) for one in found) == 1
    verification.refresh_from_db()
    assert verification.sends == 2
