"""What a person wants to be written to about: kept in the ledger of consent and as an opt-out, never beside a STOP."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from integrations.organizations.models import Organization
from integrations.phones import pretty
from messaging.consent.ledger import Action, Entry, Source, State, record_consent, state_of
from messaging.consent.models import ConsentPurpose, OptOut
from messaging.consent.opt_outs import end_by_person, opt_out
from messaging.consent.selectors import standing_of

from .models import PortalUser

CHANNEL = "sms"


@dataclass(frozen=True)
class Stop:
    """An opt-out that only a START ends; `sender` is the number it was sent to, "" where it covers everything."""

    sender: str
    since: datetime


@dataclass(frozen=True)
class Agreed:
    """Something the person agreed to by words that are kept."""

    purpose: str
    wording: str
    at: datetime


@dataclass(frozen=True)
class Wishes:
    """How things stand: whether messages come at all, and news among them.

    `stops` are what only the person's phone can lift; with one for everything nothing can be switched on here.
    """

    gets_messages: bool
    gets_news: bool
    stops: Sequence[Stop]
    agreed: Sequence[Agreed]

    @property
    def needs_start(self) -> bool:
        """Whether only a START lets messages come again."""
        return any(not stop.sender for stop in self.stops)


class WishRefused(Exception):
    """What is wanted cannot be had here: a sentence with the next step, in the active language."""


def wishes_of(user: PortalUser) -> Wishes:
    """Return what the person gets of the organization, on the number they have now."""
    organization = user.portal.organization
    standing = [row for row in standing_of(organization, phone=user.phone) if row.channel == CHANNEL]
    whole = [row for row in standing if row.scope == OptOut.Scope.ORGANIZATION]
    stops = [_stop(row) for row in standing if not _was_made_here(row)]
    states = [state_of(organization, phone=user.phone, purpose=purpose) for purpose in _PURPOSES]
    agreed = [
        Agreed(state.purpose, str(state.record.evidence.get("wording", "")), state.record.at)
        for state in states
        if state is not None and state.state == State.GRANTED
    ]
    return Wishes(
        gets_messages=not whole,
        gets_news=not whole and any(one.purpose == ConsentPurpose.MARKETING for one in agreed),
        stops=stops,
        agreed=agreed,
    )


def change_wishes(user: PortalUser, *, messages: bool, news: bool, wording: str, language: str) -> Wishes:
    """Bring about what the person ticked, and return how things stand then; raise WishRefused.

    Without messages there are no news either. `wording` are the words beside the box for news, as the person read them.
    """
    organization = user.portal.organization
    proof = {
        "portal": user.portal.name,
        "portal_id": str(user.portal_id),
        "portal_user": str(user.pk),
        "number_verified": True,
        "language": language,
    }
    with transaction.atomic():
        before = wishes_of(user)
        if messages and before.needs_start:
            raise WishRefused(start_sentence(organization))
        if messages and not before.gets_messages:
            end_by_person(organization, phone=user.phone, channel=CHANNEL, source=OptOut.Source.PORTAL)
        if not messages:
            # Before the opt-out, which takes this consent back by itself and would give it again when it ends.
            if not news and before.gets_news:
                _record(organization, user, Action.WITHDRAWN, proof)
            if before.gets_messages:
                opt_out(organization, phone=user.phone, source=OptOut.Source.PORTAL, evidence=proof)
            return wishes_of(user)
        now = wishes_of(user)
        if news and not now.gets_news:
            _record(organization, user, Action.GRANTED, {**proof, "wording": wording})
        elif not news and now.gets_news:
            _record(organization, user, Action.WITHDRAWN, proof)
        return wishes_of(user)


def start_sentence(organization: Organization) -> str:
    """Return how somebody whose number was stopped elsewhere, by a STOP mostly, gets messages again."""
    return _(
        "The messages of %(name)s to your number were stopped. Only your phone can undo that: "
        "text START to the number that they came from."
    ) % {"name": organization.name}


_PURPOSES = (ConsentPurpose.TRANSACTIONAL, ConsentPurpose.MARKETING)


def _record(organization: Organization, user: PortalUser, action: str, proof: dict[str, object]) -> None:
    record_consent(
        organization,
        Entry(phone=user.phone, action=action, source=Source.PORTAL, channel=CHANNEL, evidence=proof),
    )


def _was_made_here(row: OptOut) -> bool:
    return row.source == OptOut.Source.PORTAL and not row.twilio_scope


def _stop(row: OptOut) -> Stop:
    is_number = row.sender.startswith("+")
    return Stop(sender=(pretty(row.sender) if is_number else row.sender) if row.sender else "", since=row.started_at)
