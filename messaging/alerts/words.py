"""What alerts say: what happened and what to do next, in words that may stand in a letter (no number, no secret)."""

from django.urls import get_script_prefix, reverse

from integrations.connections.models import Connection
from integrations.organizations.models import Organization
from integrations.twilio.error_table import explain
from messaging.sending.reasons import own_reason

from .models import Alert

LINK_TEXTS: dict[str, str] = {
    Alert.Kind.CONNECTION_BROKEN: "Mend the connection",
    Alert.Kind.CODES_REFUSED: "See what helps",
    Alert.Kind.FAILURES_RISING: "See the failed messages",
    Alert.Kind.CAP_NEAR: "See the sending limits",
    Alert.Kind.CAP_REACHED: "See the sending limits",
    Alert.Kind.QUEUE_OLD: "See the waiting messages",
    Alert.Kind.NEEDS_PERSON: "Settle them",
    Alert.Kind.INBOX_FLOODED: "Look, and mute",
    Alert.Kind.CREDITS_LOW: "See the statement",
    Alert.Kind.PREFIX_PAUSED: "Look, and release",
    Alert.Kind.CODES_HELD: "See the limits",
    Alert.Kind.RUNS_LATE: "See the waiting runs",
    Alert.Kind.AUTOMATION_FAILING: "See the failed runs",
}


FLAGGED_AT_CARRIER = (
    "Platform SMS needs you: an answer was lost, and the carrier's log leaves doubt. Look there, and say whether it "
    "was sent under Operator pages, Platform SMS, Unsettled messages."
)


def path_within(route: str, *args: object, query: str = "") -> str:
    """Return an address as it is inside any organization, without the part that names one."""
    return "/" + reverse(route, args=args).removeprefix(get_script_prefix()) + (f"?{query}" if query else "")


def here(link: str) -> str:
    """Return the address of such a link in the organization whose page is being made."""
    return get_script_prefix() + link.lstrip("/") if link else ""


def of_broken(connection: Connection) -> str:
    """Say why a connection is broken and how it is mended."""
    begin = f"The connection “{connection.name}” is broken, so nothing is sent through it."
    if connection.broken_code is None:
        return f"{begin} Check it under System services."
    entry = explain(connection.broken_code)
    return f"{begin} Twilio says: {entry.title} ({connection.broken_code}). {entry.remedy}"[:600]


def of_rising(cause: str, *, failed: int) -> str:
    """Say which failures rise."""
    if cause.isdecimal():
        entry = explain(int(cause))
        title, remedy = f"{entry.title} ({cause}).", entry.remedy
    else:
        reason = own_reason(cause)
        title, remedy = reason.title, reason.remedy
    return f"More messages than usual fail for one cause, {failed:,} in the last 15 minutes: {title} {remedy}"[:600]


def of_old_queue(connection: Connection) -> str:
    """Say that messages wait that could be sent."""
    return (
        f"Messages have waited for more than ten minutes although the connection “{connection.name}” could send them. "
        "The dashboard says whether a worker is missing; if all is well there, ask the operator of the installation."
    )


def of_stuck_carrier(carrier: Connection) -> str:
    """Say that a carrier of platform SMS takes nothing."""
    return (
        f"“{carrier.name}” has not taken platform SMS for more than ten minutes. Each message is tried ten times; then "
        "it fails and its credits come back. Look at that service, or choose another carrier on the operator's pages."
    )


def of_flagged(count: int) -> str:
    """Say that messages need a person."""
    subject = "1 message needs" if count == 1 else f"{count:,} messages need"
    return (
        f"{subject} a person: Twilio's answer was lost, and its log leaves doubt. "
        "Look into Twilio's log and say on the message's page whether it was sent."
    )


def of_floods(count: int, *, texts: int) -> str:
    """Say that one number, or some, write more than anybody reads."""
    subject = "One number floods" if count == 1 else f"{count:,} numbers flood"
    return f"{subject} the inbox: more than {texts} texts a minute. All are kept, none is answered. Mute what is noise."


def of_failing(name: str, *, count: int, detail: str) -> str:
    """Say that an automation fails, and for which cause most of the time."""
    begin = f"The automation “{name}” fails: {count:,} runs within the last hour."
    return f"{begin} {detail} When it is mended, try the failed runs again from their list."[:600]


def of_late_runs() -> str:
    """Say that runs are due and nobody carries them on."""
    return (
        "Runs of automations have been due for more than ten minutes and are not carried on. The dashboard says "
        "whether a worker is missing; if all is well there, ask the operator of the installation."
    )


def of_cap(organization: Organization, *, used: int, cap: int) -> str:
    """Say how much of the day's messages is gone."""
    if used >= cap:
        return (
            f"The daily cap of {cap:,} messages is reached: what is queued now waits until tomorrow "
            f"({organization.time_zone}). An owner or admin may raise the cap."
        )
    return (
        f"{used:,} of today's {cap:,} messages are used up. What comes after the cap waits until tomorrow "
        f"({organization.time_zone})."
    )
