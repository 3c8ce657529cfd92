"""An organization with a Verify Service in the sandbox, and one with a sender alone."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from integrations.connections.models import Connection
from integrations.sandbox.credentials import SandboxCredentials
from integrations.twilio.errors import TwilioError
from integrations.twilio.results import VerificationSnapshot, VerifyServiceInfo
from messaging.sending.models import Message
from messaging.sending.sealing import text_of
from messaging.verification import twilio_verify
from messaging.verification.askers import Asker
from tests.conftest import Cast
from tests.factories import ConnectionFactory
from tests.plugins.sandbox import SandboxServer

PHONE = "+4915112345678"
VISITOR = Asker(kind="form", ip="203.0.113.7", language="de")
SERVICE, VERIFICATION = "VA" + "1" * 32, "VE" + "2" * 32


@pytest.fixture
def sender_only(cast: Cast) -> Connection:
    """A connection without a Verify Service: codes are our own."""
    return ConnectionFactory(organization=cast.organization)


@pytest.fixture
def account(sandbox: SandboxServer) -> SandboxCredentials:
    return sandbox.new_account()


@pytest.fixture
def in_sandbox(cast: Cast, account: SandboxCredentials) -> Connection:
    """A connection to the sandbox with its Verify Service."""
    return ConnectionFactory(
        organization=cast.organization,
        mode="sandbox",
        account_sid=account.account_sid,
        auth_token=account.auth_token,
        messaging_service_sid=account.messaging_service_sid,
        verify_service_sid=account.verify_service_sid,
    )


def code_in(text: str) -> str:
    """Return the code of a text message."""
    found = re.search(r"\b\d{4,10}\b", text)
    assert found is not None, text
    return found[0]


def own_code_of(phone: str = PHONE) -> str:
    """Return the newest code of our own that goes to a number."""
    message = Message.objects.filter(phone=phone, purpose="verification").latest("pk")
    return code_in(text_of(message))


def wrong(code: str) -> str:
    """Return another code of the same length."""
    return f"{(int(code) + 1) % 10 ** len(code):0{len(code)}d}"


@dataclass
class FakeVerify:
    """A gateway at our border that answers by script: what each call returns or raises, the last answer again."""

    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    scripts: dict[str, list[Any]] = field(default_factory=dict)

    def will(self, method: str, *answers: Any) -> None:
        self.scripts[method] = list(answers)

    def count(self, method: str) -> int:
        return sum(name == method for name, _ in self.calls)

    def _answer(self, method: str, **arguments: Any) -> Any:
        self.calls.append((method, arguments))
        script = self.scripts.get(method) or [snapshot()]
        answer = script.pop(0) if len(script) > 1 else script[0]
        if isinstance(answer, TwilioError):
            raise answer
        return answer() if callable(answer) else answer

    def start_verification(self, service_sid: str, **arguments: Any) -> VerificationSnapshot:
        return self._answer("start_verification", service_sid=service_sid, **arguments)

    def check_verification(self, service_sid: str, **arguments: Any) -> VerificationSnapshot:
        return self._answer("check_verification", service_sid=service_sid, **arguments)

    def fetch_verification(self, service_sid: str, sid: str) -> VerificationSnapshot:
        return self._answer("fetch_verification", service_sid=service_sid, sid=sid)

    def cancel_verification(self, service_sid: str, sid: str) -> VerificationSnapshot:
        return self._answer("cancel_verification", service_sid=service_sid, sid=sid)

    def fetch_verify_service(self, sid: str) -> VerifyServiceInfo:
        self.scripts.setdefault("fetch_verify_service", [VerifyServiceInfo(sid, "AC1", "Acme", 6)])
        return self._answer("fetch_verify_service", sid=sid)


def snapshot(status: str = "pending", *, sid: str = VERIFICATION, channel: str = "sms") -> VerificationSnapshot:
    return VerificationSnapshot(sid=sid, status=status, channel=channel, is_valid=status == "approved", sends=1)


@pytest.fixture
def with_service(cast: Cast) -> Connection:
    """A live connection with a Verify Service; nobody is asked but the fake."""
    return ConnectionFactory(organization=cast.organization, verify_service_sid=SERVICE)


@pytest.fixture
def twilio(with_service: Connection, monkeypatch: pytest.MonkeyPatch) -> FakeVerify:
    fake = FakeVerify()
    monkeypatch.setattr(twilio_verify, "gateway_for", lambda credentials, timeout: fake)
    return fake


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Let time pass for one verification: every moment in its row moves back."""
    from datetime import timedelta

    from django.db.models import F

    from messaging.verification.models import Verification

    def pass_(verification: Verification, **span: float) -> None:
        by = timedelta(**span)
        Verification.objects.filter(pk=verification.pk).update(
            created_at=F("created_at") - by, expires_at=F("expires_at") - by, resend_after=F("resend_after") - by
        )
        verification.refresh_from_db()

    return pass_
