"""Is this webhook really Twilio's? Asked before anything of it is believed or stored."""

from dataclasses import dataclass

from django.conf import settings
from django.http import HttpRequest

from integrations.connections import refusal_reasons
from integrations.connections.credentials import ConnectionUnusable, live_tokens, verify_hook_signature
from integrations.connections.models import Connection
from integrations.connections.refusals import record_refusal
from integrations.organizations.network import client_ip
from integrations.twilio.signatures import is_genuine

BY_TWILIO, BY_US = "twilio_signature", "own_signature"


@dataclass(frozen=True)
class Refusal:
    """Why a webhook is not believed; `reason` is one of refusal_reasons."""

    reason: str
    detail: str


def check_webhook(request: HttpRequest, connection: Connection, *, purpose: str) -> str | Refusal:
    """Return how the webhook was proven (BY_TWILIO or BY_US), or the Refusal.

    Twilio signs the address it was given: PUBLIC_BASE_URL with path and query, whatever Host a proxy made of it.
    Without any Auth Token our own HMAC in the address is checked instead, and the account must be the right one.
    https://www.twilio.com/docs/usage/security#validating-requests
    """
    try:
        tokens = live_tokens(connection)
        if tokens:
            return _check_twilio(request, tokens)
        if not verify_hook_signature(connection, purpose, request.GET.get("h")):
            if connection.status == Connection.Status.DISCONNECTED:
                return Refusal(refusal_reasons.DISCONNECTED, "The connection was disconnected.")
            return Refusal(refusal_reasons.WRONG_OWN_SIGNATURE, "The h of the address is missing or wrong.")
    except ConnectionUnusable as error:
        is_gone = connection.status == Connection.Status.DISCONNECTED
        return Refusal(refusal_reasons.DISCONNECTED if is_gone else refusal_reasons.SECRET_UNREADABLE, error.detail)
    if connection.account_sid and request.POST.get("AccountSid") != connection.account_sid:
        return Refusal(refusal_reasons.WRONG_ACCOUNT, "The AccountSid is not that of this connection.")
    return BY_US


def refuse(request: HttpRequest, connection: Connection, refusal: Refusal) -> None:
    """Note the refusal for the admin's page."""
    record_refusal(connection, request.path, refusal.reason, refusal.detail, client_ip(request))


def _check_twilio(request: HttpRequest, tokens: list[str]) -> str | Refusal:
    signature = request.headers.get("X-Twilio-Signature")
    if not signature:
        return Refusal(refusal_reasons.UNSIGNED, "The request has no X-Twilio-Signature.")
    url = settings.PUBLIC_BASE_URL + request.get_full_path()
    if not is_genuine(url=url, params=request.POST, signature=signature, tokens=tokens):
        return Refusal(refusal_reasons.WRONG_SIGNATURE, "No stored Auth Token makes this signature for our address.")
    return BY_TWILIO
