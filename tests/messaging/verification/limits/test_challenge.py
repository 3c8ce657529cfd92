"""The task of a form that looks attacked, and the wait of those without scripts: signed, single use, for minutes."""

import base64
import hashlib
import threading
import uuid
from datetime import timedelta

import pytest
from django.db import connection as database

from messaging.verification import challenge
from messaging.verification.askers import Asker
from messaging.verification.limit_models import SpentProof
from messaging.verification.limit_tasks import forget
from tests.conftest import Cast
from tests.messaging.verification.limits.street import FORM, Street, german

pytestmark = pytest.mark.django_db

ASKER = Asker("form", FORM, "203.0.113.7")


def solve(task: challenge.Challenge) -> str:
    """Do what the script does, with nothing but what stands in the page."""
    salt, target, most, signature = task.text.split(":")
    for number in range(int(most)):
        if hashlib.sha256(f"{salt}{number}".encode()).hexdigest() == target:
            return f"{salt}:{number}:{signature}"
    raise AssertionError("no number fits")


def test_solved_task_is_good_once(cast: Cast, street: Street) -> None:
    answer = solve(challenge.make(cast.organization, ASKER))
    assert challenge.solved(answer, asker=ASKER)
    assert not challenge.solved(answer, asker=ASKER)


def test_task_is_good_for_its_form_and_for_minutes(cast: Cast, street: Street) -> None:
    answer = solve(challenge.make(cast.organization, ASKER))
    assert not challenge.solved(answer, asker=Asker("form", uuid.UUID(int=2)))
    assert not challenge.solved(answer, asker=Asker("portal", FORM))
    street.forward(minutes=11)
    assert not challenge.solved(answer, asker=ASKER)
    street.forward(minutes=-5)
    assert challenge.solved(answer, asker=Asker("form", FORM, "198.51.100.1")), "a telephone may change its network"


@pytest.mark.parametrize(
    "tamper",
    [
        lambda salt, number, signature: f"{salt}:{number + 1}:{signature}",
        lambda salt, number, signature: f"{int(salt.split('.')[0]) + 99999}.{salt.split('.')[1]}:{number}:{signature}",
        lambda salt, number, signature: f"{salt}:{number}:{signature[::-1]}",
        lambda salt, number, signature: f"{salt}:{number}",
        lambda salt, number, signature: f"{salt}:٣:{signature}",
        lambda salt, number, signature: "",
        lambda salt, number, signature: "::",
        lambda salt, number, signature: "ü" * 5000,
    ],
)
def test_tampered_answer_is_none(cast: Cast, street: Street, tamper: object) -> None:
    salt, number, signature = solve(challenge.make(cast.organization, ASKER)).split(":")
    assert not challenge.solved(tamper(salt, int(number), signature), asker=ASKER)  # type: ignore[operator]
    assert not SpentProof.objects.exists()


def test_wait_is_over_after_its_time_once_and_from_the_same_network(cast: Cast, street: Street) -> None:
    token = challenge.waiting_token(ASKER)
    assert 19 <= challenge.seconds_to_wait(token) <= 21
    assert not challenge.waited(token, asker=ASKER)
    street.forward(seconds=22)
    assert challenge.seconds_to_wait(token) == 0
    assert not challenge.waited(token, asker=Asker("form", FORM, "198.51.100.1"))
    assert not challenge.waited(token, asker=Asker("form", uuid.UUID(int=2), ASKER.ip))
    assert not challenge.waited(token.replace(".", "x."), asker=ASKER)
    assert not challenge.waited("", asker=ASKER)
    assert challenge.waited(token, asker=Asker("form", FORM, "203.0.113.99"))
    assert not challenge.waited(token, asker=ASKER)
    late = challenge.waiting_token(ASKER)
    street.forward(minutes=11)
    assert not challenge.waited(late, asker=ASKER)


def test_task_is_needed_only_where_a_form_looks_attacked_and_heavier_under_the_brake(
    cast: Cast, street: Street
) -> None:
    asker = Asker("form", FORM, "198.51.100.1")
    assert not challenge.is_needed(cast.organization, asker)
    light = challenge.make(cast.organization, asker).most
    for number in range(16):
        street.ask(german(number))
    assert challenge.is_needed(cast.organization, asker)
    assert not challenge.is_needed(cast.other, asker)
    assert not challenge.is_needed(cast.organization, Asker("form", uuid.UUID(int=2), asker.ip))
    assert not challenge.is_needed(cast.organization, Asker("api", FORM))
    for number in range(16, 31):
        street.ask(german(number))
    assert challenge.make(cast.organization, asker).most == 4 * light


def test_spent_proofs_are_forgotten_when_they_are_worth_nothing(cast: Cast) -> None:
    street_answer = solve(challenge.make(cast.organization, ASKER))
    assert challenge.solved(street_answer, asker=ASKER)
    forget()
    assert SpentProof.objects.count() == 1
    SpentProof.objects.update(expires_at=SpentProof.objects.get().expires_at - timedelta(minutes=20))
    forget()
    assert not SpentProof.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_of_parallel_uses_exactly_one_counts(cast: Cast) -> None:
    answer = solve(challenge.make(cast.organization, ASKER))
    barrier, results = threading.Barrier(6), []

    def go() -> None:
        try:
            barrier.wait()
            results.append(challenge.solved(answer, asker=ASKER))
        finally:
            database.close()

    threads = [threading.Thread(target=go) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == [False] * 5 + [True]


def test_a_made_up_wait_is_none_however_deep_it_is_nested() -> None:
    nested = base64.urlsafe_b64encode(b"[" * 100_000).decode()
    assert challenge.seconds_to_wait(f"{nested}.x") == 0
