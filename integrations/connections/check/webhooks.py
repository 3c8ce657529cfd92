"""What comes back from Twilio: can it be trusted, and does it come at all?"""

from django.conf import settings

from integrations.connections.credentials import ConnectionUnusable
from integrations.connections.reachability import judge_address
from integrations.connections.webhooks import inbound_url
from integrations.encryption import Secret, SecretUnreadable
from integrations.twilio.results import MessagingServiceInfo

from .answers import Kind
from .run import Run


def check_signing_tokens(run: Run) -> None:
    """See whether the Auth Tokens given for webhook signatures are of this account."""
    connection = run.connection
    if run.is_key and not connection.signing_token and not connection.signing_token_secondary:
        run.note(
            "Webhooks",
            "No Auth Token for signatures. Twilio signs webhooks with it and not with the API Key, so that signature "
            "cannot be checked; callback addresses carry a signature of ours instead.",
            field="signing_token",
        )
    if connection.signing_token:
        _check_token(run, "signing_token", "Auth Token for signatures", connection.signing_token)
    if connection.signing_token_secondary:
        _check_token(run, "signing_token_secondary", "secondary Auth Token", connection.signing_token_secondary)


def _check_token(run: Run, field: str, name: str, token: Secret) -> None:
    try:
        gateway = run.gateway_with(run.report.account_sid, token.reveal())
    except SecretUnreadable as error:
        run.problem("Webhooks", str(error), field=field)
        return
    answer = run.ask_aside("Webhooks", gateway.fetch_account)
    if answer.kind in (Kind.WRONG_SECRET, Kind.FORBIDDEN, Kind.ABSENT):
        run.problem(
            "Webhooks",
            f"The {name} is not, or no longer, one of this account.",
            "Copy the Auth Token (not the secret of a key) of the same account. One that was replaced at Twilio can be "
            "removed here.",
            field=field,
            code=answer.code,
        )
    elif answer.kind == Kind.OK:
        run.ok("Webhooks", f"The {name} belongs to the account.")
    else:
        run.note("Webhooks", f"The {name} could not be checked here.")


def check_inbound(run: Run, service: MessagingServiceInfo) -> None:
    """Tell whether replies, STOP among them, reach us; before the first save they cannot."""
    connection = run.connection
    try:
        wanted = inbound_url(connection)
    except ConnectionUnusable:
        return  # said already, at the token that cannot be decrypted
    if service.inbound_request_url == wanted:
        run.ok("Replies", "The Messaging Service passes replies on to Heliograph.")
        return
    text = "The Messaging Service does not pass replies on to Heliograph yet, so STOP and START are not heard."
    is_reachable = (
        connection.is_sandbox or settings.TWILIO_BASE_URL or judge_address(settings.PUBLIC_BASE_URL).is_accepted
    )
    if connection._state.adding:
        run.note("Replies", f"{text} Its page has a button for that, under Webhooks.")
    elif is_reachable:
        remedy = "Press “Look at Twilio, and set it” under Webhooks on this page."
        run.warn("Replies", text, remedy)
    else:
        run.warn("Replies", text, "It can only after this installation has a public address (PUBLIC_BASE_URL).")
