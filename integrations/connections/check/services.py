"""The Messaging Service and the Verify Service: are they there, and in this account?"""

from integrations.connections.pasted import mask_sid
from integrations.twilio.results import MessagingServiceInfo, VerifyServiceInfo

from .account import wrong_secret
from .answers import Answer, Kind
from .run import Run


def check_messaging_service(run: Run) -> Answer[MessagingServiceInfo] | None:
    """Look at the Messaging Service and return the answer; None where none is used."""
    sid = run.connection.messaging_service_sid
    if not sid:
        return None
    answer = run.ask("Messaging Service", lambda: run.gateway.fetch_messaging_service(sid))
    _judge(run, "Messaging Service", "messaging_service_sid", answer)
    if answer.kind == Kind.OK:
        run.report.messaging_service_name = answer.value.friendly_name[:120]
    return answer


def check_verify_service(run: Run) -> Answer[VerifyServiceInfo] | None:
    """Look at the Verify Service and return the answer; None, with a note of what that means, where none is used."""
    sid = run.connection.verify_service_sid
    if not sid:
        run.note(
            "Verify Service",
            "None given: verification codes are then our own and go out as ordinary SMS. They cost what an SMS costs; "
            "Twilio's fraud guard and its other channels for codes are not used.",
            field="verify_service_sid",
        )
        return None
    answer = run.ask("Verify Service", lambda: run.gateway.fetch_verify_service(sid))
    _judge(run, "Verify Service", "verify_service_sid", answer)
    return answer


def _judge(
    run: Run, subject: str, field: str, answer: Answer[MessagingServiceInfo] | Answer[VerifyServiceInfo]
) -> None:
    if answer.kind == Kind.WRONG_SECRET:
        wrong_secret(run, answer.code)
    elif answer.kind == Kind.ABSENT:
        run.problem(
            subject,
            f"There is no such {subject} in the account of these credentials.",
            f"Copy the SID again from Twilio's Console. If it is right, the {subject} belongs to another account than "
            + ("the API Key." if run.is_key else "this one."),
            field=field,
            code=answer.code,
        )
    elif answer.kind == Kind.OK:
        _judge_owner(run, subject, field, answer.value)
    elif answer.kind == Kind.FORBIDDEN:
        run.warn(subject, "These credentials may not read it, so it could not be checked.")
    else:
        run.note(subject, f"{run.whom} offers no way to look at it, so it could not be checked.")


def _judge_owner(run: Run, subject: str, field: str, service: MessagingServiceInfo | VerifyServiceInfo) -> None:
    account = run.report.account_sid
    if not run.is_key and service.account_sid and service.account_sid != account:
        run.problem(
            subject,
            f"“{service.friendly_name}” belongs to the account {mask_sid(service.account_sid)}, not to "
            f"{mask_sid(account)}.",
            f"Enter a {subject} of this account.",
            field=field,
        )
    else:
        run.ok(subject, f"“{service.friendly_name}” found.")
