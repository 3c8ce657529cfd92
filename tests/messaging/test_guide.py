"""The guide explains what members meet: every kind of alert, status of a verification, and reason for *Blocked*."""

from pathlib import Path

import pytest

from messaging.alerts.models import Alert
from messaging.sending.reasons import own_reason
from messaging.verification.models import Verification

GUIDE = (Path(__file__).parents[2] / "docs" / "guide.md").read_text()
BLOCKED = ["opted_out", "no_consent", "insufficient_credits", "no_route", "not_connected", "platform_unavailable"]


@pytest.mark.parametrize("words", [*Alert.Kind.labels, *Verification.Status.labels])
def test_each_alert_and_status_has_its_row(words: str) -> None:
    assert f"\n| {words} | " in GUIDE


@pytest.mark.parametrize("reason", BLOCKED)
def test_each_reason_for_blocked_has_its_row(reason: str) -> None:
    title = own_reason(reason).title.rstrip(".")
    assert f"\n| {title} | " in GUIDE
