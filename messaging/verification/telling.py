"""Tell admins where visitors get no codes for a reason that only they or the operator can change.

There is one alert for each cause and destination while it lasts. It is raised where a visitor is refused, outside any
transaction, and is over when a code leaves there again, or when the watch finds the cause gone.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache

from integrations.connections.models import Connection
from integrations.connections.selectors import default_connection
from integrations.organizations.models import Organization
from integrations.phones import Phone, parse_phone
from messaging.alerts import words
from messaging.alerts.models import Alert
from messaging.alerts.raising import clear_alerts, raise_alert

from .askers import Asker
from .models import Verification
from .refusals import VerificationRefused
from .ways import check_credits, way_of

GONE, BROKEN = "verify_service_gone", "connection_broken"
# A broken connection has an alert of its own.
_CAUSES = frozenset({"insufficient_credits", "not_connected", "no_sender", "no_route", "platform_unavailable"})
_CHINA, _WORLD, _MAIL = "china", "world", "mail"
_WHERE = {_CHINA: "to Mainland China", _WORLD: "outside Mainland China", _MAIL: "by e-mail"}
_CREDITS = "Too few credits are left for platform SMS, which carries them. Ask your operator to top them up."
_REMEDIES = {
    (_CHINA, "insufficient_credits"): _CREDITS,
    (_WORLD, "insufficient_credits"): f"{_CREDITS} Or connect Twilio, by which these codes cost no credits.",
    (_WORLD, "not_connected"): "No Twilio account is connected, and this installation offers no platform SMS there. "
    "Connect Twilio under Integration, System services.",
    (_MAIL, "not_connected"): "No Twilio account is connected. Connect one under Integration, System services, with a "
    "Verify Service.",
}
_PAGES = {"insufficient_credits": "credits:statement", "not_connected": "connections:services"}


@contextmanager
def of_refusals(organization: Organization, *, phone: Phone | None, asker: Asker) -> Iterator[None]:
    """Raise the alert of whatever refusal comes out of the block, where a visitor is concerned.

    Who asks by API, or tries on a page, reads the reason as the answer; a visitor never does.
    """
    try:
        yield
    except VerificationRefused as refused:
        if refused.code == GONE and refused.verification_id is not None:
            service_gone(Verification.objects.select_related("connection").get(pk=refused.verification_id))
        elif refused.code == BROKEN:
            _tell_broken(organization)
        elif asker.is_public and refused.code in _CAUSES:
            _tell(organization, _destination(phone), code=refused.code, detail=refused.detail)
        raise


def service_gone(verification: Verification) -> None:
    """Raise the alert of a Verify Service that Twilio does not find any more: whoever asked, nobody gets a code."""
    connection = verification.connection
    if connection is None or connection.verify_service_sid != verification.service_sid:
        return  # an old one, in whose place the connection names another by now
    where = _MAIL if verification.email else _WORLD
    raise_alert(
        connection.organization,
        kind=Alert.Kind.CODES_REFUSED,
        key=f"{where}:{GONE}:{verification.service_sid}",
        text=f"No codes leave {_WHERE[where]}. The connection “{connection.name}” names a Verify Service that Twilio "
        "does not find: it was deleted, or is another account's. Enter the SID of one that exists; without one, codes "
        "go out as SMS from your own sender.",
        link=words.path_within("connections:detail", connection.pk),
    )


def code_left(organization: Organization, *, phone: Phone | None) -> None:
    """Note that a code left: whatever kept codes from that destination is over."""
    clear_alerts(organization, kind=Alert.Kind.CODES_REFUSED, prefix=f"{_destination(phone)}:")


@dataclass(frozen=True)
class Standing:
    """An open alert whose cause lasts."""

    organization: Organization
    key: str
    text: str
    link: str


def standing() -> Iterator[Standing]:
    """Find the open alerts whose cause is still there, as far as that can be told without asking Twilio."""
    opened = Alert.objects.filter(kind=Alert.Kind.CODES_REFUSED, cleared_at=None).select_related("organization")
    for alert in opened:
        if not alert.organization.is_suspended and _lasts(alert.organization, alert.key):
            yield Standing(alert.organization, alert.key, alert.text, alert.link)


def _lasts(organization: Organization, key: str) -> bool:
    where, _, cause = key.partition(":")
    code, _, service_sid = cause.partition(":")
    if code == GONE:
        connection = default_connection(organization)
        return (
            connection is not None
            and connection.status != Connection.Status.DISCONNECTED
            and connection.verify_service_sid == service_sid
        )
    try:
        _, route = way_of(organization, phone=_samples()[where])
        check_credits(organization, route)
    except VerificationRefused as refused:
        return refused.code == code
    return False


def _tell(organization: Organization, where: str, *, code: str, detail: str) -> None:
    remedy = _REMEDIES.get((where, code), detail)
    connection = default_connection(organization) if code == "no_sender" else None
    if connection is not None:
        link = words.path_within("connections:detail", connection.pk)
    else:
        link = words.path_within(_PAGES.get(code, "routing:why"))
    raise_alert(
        organization,
        kind=Alert.Kind.CODES_REFUSED,
        key=f"{where}:{code}",
        text=f"Visitors of your forms and portals get no codes {_WHERE[where]}. {remedy}"[:600],
        link=link,
    )


def _tell_broken(organization: Organization) -> None:
    """Make sure that the alert of the broken connection stands; the watch would find it half a minute later."""
    connection = default_connection(organization)
    if connection is not None and connection.status == Connection.Status.BROKEN:
        raise_alert(
            organization,
            kind=Alert.Kind.CONNECTION_BROKEN,
            key=str(connection.pk),
            text=words.of_broken(connection),
            link=words.path_within("connections:detail", connection.pk),
        )


def _destination(phone: Phone | None) -> str:
    """Return where a code goes, as far as routes differ."""
    if phone is None:
        return _MAIL
    return _CHINA if phone.is_mainland_china else _WORLD


@cache
def _samples() -> dict[str, Phone | None]:
    """Return a number of each destination, to ask the routing table about; nothing is sent to it."""
    return {
        _CHINA: parse_phone("+8613800138000", region=None),
        _WORLD: parse_phone("+4915112345678", region=None),
        _MAIL: None,
    }
