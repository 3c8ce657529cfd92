"""One run of the check: what is known so far, and the three things every step does: ask, note, stop."""

from collections.abc import Callable
from typing import TypeVar

from django.conf import settings

from integrations.connections.credentials import base_url_of
from integrations.connections.models import Connection
from integrations.encryption import SecretUnreadable
from integrations.twilio.client import Credentials, Gateway, gateway_for
from integrations.twilio.error_table import explain

from .answers import Answer, Kind, ask
from .report import CheckReport, Level, Step

T = TypeVar("T")


class Stop(Exception):
    """Nothing more can be learned; the last step says why."""


class Run:
    """The state of one check.

    `is_known`: Twilio accepts the credentials. `is_proven`: it does so for the account in the report; an API key may
    be a good one of another account.
    """

    gateway: Gateway

    def __init__(self, connection: Connection, *, is_lenient: bool) -> None:
        self.connection = connection
        self.is_lenient = is_lenient
        self.is_key = connection.auth == Connection.Auth.API_KEY
        self.is_known = False
        self.is_proven = False
        self.report = CheckReport(account_sid=connection.account_sid, mode=connection.mode)

    @property
    def whom(self) -> str:
        return "The sandbox" if self.connection.is_sandbox else "Twilio"

    @property
    def secret_field(self) -> str:
        return "api_key_secret" if self.is_key else "auth_token"

    def gateway_with(self, username: str, password: str) -> Gateway:
        """Return a gateway to the account found so far, with other credentials."""
        base_url = base_url_of(self.connection.mode)
        return gateway_for(
            Credentials(username=username, password=password, account_sid=self.report.account_sid, base_url=base_url)
        )

    def gateway_of_token(self) -> Gateway | None:
        """Return a gateway with the Auth Token given beside an API Key; None where there is none to be read."""
        try:
            token = self.connection.signing_token.reveal() if self.is_key else ""
        except SecretUnreadable:
            return None
        return self.gateway_with(self.report.account_sid, token) if token else None

    def note(self, subject: str, text: str, *, field: str = "") -> None:
        self.report.steps.append(Step(subject, Level.NOTE, text, field=field))

    def ok(self, subject: str, text: str) -> None:
        self.report.steps.append(Step(subject, Level.OK, text))

    def warn(self, subject: str, text: str, remedy: str = "", *, field: str = "") -> None:
        self.report.steps.append(Step(subject, Level.WARNING, text, remedy, field))

    def problem(
        self,
        subject: str,
        text: str,
        remedy: str = "",
        *,
        field: str = "",
        code: int | None = None,
        breaks: bool = False,
    ) -> None:
        self.report.steps.append(Step(subject, Level.PROBLEM, text, remedy, field, code, breaks))

    def ask(self, subject: str, call: Callable[[], T], *, is_lenient: bool | None = None) -> Answer[T]:
        """Ask Twilio; stop the whole check where it does not answer or the account may do nothing at all.

        Use it with the connection's own credentials only: what it answers is taken for their proof.
        """
        answer = self.ask_aside(subject, call, is_lenient=is_lenient)
        self.is_known |= answer.kind in (Kind.OK, Kind.ABSENT)
        self.is_proven |= answer.kind == Kind.OK
        return answer

    def ask_aside(self, subject: str, call: Callable[[], T], *, is_lenient: bool | None = None) -> Answer[T]:
        """Ask with credentials beside the connection's own."""
        answer = ask(call, is_lenient=self.is_lenient if is_lenient is None else is_lenient)
        if answer.kind == Kind.NO_ANSWER:
            self._no_answer(answer)
        if answer.kind == Kind.NOT_ACTIVE:
            self.not_active("suspended", code=answer.code)
        if answer.kind == Kind.TEST_CREDENTIALS and self.is_key:
            entry = explain(answer.code)
            self.problem(subject, entry.meaning, entry.remedy, field="api_key_sid", code=answer.code, breaks=True)
            raise Stop
        return answer

    def not_active(self, status: str, *, code: int | None) -> None:
        """Note that the account may send nothing, and stop."""
        if status == "closed":
            remedy = "A closed account cannot be opened again. Connect another one."
        else:
            remedy = "Twilio's Console says what is missing: mostly a payment, or the answer to a question of Twilio's."
        text = f"The Twilio account is {status}: nothing is sent for it."
        self.problem("Account", text, remedy, field="account_sid", code=code, breaks=True)
        raise Stop

    def _no_answer(self, answer: Answer[T]) -> None:
        self.report.is_unreachable = True
        error = answer.error
        if error is not None and error.http_status == 429:
            text = f"{self.whom} takes no more requests of this account at the moment."
        elif error is not None and error.http_status and error.http_status < 400:
            text = f"{self.whom} gave an answer that cannot be read (HTTP {error.http_status})."
        elif error is not None and error.http_status:
            text = f"{self.whom} has trouble of its own (HTTP {error.http_status})."
        else:
            text = f"{self.whom} could not be reached, or did not answer within {settings.TWILIO_TIMEOUT:g} seconds."
        remedy = "That says nothing about what you entered. Try again in a minute."
        self.problem("Twilio", text, remedy, code=answer.code)
        raise Stop
