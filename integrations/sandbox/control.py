"""Client for the sandbox's control API: dials, accounts, virtual phones. Knows nothing of Django.

SandboxError
├── SandboxUnavailable   no answer, or none that can be read
└── SandboxRefused       the sandbox names the fields it cannot use
"""

from typing import Any
from urllib.parse import quote

import requests

_TIMEOUT = 3.0
_REPLY_WAIT = 2.0  # shorter than the timeout: the sandbox answers before we give up


class SandboxError(Exception):
    """The sandbox could not do what was asked."""


class SandboxUnavailable(SandboxError):
    """The sandbox does not answer, or does not accept our secret."""


class SandboxRefused(SandboxError):
    """The sandbox cannot use the input; `errors` maps field names to what is wrong, `status` is 404 or 422."""

    def __init__(self, errors: dict[str, str], *, status: int) -> None:
        self.errors = errors
        self.status = status
        super().__init__("; ".join(errors.values()))


class SandboxControl:
    """Speaks to the control API of one sandbox. Every call raises SandboxUnavailable or SandboxRefused."""

    def __init__(self, url: str, secret: str, *, timeout: float = _TIMEOUT) -> None:
        self._url = url.rstrip("/")
        self._secret = secret
        self._timeout = timeout

    # ---- dials

    def dials(self, account_sid: str = "") -> dict[str, Any]:
        """Return the global dials; for an account `{"in_force": …, "own": …}`."""
        return self._ask("GET", _dials_path(account_sid))

    def set_dials(self, dials: dict[str, Any], *, account_sid: str = "") -> dict[str, Any]:
        """Set the dials; what is not named goes back to its default (for an account: to the global one)."""
        return self._ask("PUT", _dials_path(account_sid), json=dials)

    def change_dials(self, dials: dict[str, Any], *, account_sid: str = "") -> dict[str, Any]:
        """Change the named dials only."""
        return self._ask("PATCH", _dials_path(account_sid), json=dials)

    # ---- accounts

    def account(self, account_sid: str) -> dict[str, Any]:
        """Return an account's properties, senders and services, without any secret."""
        return self._ask("GET", f"/accounts/{account_sid}")

    def change_account(self, account_sid: str, **properties: object) -> dict[str, Any]:
        """Change properties, for example `status="suspended"`; returns the account."""
        return self._ask("PATCH", f"/accounts/{account_sid}", json=properties)

    def change_service(self, account_sid: str, service_sid: str = "default", **properties: object) -> dict[str, Any]:
        """Change a Messaging Service, for example `inbound_request_url`; returns the account."""
        return self._ask("PATCH", f"/accounts/{account_sid}/services/{service_sid}", json=properties)

    def add_number(self, account_sid: str, number: str) -> dict[str, Any]:
        """Give an account a phone number or a short code; returns the account."""
        return self._ask("POST", f"/accounts/{account_sid}/numbers", json={"number": number})

    def change_number(self, account_sid: str, number: str, **properties: object) -> dict[str, Any]:
        """Change a number, for example `sms_url`; returns the account."""
        return self._ask("PATCH", f"/accounts/{account_sid}/numbers/{quote(number)}", json=properties)

    # ---- virtual phones

    def phones(self, account_sid: str, *, limit: int = 200) -> list[dict[str, Any]]:
        """Return the virtual phones of an account, those with news first."""
        phones: list[dict[str, Any]] = self._ask("GET", f"/accounts/{account_sid}/phones", params={"limit": limit})[
            "phones"
        ]
        return phones

    def phone(self, account_sid: str, number: str, *, limit: int = 200) -> dict[str, Any]:
        """Return one phone's conversation, oldest first."""
        return self._ask("GET", f"/accounts/{account_sid}/phones/{quote(number)}", params={"limit": limit})

    def reply(
        self, account_sid: str, number: str, *, body: str, to: str = "", media: list[Any] | None = None
    ) -> dict[str, Any]:
        """Let a virtual phone write to one of the account's numbers (the first one where `to` is empty).

        `media` are addresses, or files as `{"content_type", "data"}` with base64.

        Waits two seconds for the webhook's answer; after that `webhook_state` is `pending`.
        """
        message = {"to": to, "body": body, "media": media or [], "wait_ms": _REPLY_WAIT * 1000}
        return self._ask("POST", f"/accounts/{account_sid}/phones/{quote(number)}/reply", json=message)

    # ---- what happened

    def is_up(self) -> bool:
        """Tell whether the process answers."""
        try:
            return self._ask("GET", "/health")["status"] == "ok"
        except SandboxError:
            return False

    def stats(self, account_sid: str = "") -> dict[str, Any]:
        """Return the counters of one account, or of all."""
        return self._ask("GET", "/stats", params={"account": account_sid} if account_sid else {})

    def messages(self, *, account_sid: str = "", to: str = "", limit: int = 1000) -> list[dict[str, Any]]:
        """Return what the sandbox really accepted, newest first."""
        wanted = {"account": account_sid, "to": to, "limit": str(limit)}
        params = {name: value for name, value in wanted.items() if value}
        messages: list[dict[str, Any]] = self._ask("GET", "/messages", params=params)["messages"]
        return messages

    def reset(self, account_sid: str = "") -> None:
        """Forget one account, or everything."""
        self._ask("POST", "/reset", json={"account": account_sid} if account_sid else {})

    def advance_clock(self, seconds: float) -> None:
        """Move the sandbox's clock forward, so that codes expire and scheduled messages go out."""
        self._ask("POST", "/clock", json={"advance_s": seconds})

    def _ask(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        try:
            response = requests.request(
                method,
                f"{self._url}/sandbox{path}",
                headers={"X-Sandbox-Secret": self._secret},
                timeout=self._timeout,
                allow_redirects=False,
                **options,
            )
            answer = response.json()
        except requests.RequestException as error:
            raise SandboxUnavailable("The sandbox does not answer.") from error
        if response.status_code in {400, 404, 422} and "errors" in answer:
            errors = {item["field"]: item["detail"] for item in answer["errors"]}
            raise SandboxRefused(errors, status=response.status_code)
        if response.status_code != 200:
            raise SandboxUnavailable(f"The sandbox answered with HTTP {response.status_code}.")
        result: dict[str, Any] = answer
        return result


def _dials_path(account_sid: str) -> str:
    return f"/accounts/{account_sid}/dials" if account_sid else "/dials"
