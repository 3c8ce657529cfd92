"""Every limit of asking for codes: its name, its figure, its sentences; and the door that holds each request to them.

What the limits are against is called SMS pumping: somebody has codes sent to numbers whose operator pays him for each.
He has thousands of addresses and hundreds of ranges of numbers, so no count of his addresses finds him out. What he
does not do is confirm codes. Most figures therefore count codes that nobody confirmed; each one that is confirmed makes
room for another. A crowd that signs up at once is let in as fast as it confirms, however many share one address.

`admit` is called before anything is sent and outside any transaction, because what it refuses is counted too.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from integrations.clock import database_now
from integrations.organizations.models import Organization
from integrations.phones import NumberKind, Phone, region_name

from . import pausing
from .askers import Asker
from .counting import BLOCKS, Key, keys_of, keys_of_email, lock, note_refusal, read, write
from .judging import Refused, judge, judge_address, resend_wait
from .limit_models import LimitCount, VerificationPolicy


@dataclass(frozen=True)
class Limit:
    """One limit: `figure` is what holds unless an organization set another, `visitor` what a visitor reads."""

    name: str
    title: str
    figure: int
    unit: str
    help: str
    visitor: Promise | str
    least: int = 1
    most: int = 1_000_000


_LATER = _("Many people ask for codes just now. Wait a minute, then try again.")
_ADDRESS = _("Too many codes were asked for this address. Please try again later.")
_CONNECTION = _("Too many codes were asked for from your internet connection. Please try again later.")

LIMITS: dict[str, Limit] = {
    limit.name: limit
    for limit in (
        Limit(
            "resend", "Wait before another code", 30, "seconds",
            "Before somebody who waits for a code may ask for another one. The wait doubles with each.", "",
            least=1, most=600,
        ),
        Limit(
            "number", "One number", 5, "codes an hour that nobody confirms",
            "Keeps a stranger's phone from being flooded.",
            _("Too many codes were asked for this number. Please try again later."), most=100,
        ),
        Limit(
            "number_day", "One number, in a day", 20, "codes a day",
            "Confirmed ones too.",
            _("Too many codes were asked for this number today. Please try again tomorrow."), most=1_000,
        ),
        Limit(
            "ip", "One internet address", 30, "codes an hour that nobody confirms",
            "A company or a mobile operator may have many people behind one: who confirms makes room for others.",
            _CONNECTION,
        ),
        Limit(
            "network", "One network", 90, "codes an hour that nobody confirms",
            "The 256 neighbours of an address (/24), or a /48 of IPv6.", _CONNECTION,
        ),
        Limit(
            "asker", "One form or portal", 150, "codes an hour that nobody confirms",
            "From a tenth of it on visitors solve a small task unseen; from a fifth on codes leave a few a minute, and "
            "none to numbers near which many are asked for. Expecting a crowd? Raise it for the day.", _LATER,
        ),
        Limit("country", "One country", 100, "codes an hour that nobody confirms", "Numbers of one country.", _LATER),
        Limit(
            "day", "All together", 2_000, "codes a day",
            "Confirmed ones too: what a day may cost at most.",
            _("No more codes can be sent today. Please try again tomorrow."),
        ),
        Limit(
            "prefix", "Numbers with the same beginning", 5, "codes an hour that nobody confirms",
            "Of a hundred thousand neighbouring numbers; of a million twice as many, of ten million six times. "
            "Beyond what is usual there, the prefix is paused and you are told.",
            _("To guard against abuse, no codes go to numbers like this one for now. Use another number, or try "
              "again tomorrow."),
            most=10_000,
        ),
        Limit("address", "One e-mail address", 5, "codes an hour", "Confirmed ones too.", _ADDRESS, most=100),
        Limit(
            "addresses", "All e-mail addresses together", 150, "codes an hour",
            "Confirmed ones too. Codes by e-mail count here alone, and not with those to numbers.", _LATER,
        ),
        Limit("pause", "How long a prefix is paused", 6, "hours", "You can release it earlier.", "", most=168),
    )
}  # fmt: skip

# Names of refusals that have no figure.
OTHER_WORDS: dict[str, Promise | str] = {
    "kind": _("This number cannot receive SMS. Please use a mobile number."),
    "regions": _("Codes cannot be sent to numbers of this country. Please use another number."),
    "challenge": _("One more step is needed before we can send a code. Please press the button again."),
}

OTHER_TITLES = {
    "kind": "Numbers that are no mobile phone's",
    "regions": "Countries that are not chosen",
    "challenge": "The task of a form that looks attacked",
}

# Landlines can be called. What costs the caller more than a call, or belongs to no person, gets nothing at all.
_TEXTABLE = frozenset({NumberKind.MOBILE, NumberKind.FIXED_OR_MOBILE})
_REMEMBERED = frozenset({"pair", "device", "ip", "network", "asker"})
_CALLABLE = _TEXTABLE | {NumberKind.FIXED_LINE, NumberKind.VOIP}


class LimitReached(Exception):
    """No code is sent: `visitor` reads one calm sentence, `detail` tells admins and developers which limit and how far.

    `retry_after` are seconds; None where waiting does not help. Where `name` is "challenge", the visitor's page has to
    show one: see challenge.py.
    """

    def __init__(self, name: str, *, detail: str, retry_after: int | None) -> None:
        super().__init__(detail)
        self.name, self.detail, self.retry_after = name, detail, retry_after

    @property
    def visitor(self) -> str:
        """The sentence for the visitor, in the language that is active where it is asked for."""
        return str(LIMITS[self.name].visitor if self.name in LIMITS else OTHER_WORDS[self.name])


def admit(organization: Organization, *, phone: Phone, asker: Asker, channel: str = "sms") -> None:
    """Count a request for a code, and let it pass or raise LimitReached.

    A code that passes counts as sent, also where Twilio refuses it afterwards: its Fraud Guard refuses what is pumped.
    Call it outside any transaction: a refusal that is rolled back would not be counted, and what an attacker asks for
    is what he is known by.
    """
    now = database_now()
    policy = policy_of(organization)
    refused = (
        _refused_number(organization, policy, phone=phone, channel=channel, is_public=asker.is_public)
        or (None if asker.device else pausing.standing(organization, phone=phone, now=now))
        or _counted(organization, policy, phone=phone, asker=asker, now=now)
    )
    if refused is not None:
        note_refusal(organization, name=refused.name, now=now)
        raise LimitReached(refused.name, detail=refused.detail, retry_after=refused.retry_after)


def admit_address(organization: Organization, *, email: str) -> None:
    """Count a request for a code by e-mail, and let it pass or raise LimitReached; outside any transaction."""
    now = database_now()
    figures = figures_of(policy_of(organization))
    with transaction.atomic(durable=True):
        rows = {key.scope: row for key, row in lock(organization, keys_of_email(email), now=now).items()}
        refused = judge_address(rows, figures=figures)
        for row in rows.values():
            row.asked += 1
            row.sent += refused is None
        write(list(rows.values()), now=now)
    if refused is not None:
        note_refusal(organization, name=refused.name, now=now)
        raise LimitReached(refused.name, detail=refused.detail, retry_after=refused.retry_after)


def takes(phone: Phone, *, channel: str) -> bool:
    """Tell whether numbers of this kind get codes by a channel: landlines and VoIP numbers are called, not texted."""
    return phone.kind in (_CALLABLE if channel == "call" else _TEXTABLE)


def approved(organization: Organization, *, phone: Phone) -> None:
    """Note that somebody confirmed the last code that went to this number; once for each verification.

    It counts where the code was asked from, too, which the number's row says.
    """
    now = database_now()
    number, *others = keys_of(phone, Asker("member"))
    known = read(organization, [number], now=now).get(number)
    if known is None or not known.origin:
        return
    origin = [Key(*entry.split("=", 1)) for entry in known.origin]
    keys = [number, *(key for key in others if key.scope != "asker"), *origin]
    with transaction.atomic():
        rows = lock(organization, keys, now=now)
        for row in rows.values():
            row.approved += 1
            row.usual_approved += 1
            row.fresh = max(0.0, row.fresh - 1)
        write(list(rows.values()), now=now)


def resend_wait_of(organization: Organization, *, sends: int) -> int:
    """Return after how many seconds a further code may be asked for, when so many went to the number in a row."""
    return resend_wait(sends, first=figures_of(policy_of(organization))["resend"])


def policy_of(organization: Organization) -> VerificationPolicy:
    """Return what the organization set, or an unsaved policy where it never did."""
    found = VerificationPolicy.objects.filter(organization=organization).first()
    return found or VerificationPolicy(organization=organization)


def figures_of(policy: VerificationPolicy) -> dict[str, int]:
    """Return the figure of each limit, the organization's own where it set one."""
    own = {name: getattr(policy, name) for name in LIMITS}
    return {name: limit.figure if own[name] is None else own[name] for name, limit in LIMITS.items()}


def regions_of(organization: Organization, policy: VerificationPolicy) -> set[str]:
    """Return the countries that get codes: the organization's own and those it picked."""
    return {organization.default_region.upper(), *policy.regions}


def _refused_number(
    organization: Organization, policy: VerificationPolicy, *, phone: Phone, channel: str, is_public: bool
) -> Refused | None:
    # Satellite phones and other networks without a country: +881, +882, +883, +870, +878, +979, +808, +800, +888.
    if not phone.region:
        return Refused("kind", "This number belongs to no country (satellite, international premium or freephone).")
    if not takes(phone, channel=channel):
        kind = phone.kind.value.replace("_", " ")
        hint = " Offer a call instead." if phone.kind in _CALLABLE else ""
        return Refused("kind", f"Codes are not sent to numbers of this kind ({kind}).{hint}")
    # A server or a member names a number that somebody of theirs has: held to countries once some are picked.
    if (is_public or policy.regions) and phone.region not in regions_of(organization, policy):
        return Refused(
            "regions",
            f"{region_name(phone.region)} is not among the countries that codes are sent to. "
            "An owner or admin may add it under Settings → Verification limits.",
        )
    return None


def _counted(
    organization: Organization, policy: VerificationPolicy, *, phone: Phone, asker: Asker, now: datetime
) -> Refused | None:
    """Hold the request to every count at once: all rows are locked first, so of many requests none slips through."""
    figures = figures_of(policy)
    with transaction.atomic(durable=True):
        found = lock(organization, keys_of(phone, asker), now=now)
        rows = {key.scope: row for key, row in found.items()}
        verdict = judge(rows, figures=figures, asker=asker)
        refused = verdict.refused
        if refused is not None and refused.name == "challenge":
            return refused  # who did not do his part is not counted
        _count(rows, is_sent=refused is None, is_braked=verdict.is_braked, is_spare=verdict.is_spare)
        if refused is None:
            _remember_origin(rows)
        elif refused.pauses:
            pausing.pause(organization, rows[refused.pauses], phone=phone, hours=figures["pause"], now=now)
        elif refused.held:
            _note_held(rows[refused.held], now=now)
        write(list(rows.values()), now=now)
    return refused


def _note_held(row: LimitCount, *, now: datetime) -> None:
    """Remember, to the minute, that admins have to hear of this."""
    if row.held_at is None or now - row.held_at > timedelta(minutes=1):
        LimitCount.objects.filter(pk=row.pk).update(held_at=now)


def _count(rows: dict[str, LimitCount], *, is_sent: bool, is_braked: bool, is_spare: bool) -> None:
    """Count the asking, and the code if one is sent.

    Of one number that is asked for again and again a block has one code: it is somebody who does not get it, and no
    range that is pumped.
    """
    number = rows["number"]
    asks_first, gets_first = number.asked < 0.5, number.sent < 0.5
    for scope, row in rows.items():
        row.asked += scope not in BLOCKS or asks_first
        if is_sent and (scope not in BLOCKS or gets_first) and (scope != "spare" or is_spare):
            row.sent += 1
            row.fresh += 1
            row.usual_sent += 1
    rows["asker"].paced += is_sent and is_braked


def _remember_origin(rows: dict[str, LimitCount]) -> None:
    """Keep with the number from where its last code was asked for, so that its confirmation counts there."""
    origin = [f"{row.scope}={row.key}" for row in rows.values() if row.scope in _REMEMBERED]
    LimitCount.objects.filter(pk=rows["number"].pk).update(origin=origin)
