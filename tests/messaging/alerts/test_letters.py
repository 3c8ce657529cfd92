"""Letters about alerts: to owners and admins, each alert once, never knowingly twice."""

import smtplib
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail as outbox_of_tests
from django.core.mail.backends.locmem import EmailBackend
from django.db import connection as database
from django.utils import timezone

from integrations.connections.health import mark_broken
from integrations.connections.models import Connection
from messaging.alerts import mail
from messaging.alerts.models import Alert, AlertMail
from messaging.alerts.raising import clear_alert, raise_alert
from messaging.alerts.tasks import send_letters
from tests.conftest import Cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def raised(cast: Cast) -> Callable[..., Alert]:
    """Raise an alert that has waited for company."""

    def make(kind: str = "needs_person", *, text: str = "2 messages need a person.") -> Alert:
        raise_alert(cast.organization, kind=kind, text=text, link="/messages/?status=unknown")
        Alert.objects.filter(emailed_at=None).update(raised_at=timezone.now() - mail.GATHER_FOR)
        return Alert.objects.get(kind=kind)

    return make


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A mail server that fails as it is told: on `open`, or on `send`."""
    fails: dict[str, Any] = {}

    def open_(self: EmailBackend) -> None:
        if "open" in fails:
            raise fails["open"]

    send = EmailBackend.send_messages

    def send_messages(self: EmailBackend, messages: Any) -> int:
        if "send" in fails:
            raise fails["send"]
        return send(self, messages)

    monkeypatch.setattr(EmailBackend, "open", open_)
    monkeypatch.setattr(EmailBackend, "send_messages", send_messages)
    return fails


def sent() -> list[Any]:
    return outbox_of_tests.outbox


def test_owner_and_admin_get_one_letter_with_cause_remedy_and_link(
    cast: Cast, connection: Connection, settings: Any, django_capture_on_commit_callbacks: Any
) -> None:
    settings.PUBLIC_BASE_URL = "https://sms.example.com"
    with django_capture_on_commit_callbacks(execute=True):
        mark_broken(connection, code=20003)
    send_letters()
    assert not sent()  # it waits for company
    Alert.objects.update(raised_at=timezone.now() - mail.GATHER_FOR)
    send_letters()
    send_letters()
    assert sorted(letter.to[0] for letter in sent()) == ["Admin <admin@acme.example>", "Owner <owner@acme.example>"]
    letter = sent()[0]
    assert letter.subject == "Acme Logistics: Connection broken"
    assert "“Twilio” is broken" in letter.body
    assert "20003" in letter.body
    assert f"https://sms.example.com/o/acme/integration/twilio/{connection.pk}/" in letter.body
    assert "https://sms.example.com/o/acme/alerts/" in letter.body
    assert "(Europe/Berlin)" in letter.body
    assert "0123456789abcdef" not in letter.body
    assert Alert.objects.get().emailed_at is not None


def test_several_of_one_minute_share_a_letter(cast: Cast, raised: Callable[..., Alert]) -> None:
    raised()
    raised("queue_old", text="Messages have waited.")
    send_letters()
    assert len(sent()) == 2  # one for each reader
    assert sent()[0].subject == "Acme Logistics: 2 alerts"
    assert "Messages have waited." in sent()[0].body
    assert "2 messages need a person." in sent()[0].body


def test_what_cleared_meanwhile_needs_no_letter(cast: Cast, raised: Callable[..., Alert]) -> None:
    raised()
    clear_alert(cast.organization, kind="needs_person")
    send_letters()
    assert not sent()


def test_who_wants_none_may_not_sign_in_or_is_a_stranger_gets_none(cast: Cast, raised: Callable[..., Alert]) -> None:
    mail.set_wants_mail(cast.member("owner"), wants=False)
    cast.admin.is_active = False
    cast.admin.save()
    raised()
    send_letters()
    assert not sent()
    assert not AlertMail.objects.exists()
    assert Alert.objects.get().emailed_at is not None


def test_refused_connection_is_tried_again_with_growing_pauses(
    raised: Callable[..., Alert], server: dict[str, Any]
) -> None:
    server["open"] = ConnectionRefusedError()
    raised()
    send_letters()
    assert set(AlertMail.objects.values_list("outcome", "attempts")) == {("waiting", 1)}
    send_letters()
    assert set(AlertMail.objects.values_list("attempts", flat=True)) == {1}  # it waits
    AlertMail.objects.update(due_at=timezone.now())
    send_letters()
    later = AlertMail.objects.all()[0]
    assert later.attempts == 2
    assert later.due_at - timezone.now() > timedelta(seconds=100)
    server.clear()
    AlertMail.objects.update(due_at=timezone.now())
    send_letters()
    send_letters()
    assert len(sent()) == 2
    assert set(AlertMail.objects.values_list("outcome", "attempts")) == {("sent", 3)}


def test_letter_that_the_server_refuses_is_given_up_in_the_end(
    raised: Callable[..., Alert], server: dict[str, Any]
) -> None:
    server["send"] = smtplib.SMTPDataError(451, b"later")
    raised()
    for _ in range(12):
        AlertMail.objects.update(due_at=timezone.now())
        send_letters()
    assert set(AlertMail.objects.values_list("outcome", "attempts")) == {("given_up", 8)}


@pytest.mark.parametrize("error", [smtplib.SMTPServerDisconnected("gone"), TimeoutError("timed out")])
def test_letter_that_may_have_left_is_not_sent_twice(
    raised: Callable[..., Alert], server: dict[str, Any], error: Exception
) -> None:
    server["send"] = error
    raised()
    send_letters()
    server.clear()
    AlertMail.objects.update(due_at=timezone.now())
    send_letters()
    assert not sent()
    assert set(AlertMail.objects.values_list("outcome", flat=True)) == {"unknown"}


def test_letter_of_a_worker_that_died_is_not_sent_twice(raised: Callable[..., Alert]) -> None:
    raised()
    mail.write_letters()
    AlertMail.objects.update(outcome="sending", attempts=1, due_at=timezone.now() - timedelta(minutes=4))
    send_letters()
    assert set(AlertMail.objects.values_list("outcome", flat=True)) == {"sending"}
    AlertMail.objects.update(due_at=timezone.now() - timedelta(minutes=6))
    send_letters()
    assert set(AlertMail.objects.values_list("outcome", flat=True)) == {"unknown"}
    assert not sent()


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_send_one_letter_each_reader(raised: Callable[..., Alert]) -> None:
    raised()
    barrier = threading.Barrier(3)

    def go() -> None:
        try:
            barrier.wait()
            mail.send_letters()
        finally:
            database.close()

    threads = [threading.Thread(target=go) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(sent()) == 2


def test_name_cannot_put_a_header_into_the_letter(cast: Cast, raised: Callable[..., Alert]) -> None:
    cast.owner.name = "Eve\nBcc: all@example.com"
    cast.owner.save()
    cast.organization.name = "Acme\r\nBcc: all@example.com"
    cast.organization.save()
    raised()
    send_letters()
    for letter in sent():
        assert "\nBcc:" not in letter.message().as_string().split("\n\n")[0]
