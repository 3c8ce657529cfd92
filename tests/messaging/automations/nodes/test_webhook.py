"""Outgoing webhook: what is sent, what is tried again, and what is never called."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db.models.functions import Now
from django.utils import timezone

from integrations.body_signatures import sign
from messaging.automations import engine
from messaging.automations.models import Run
from messaging.contacts.models import Contact
from messaging.outgoing.keeping import make_secret, secrets_of
from messaging.outgoing.models import OutgoingSecret
from tests.conftest import Cast
from tests.messaging.automations.conftest import carry_on
from tests.messaging.outgoing.receiver import Receiver, receiving

from .conftest import Problems, RunNode, step_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def receiver(settings: Any, cast: Cast) -> Iterator[Receiver]:
    settings.OUTGOING_WEBHOOKS_ALLOW = frozenset({"127.0.0.1"})
    make_secret(cast.organization, actor=cast.admin)
    with receiving() as running:
        yield running


def test_everything_or_some_of_it_is_sent(run_node: RunNode, receiver: Receiver, contact: Contact) -> None:
    step = run_node("webhook_out", {"url": receiver.url}, contact=contact, data={"order": "A-7"})
    assert step.status == "done" and step.output == {"status": 200, "answer": {"ticket": {"id": 7}}}
    assert step.input == {"call": "POST 127.0.0.1", "sent": "everything"}
    _, _, headers, body = receiver.calls[0]
    sent = json.loads(body)
    assert headers["Idempotency-Key"] == sent["id"] == str(step.pk) and sent["data"]["trigger"] == {"order": "A-7"}
    assert sent["data"]["contact"]["name"] == "Anna Schmidt" and sent["automation"]["name"] == "Of webhook_out 1"
    some = {"url": receiver.url, "method": "PUT", "what": "some", "fields": ["trigger.order", "trigger.total"]}
    run_node("webhook_out", some, key="2", data={"order": "A-7"})
    method, _, _, body = receiver.calls[1]
    assert method == "PUT" and json.loads(body)["data"] == {"trigger.order": "A-7", "trigger.total": None}


def test_it_is_signed_by_the_secret_of_its_organization_and_the_former_one(
    run_node: RunNode, receiver: Receiver, cast: Cast
) -> None:
    make_secret(cast.other, actor=cast.stranger)
    make_secret(cast.organization, actor=cast.admin)
    run_node("webhook_out", {"url": receiver.url})
    _, _, headers, body = receiver.calls[0]
    at, _, signatures = headers["Heliograph-Signature"].partition(",")
    secrets = secrets_of(cast.organization)
    assert len(secrets) == 2
    assert f"{at},{signatures}" == sign(body, secrets=secrets, at=int(at.removeprefix("t=")))


def test_without_a_secret_nothing_is_called(run_node: RunNode, receiver: Receiver) -> None:
    OutgoingSecret.objects.update(secret="")
    step = run_node("webhook_out", {"url": receiver.url})
    assert (step.status, step.reason, receiver.calls) == ("failed", "no_secret", [])


def test_what_is_larger_than_a_call_may_be_is_not_sent(run_node: RunNode, receiver: Receiver) -> None:
    step = run_node("webhook_out", {"url": receiver.url}, data={f"f{n}": "x" * 1_900 for n in range(140)})
    assert (step.status, step.reason, receiver.calls) == ("failed", "too_large", [])


def test_what_may_work_later_is_tried_again_under_the_same_key(run_node: RunNode, receiver: Receiver) -> None:
    receiver.status, receiver.headers = 503, {"Retry-After": "120"}
    step = run_node("webhook_out", {"url": receiver.url})
    run = Run.objects.get()
    assert (run.status, step.reason) == ("waiting", "http_503") and "status 503" in step.detail
    assert timedelta(seconds=100) < run.due_at - step.started_at < timedelta(seconds=140)
    receiver.status = 200
    Run.objects.update(due_at=Now() - timedelta(hours=1))
    carry_on()
    assert step_of(run).status == "done"
    assert len({headers["Idempotency-Key"] for _, _, headers, _ in receiver.calls}) == 1 and len(receiver.calls) == 2


@pytest.mark.parametrize("soon", ["0", "1"])
def test_a_service_that_says_soon_is_not_given_up_within_seconds(
    run_node: RunNode, receiver: Receiver, soon: str
) -> None:
    receiver.status, receiver.headers = 503, {"Retry-After": soon}
    run_node("webhook_out", {"url": receiver.url})
    pauses = []
    for _ in range(engine.MOST_ATTEMPTS - 1):
        pauses.append(Run.objects.get().due_at - timezone.now())
        Run.objects.update(due_at=Now())
        carry_on()
    assert Run.objects.get().status == "failed" and len(receiver.calls) == engine.MOST_ATTEMPTS
    assert pauses == sorted(pauses) and pauses[-1] > timedelta(minutes=30)


def test_the_page_tells_how_long_the_service_took(run_node: RunNode, receiver: Receiver) -> None:
    receiver.drips = 0.02
    step = run_node("webhook_out", {"url": receiver.url})
    assert step.ended_at is not None and step.ended_at - step.started_at > timedelta(seconds=0.3)


@pytest.mark.parametrize(("status", "reason"), [(400, "http_400"), (404, "http_404"), (302, "redirect")])
def test_what_will_not_work_fails_in_words(run_node: RunNode, receiver: Receiver, status: int, reason: str) -> None:
    receiver.status = status
    step = run_node("webhook_out", {"url": receiver.url})
    assert (step.status, step.reason) == ("failed", reason) and "s3cret" not in step.detail
    assert len(receiver.calls) == 1


@pytest.mark.parametrize(
    "body", [b'{"a": "x\\u0000y"}', b'{"a": "\\ud800"}', b'{"a": NaN}', b'{"a": 1e999}', b'{"\\ud800": 1}']
)
def test_an_answer_that_cannot_be_stored_is_called_for_once(run_node: RunNode, receiver: Receiver, body: bytes) -> None:
    receiver.body = body
    step = run_node("webhook_out", {"url": receiver.url})
    assert step.status == "done" and len(receiver.calls) == 1


def test_silence_is_tried_again_and_given_up(run_node: RunNode, receiver: Receiver) -> None:
    step = run_node("webhook_out", {"url": "http://127.0.0.1:1/"})
    assert step.reason == "no_answer"
    for _ in range(engine.MOST_ATTEMPTS):
        Run.objects.update(due_at=Now() - timedelta(hours=1))
        carry_on()
    step.refresh_from_db()
    assert step.status == "failed" and "Tried 6 times" in step.detail


def test_an_address_that_turned_private_is_not_called(
    run_node: RunNode, receiver: Receiver, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from messaging.outgoing import addresses

    monkeypatch.setattr(addresses.socket, "getaddrinfo", lambda *_, **__: [(2, 1, 6, "", ("10.0.0.1", 443))])
    step = run_node("webhook_out", {"url": "https://inside.example/"})
    assert (step.status, step.reason) == ("failed", "private_address")


def test_what_the_step_lacks_is_said(problems: Problems, cast: Cast) -> None:
    expected = [
        ({}, "Write the address to call."),
        ({"url": "https://10.0.0.1/"}, "private network"),
        ({"url": "http://example.com/"}, "Use https://"),
        ({"url": "https://example.com/{{ trigger.order }}"}, "no variables"),
        ({"url": "https://example.com/", "what": "some"}, "at least one field"),
        ({"url": "https://example.com/", "what": "some", "fields": ["trigger.gone"]}, "not known here any more"),
        ({"url": "https://example.com/"}, "Make the signing secret first"),
    ]
    for settings, sentence in expected:
        assert any(sentence in one for one in problems("webhook_out", settings)), settings
    make_secret(cast.other, actor=cast.stranger)
    assert problems("webhook_out", {"url": "https://example.com/"})
    make_secret(cast.organization, actor=cast.admin)
    assert problems("webhook_out", {"url": "https://example.com/"}) == []


def test_a_test_calls_nobody(try_node: RunNode, receiver: Receiver) -> None:
    step = try_node("webhook_out", {"url": receiver.url})
    assert step.status == "done" and not receiver.calls and "nothing is called" in step.input["in this test"]
