"""Whose credentials these are, and whether that account may send."""

from integrations.connections.models import Connection
from integrations.connections.pasted import mask_sid
from integrations.twilio.results import AccountInfo, MessagingServiceInfo, VerifyServiceInfo

from .answers import ACCOUNT_NOT_ACTIVE_CODE, AUTHENTICATION_CODE, Answer, Kind
from .magic import check_test_credentials
from .run import Run, Stop

# Looked up only to see whether the credentials may list messages: a magic number, which belongs to nobody.
_NOBODY = "+15005550006"


def settle_account(
    run: Run, *, messaging: Answer[MessagingServiceInfo] | None, verify: Answer[VerifyServiceInfo] | None
) -> None:
    """Find the account of an API key through its services, and compare it with the one that was typed."""
    typed = run.connection.account_sid
    owners: dict[str, str] = {}
    if messaging is not None and messaging.kind == Kind.OK:
        owners["Messaging Service"] = messaging.value.account_sid
    if verify is not None and verify.kind == Kind.OK:
        owners["Verify Service"] = verify.value.account_sid
    service, owner = next(iter(owners.items()), ("", ""))
    if owner and typed and owner != typed:
        run.problem(
            "Account",
            f"This key and its {service} belong to the account {mask_sid(owner)}, not to {mask_sid(typed)}.",
            "Leave the Account SID empty and it is found by itself, or enter key and services of the other account.",
            field="account_sid",
            breaks=True,
        )
        raise Stop
    if owner and not typed:
        run.report.account_sid = owner
        run.ok("Account", f"Account SID {mask_sid(owner)} found through the {service}.")
    if not owner and not typed:
        _owner_stays_unknown(run, [answer for answer in (messaging, verify) if answer is not None])


def _owner_stays_unknown(run: Run, answers: list[Answer]) -> None:
    if len(answers) > 1 and all(answer.kind == Kind.ABSENT for answer in answers):
        run.problem(
            "Credentials",
            "The key works, but neither service is in its account: it looks like a key of another account.",
            "Make a key in the account that owns the services, or copy the services of the key's account.",
            field="api_key_sid",
        )
    elif not run.report.problems:
        run.problem(
            "Account",
            "The Account SID could not be found through the services.",
            "Type it in: it is on the first page of Twilio's Console and begins with AC.",
            field="account_sid",
        )
    raise Stop


def check_account(run: Run) -> None:
    """Look at the account itself; a Standard key may not, which is no error."""
    if run.is_key:
        run.gateway = run.gateway_with(run.connection.api_key_sid, run.connection.api_key_secret.reveal())
    answer = run.ask("Account", run.gateway.fetch_account)
    if answer.kind == Kind.OK:
        _read_account(run, answer.value)
    elif answer.kind == Kind.TEST_CREDENTIALS:
        run.report.mode = Connection.Mode.TEST
        run.report.steps += check_test_credentials(run.connection, run.gateway)
        raise Stop
    elif answer.kind == Kind.WRONG_SECRET and not run.is_key:
        wrong_secret(run, answer.code)
    elif answer.kind == Kind.ABSENT:
        _no_such_account(run, answer.code)
    elif answer.kind == Kind.NOT_OFFERED:
        run.note("Account", f"{run.whom} offers no account data here, so it could not be checked.")
    elif not _read_account_by_token(run):
        prove(run)
        run.note(
            "Account",
            "This key may not read account data. That is normal for a Standard key and needs no change; status and "
            "trial limits just could not be looked at.",
        )


def prove(run: Run) -> None:
    """Make sure that the credentials are accepted, where nothing has shown it so far."""
    if run.is_proven:
        return
    # Here even a look-alike must give an answer: messages are what it is for.
    answer = run.ask(
        "Credentials",
        lambda: run.gateway.list_messages(to=_NOBODY, page_size=1, limit=1),
        is_lenient=False,
    )
    if answer.kind == Kind.WRONG_SECRET and run.is_known:
        _no_such_account(run, answer.code)
    elif answer.kind == Kind.WRONG_SECRET:
        wrong_secret(run, answer.code)
    elif answer.kind == Kind.ABSENT and not run.is_lenient:
        _no_such_account(run, answer.code)
    elif answer.kind == Kind.OK:
        run.ok("Credentials", f"{run.whom} accepts them.")
    else:
        run.is_proven = True
        run.warn("Credentials", f"{run.whom} offers nothing by which they could be checked.")


def wrong_secret(run: Run, code: int | None) -> None:
    """Note that the pair of credentials is refused, and stop."""
    if run.is_key:
        text = "Twilio does not accept this API Key SID and Secret together."
        remedy = (
            "Check that the secret belongs to this very key. Twilio shows it once, when the key is made: if it is "
            "lost, create a new Standard key under Account, API keys & tokens, and enter both values."
        )
    else:
        text = "Twilio does not accept this Account SID and Auth Token together."
        remedy = "Copy both again from the first page of Twilio's Console; the Auth Token may have been rotated."
    run.problem("Credentials", text, remedy, field=run.secret_field, code=code or AUTHENTICATION_CODE, breaks=True)
    raise Stop


def _no_such_account(run: Run, code: int | None) -> None:
    run.problem(
        "Account",
        f"These credentials do not belong to the account {mask_sid(run.report.account_sid)}.",
        "Copy the Account SID and the credentials again, both from the same account.",
        field="api_key_sid" if run.is_key else "account_sid",
        code=code,
        breaks=True,
    )
    raise Stop


def _read_account_by_token(run: Run) -> bool:
    """Ask with the Auth Token given for signatures, which may read what a Standard key may not."""
    gateway = run.gateway_of_token()
    if gateway is None:
        return False
    answer = run.ask_aside("Account", gateway.fetch_account)
    if answer.kind == Kind.OK:
        prove(run)
        _read_account(run, answer.value)
    return answer.kind == Kind.OK


def _read_account(run: Run, account: AccountInfo) -> None:
    run.report.account_sid = account.sid
    if run.report.mode == Connection.Mode.TEST:
        run.report.mode = Connection.Mode.LIVE
    run.report.account_name = account.friendly_name[:120]
    run.report.account_type = account.type[:20]
    if account.status in ("suspended", "closed"):
        run.not_active(account.status, code=ACCOUNT_NOT_ACTIVE_CODE)
    run.ok("Account", f"“{account.friendly_name}” ({mask_sid(account.sid)}) is {account.status or 'known'}.")
    if run.report.is_trial:
        run.warn(
            "Account",
            "This is a trial account: Twilio sends only to numbers you have verified there, puts a sentence of its "
            "own in front of each text, and allows no alphanumeric sender.",
            "Upgrade the account in Twilio's Console before you send to customers.",
        )
