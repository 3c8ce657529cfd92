"""What comes back from Twilio: can it be trusted, and does it come at all?"""

from django.conf import settings

from integrations.connections.reachability import judge_address
from integrations.connections.webhooks import inbound_url
from integrations.twilio.results import MessagingServiceInfo

from .answers import Kind
from .run import Run


def check_signing_token(run: Run) -> None:
    """See whether the Auth Token given beside an API key is one of this account."""
    if not run.is_key:
        return
    if not run.connection.signing_token:
        run.note(
            "Webhooks",
            "No Auth Token for signatures. Twilio signs webhooks with it and not with the API Key, so that signature "
            "cannot be checked; callback addresses carry a signature of ours instead.",
            field="signing_token",
        )
        return
    gateway = run.gateway_with(run.report.account_sid, run.connection.signing_token.reveal())
    answer = run.ask_aside("Webhooks", gateway.fetch_account)
    if answer.kind in (Kind.WRONG_SECRET, Kind.FORBIDDEN, Kind.ABSENT):
        run.problem(
            "Webhooks",
            "The Auth Token for signatures does not belong to this account.",
            "Copy the Auth Token (not the secret of a key) of the same account, or leave the field empty.",
            field="signing_token",
            code=answer.code,
        )
    elif answer.kind == Kind.OK:
        run.ok("Webhooks", "The Auth Token for signatures belongs to the account.")
    else:
        run.note("Webhooks", "The Auth Token for signatures could not be checked here.")


def check_inbound(run: Run, service: MessagingServiceInfo) -> None:
    """Tell whether replies, STOP among them, reach us; before the first save they cannot."""
    connection = run.connection
    if service.inbound_request_url == inbound_url(connection):
        run.ok("Replies", "The Messaging Service passes replies on to Heliograph.")
        return
    text = "The Messaging Service does not pass replies on to Heliograph yet, so STOP and START are not heard."
    is_reachable = (
        connection.is_sandbox or settings.TWILIO_BASE_URL or judge_address(settings.PUBLIC_BASE_URL).is_accepted
    )
    if connection._state.adding:
        run.note("Replies", f"{text} The address to enter there is shown once the connection is saved.")
    elif is_reachable:
        remedy = "Enter the address for replies, shown under Webhooks, as the service's “Send a webhook” address."
        run.warn("Replies", text, remedy)
    else:
        run.warn("Replies", text, "It can only after this installation has a public address (PUBLIC_BASE_URL).")
