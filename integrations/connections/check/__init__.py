"""The live check: asks Twilio about everything a connection names, sends nothing, and ties each problem to a field."""

import contextlib

from integrations.connections.credentials import ConnectionUnusable, credentials_of
from integrations.connections.models import Connection
from integrations.twilio.client import gateway_for

from .account import check_account, prove, settle_account
from .answers import Kind
from .report import CheckReport, Level, Step
from .run import Run, Stop
from .senders import check_balance, check_from, check_pool
from .services import check_messaging_service, check_verify_service
from .webhooks import check_inbound, check_signing_tokens

__all__ = ["CheckReport", "Level", "Step", "run_check"]


def run_check(connection: Connection, *, is_lenient: bool = False) -> CheckReport:
    """Check a connection, saved or not yet, against Twilio and return the report. Nothing is stored here.

    `is_lenient` is for Twilio look-alikes that know little more than messages: what they do not offer becomes a note.
    Takes up to a dozen requests; it must not run inside a transaction.
    """
    run = Run(connection, is_lenient=is_lenient)
    with contextlib.suppress(Stop):
        _check(run)
    return run.report


def _check(run: Run) -> None:
    try:
        run.gateway = gateway_for(credentials_of(run.connection))
    except ConnectionUnusable as error:
        run.problem("Credentials", error.detail, field=run.secret_field, breaks=True)
        raise Stop from error
    if not run.is_key:
        check_account(run)
    messaging = check_messaging_service(run)
    verify = check_verify_service(run)
    if run.is_key:
        # An API key does not say whose it is; its services do.
        settle_account(run, messaging=messaging, verify=verify)
        check_account(run)
    prove(run)
    has_pool = messaging is not None and messaging.kind == Kind.OK
    if has_pool:
        check_pool(run)
    check_from(run)
    check_balance(run)
    check_signing_tokens(run)
    if has_pool and messaging is not None:
        check_inbound(run, messaging.value)
