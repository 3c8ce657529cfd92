"""A virtual phone writes to the organization, and what came of it in words."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from integrations.connections.models import Connection
from integrations.connections.refusal_reasons import explain_reason
from integrations.connections.sandbox import point_replies_here
from integrations.connections.webhooks import inbound_url
from integrations.twilio.error_table import explain

from .selectors import control

_KEYWORDS = {
    "STOP": "STOP was understood: the sandbox now blocks this number, as Twilio would.",
    "START": "START was understood: the sandbox lets messages through to this number again.",
    "HELP": "HELP was understood and answered.",
}


@dataclass(frozen=True)
class ReplyResult:
    """What a reply led to. `kind` is success, warning or danger; with `is_refused` the connection's page says more."""

    kind: str
    text: str
    is_refused: bool = False


def write_from(
    connection: Connection, phone: str, *, to: str, body: str, files: list[dict[str, str]] | None = None
) -> ReplyResult:
    """Let a phone write to one of the account's numbers; raises SandboxUnavailable or SandboxRefused.

    A restarted sandbox has forgotten where replies go to: it is told again before.
    """
    _make_sure_replies_arrive(connection)
    answer = control().reply(connection.account_sid, phone, body=body, to=to, media=files)
    result = _in_words(connection, answer)
    keyword = _KEYWORDS.get(answer["keyword"] or "")
    return result if keyword is None else ReplyResult(result.kind, f"{result.text} {keyword}", result.is_refused)


def _make_sure_replies_arrive(connection: Connection) -> None:
    """Mend an address that is missing or older than PUBLIC_BASE_URL; one that somebody set on purpose stays."""
    services = control().account(connection.account_sid)["messaging_services"]
    present = services[0]["inbound_request_url"] if services else None
    wanted = inbound_url(connection)
    is_ours = present is not None and f"/hooks/twilio/{connection.hook_key}/inbound" in present
    if present is None or (is_ours and present != wanted):
        point_replies_here(connection)


def _in_words(connection: Connection, answer: Mapping[str, Any]) -> ReplyResult:
    state, webhook = answer["webhook_state"], answer["webhook"]
    if state == "pending":
        return ReplyResult("warning", "Sent. Heliograph has not answered yet; the delivery goes on by itself.")
    if state == "none" or webhook is None:
        return ReplyResult(
            "danger", "Not delivered: the sandbox knows no address for replies. Check the connection, then try again."
        )
    status, code = webhook["status"], webhook["error_code"]
    if status == 403:
        return ReplyResult("danger", _why_refused(connection), is_refused=True)
    if status is None:
        return ReplyResult(
            "danger",
            "Not delivered: the sandbox could not reach Heliograph at PUBLIC_BASE_URL "
            f"(Twilio would say {code}: {explain(code).title}).",
        )
    if code:
        return ReplyResult(
            "danger", f"Heliograph answered with status {status}, an error to Twilio ({code}: {explain(code).title})."
        )
    return ReplyResult("success", f"Delivered to Heliograph (status {status}).")


def _why_refused(connection: Connection) -> str:
    refused = connection.refused_webhooks.order_by("-id").first()
    if refused is None:
        return "Heliograph refused it (status 403)."
    return f"Heliograph refused it (status 403): {explain_reason(refused.reason).title}. {refused.detail}"
