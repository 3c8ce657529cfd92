"""The check of Twilio's test credentials, which may do nothing but send to and from magic numbers.

Facts: https://www.twilio.com/docs/iam/test-credentials
"""

from integrations.connections.models import Connection
from integrations.twilio.client import MAGIC_RECIPIENT, MAGIC_SENDER, Gateway, OutgoingMessage
from integrations.twilio.error_table import explain

from .answers import Kind, ask
from .report import Level, Step


def check_test_credentials(connection: Connection, gateway: Gateway) -> list[Step]:
    """Return the steps: are the senders those that test credentials allow, and does a magic request succeed?"""
    steps = [
        Step(
            "Account",
            Level.WARNING,
            "These are test credentials: Twilio checks each request and sends nothing, charges nothing and reports no "
            "delivery.",
            "Use the live credentials when real messages shall go out.",
        )
    ]
    if connection.messaging_service_sid:
        text = "Test credentials cannot use a Messaging Service."
        remedy = f"Leave it empty and enter {MAGIC_SENDER} as From."
        steps.append(Step("Messaging Service", Level.PROBLEM, text, remedy, "messaging_service_sid"))
    if connection.verify_service_sid:
        text = "Test credentials cannot use Twilio Verify."
        steps.append(Step("Verify Service", Level.PROBLEM, text, "Leave it empty.", "verify_service_sid"))
    if connection.sender != MAGIC_SENDER and not connection.messaging_service_sid:
        text = f"With test credentials From must be {MAGIC_SENDER}, a number made for tests."
        steps.append(Step("From", Level.PROBLEM, text, f"Enter {MAGIC_SENDER}.", "sender"))
    if any(step.level == Level.PROBLEM for step in steps):
        return steps
    # Whoever answered 20008 sends nothing with these credentials, so the probe costs nothing and reaches nobody.
    probe = OutgoingMessage(to=MAGIC_RECIPIENT, from_=MAGIC_SENDER, body="Heliograph")
    answer = ask(lambda: gateway.send_message(probe), is_lenient=False)
    if answer.kind == Kind.OK:
        steps.append(Step("Test message", Level.OK, "A request with magic numbers was accepted; nothing was sent."))
    else:
        entry = explain(answer.code)
        breaks = answer.kind == Kind.WRONG_SECRET
        steps.append(
            Step("Test message", Level.PROBLEM, entry.meaning, entry.remedy, "auth_token", answer.code, breaks)
        )
    return steps
