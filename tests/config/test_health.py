"""What load balancers and Prometheus ask."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from config import calling
from messaging.sending.models import WorkerPulse

pytestmark = pytest.mark.django_db


def test_alive_and_ready_with_database_valkey_a_worker_and_the_clerk() -> None:
    assert Client().get("/health/live").json() == {"status": "alive"}
    WorkerPulse.objects.create(name="w", host="h", pid=1, seen_at=timezone.now())
    answer = Client().get("/health/ready")
    assert (answer.status_code, answer.json()["status"]) == (200, "degraded")
    assert "files and exports wait" in answer.json()["checks"]["clerk"]["detail"]
    WorkerPulse.objects.create(name="clerk@h:2", host="h", pid=2, seen_at=timezone.now())
    answer = Client().get("/health/ready")
    assert (answer.status_code, answer.json()["status"]) == (200, "ready")


def test_without_workers_it_is_degraded_and_still_serves() -> None:
    WorkerPulse.objects.create(name="w", host="h", pid=1, seen_at=timezone.now() - timedelta(minutes=1))
    answer = Client().get("/health/ready")
    assert (answer.status_code, answer.json()["status"]) == (200, "degraded")
    assert not answer.json()["checks"]["workers"]["ok"]


def test_without_valkey_it_is_degraded_and_says_that_nothing_is_lost(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    monkeypatch.setattr(calling, "_client", None)
    answer = Client().get("/health/ready")
    assert answer.status_code == 200
    assert "go out when it is back" in answer.json()["checks"]["broker"]["detail"]
    monkeypatch.setattr(calling, "_client", None)


def test_metrics_are_for_loopback_or_for_the_token(settings: Any) -> None:
    assert b"django_http" in Client().get("/metrics").content
    assert Client(REMOTE_ADDR="203.0.113.7").get("/metrics").status_code == 403
    settings.METRICS_TOKEN = "t0ken"
    assert Client().get("/metrics").status_code == 401
    assert Client().get("/metrics", headers={"Authorization": "Bearer wrong"}).status_code == 401
    assert Client().get("/metrics", headers={"Authorization": "Bearer t0ken"}).status_code == 200
