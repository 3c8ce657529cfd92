"""Production: nothing starts without its secrets, and Django's own deployment check has nothing to say."""

import os
import subprocess
import sys

import pytest

from config.launcher.environment import CHECKOUT
from tests.factories import fernet_key

PRODUCTION = {
    "SECRET_KEY": "a-long-random-text-of-production-0123456789-abcdefghijklmnop-QRSTUV",
    "CREDENTIAL_KEYS": fernet_key(),
    "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nothing",
    "REDIS_URL": "redis://127.0.0.1:1/0",
    "PUBLIC_BASE_URL": "https://sms.example.org",
}


def manage(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=CHECKOUT,
        env={**kept, "HELIOGRAPH_DATA": "/nonexistent", **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_deployment_check_is_clean() -> None:
    done = manage("check", "--deploy", "--fail-level", "DEBUG", **PRODUCTION)
    assert done.returncode == 0, done.stderr
    assert "no issues" in done.stdout


@pytest.mark.parametrize("missing", sorted(PRODUCTION))
def test_production_refuses_to_start_without(missing: str) -> None:
    environment = {name: value for name, value in PRODUCTION.items() if name != missing}
    done = manage("check", **environment)
    assert done.returncode != 0
    assert missing in done.stderr
    assert "make run" in done.stderr, "says what to do for a trial"
    for name, value in environment.items():
        if name in {"SECRET_KEY", "CREDENTIAL_KEYS"}:
            assert value not in done.stderr


def test_sandbox_is_off_unless_the_operator_turns_it_on_and_then_needs_its_secret() -> None:
    asked = "from django.conf import settings; print(settings.SANDBOX_ENABLED, settings.DEBUG)"
    assert manage("shell", "-v", "0", "-c", asked, **PRODUCTION).stdout.split() == ["False", "False"]
    done = manage("check", **PRODUCTION, SANDBOX_ENABLED="1")
    assert done.returncode != 0
    assert "SANDBOX_SECRET" in done.stderr


def test_price_of_platform_sms_that_is_none_stops_the_start_and_is_named() -> None:
    done = manage("check", **PRODUCTION, PLATFORM_DOMESTIC_PRICE="NaN")
    assert done.returncode != 0
    assert "PLATFORM_DOMESTIC_PRICE is a price in credits" in done.stderr


def test_cookies_travel_over_https_only() -> None:
    asked = (
        "from django.conf import settings as s; "
        "print(s.SESSION_COOKIE_SECURE, s.CSRF_COOKIE_SECURE, s.SECURE_SSL_REDIRECT, s.SECURE_HSTS_SECONDS > 0)"
    )
    assert manage("shell", "-v", "0", "-c", asked, **PRODUCTION).stdout.split() == ["True"] * 4
