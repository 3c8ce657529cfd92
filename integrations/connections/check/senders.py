"""What messages are sent from, and with what money."""

from decimal import Decimal

from integrations.connections.pasted import sender_kind

from .answers import Kind, ask
from .run import Run

LOW_BALANCE = Decimal(5)  # in the account's own currency: some hundred messages in most countries
_NAMED = 5


def check_pool(run: Run) -> None:
    """See whether the Messaging Service has a sender at all."""
    sid = run.connection.messaging_service_sid
    answer = run.ask("Senders", lambda: run.gateway.list_senders(sid))
    if answer.kind != Kind.OK:
        run.note("Senders", "The sender pool could not be looked at.")
        return
    senders = answer.value
    if not senders:
        run.problem(
            "Senders",
            "The Messaging Service has no sender: every message would fail with error 21704.",
            "In Twilio's Console open Messaging, Services, this service, Sender Pool; add a number or a sender ID.",
            field="messaging_service_sid",
            code=21704,
        )
        return
    names = ", ".join(sender.value for sender in senders[:_NAMED])
    more = f" and {len(senders) - _NAMED} more" if len(senders) > _NAMED else ""
    run.ok("Senders", f"{len(senders)} in the pool: {names}{more}.")


def check_from(run: Run) -> None:
    """See whether the From is one that this account may use."""
    sender = run.connection.sender
    if not sender or run.connection.messaging_service_sid:
        return
    kind = sender_kind(sender)
    if kind == "short_code":
        run.note("From", f"{sender} is a short code; Twilio has no simple way to look it up.")
    elif kind == "number":
        _check_number(run, sender)
    elif run.report.is_trial:
        run.warn("From", f"“{sender}” is a sender ID, and a trial account may not use one.", field="sender")
    else:
        run.note(
            "From",
            f"“{sender}” is a sender ID: recipients cannot reply, so STOP never arrives, and some countries (the USA, "
            "Canada, China) do not take it.",
            field="sender",
        )


def _check_number(run: Run, sender: str) -> None:
    answer = run.ask("From", lambda: run.gateway.find_number(sender))
    if answer.kind != Kind.OK:
        run.note("From", f"Whether {sender} belongs to the account could not be looked at.")
        return
    number = answer.value
    if number is None:
        run.problem(
            "From",
            f"{sender} is not a number of this Twilio account.",
            "Take one that is listed under Phone Numbers, Manage, Active numbers in Twilio's Console.",
            field="sender",
            code=21606,
        )
    elif number.capabilities and "sms" not in number.capabilities:
        run.problem(
            "From",
            f"{sender} belongs to the account, but cannot send SMS.",
            "Take a number that has the SMS capability.",
            field="sender",
            code=21606,
        )
    else:
        run.ok("From", f"{sender} belongs to the account and sends SMS.")


def check_balance(run: Run) -> None:
    """Look at the balance where these credentials may; never a reason to refuse."""
    gateway = run.gateway_of_token() or run.gateway
    answer = ask(gateway.fetch_balance, is_lenient=True)
    balance = answer.value if answer.kind == Kind.OK else None
    if balance is None:
        run.note("Balance", "Not shown for this account: subaccounts and Standard keys may not see it.")
        return
    amount = f"{balance.balance:,.2f} {balance.currency}"
    if balance.balance <= 0:
        text = f"{amount}. Unless Twilio bills you afterwards, messages fail until the account is topped up."
        run.warn("Balance", text, "Top up in Twilio's Console under Billing.")
    elif balance.balance < LOW_BALANCE:
        run.warn("Balance", f"{amount} is left.", "Top up soon, or turn on auto-recharge at Twilio.")
    else:
        run.ok("Balance", f"{amount} is left.")
