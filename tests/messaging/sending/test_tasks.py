"""The hourly clean-up."""

from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.utils import timezone

from messaging.sending.models import IdempotencyKey, WorkerPulse
from messaging.sending.tasks import clean_up
from tests.conftest import Cast

pytestmark = pytest.mark.django_db


def test_what_has_served_its_time_is_forgotten_and_the_rest_stays(cast: Cast) -> None:
    now = timezone.now()
    for key, age in (("old", 25), ("new", 23)):
        IdempotencyKey.objects.create(
            organization=cast.organization, key=key, body_hash="0" * 64, created_at=now - timedelta(hours=age)
        )
    for name, age in (("old", 25), ("new", 1)):
        WorkerPulse.objects.create(name=name, host="h", pid=1, seen_at=now - timedelta(hours=age))
        Session.objects.create(session_key=name, session_data="", expire_date=now - timedelta(hours=age - 24))
    clean_up()
    assert [key.key for key in IdempotencyKey.objects.all()] == ["new"]
    assert [pulse.name for pulse in WorkerPulse.objects.all()] == ["new"]
    assert [session.session_key for session in Session.objects.all()] == ["new"]
