"""What an unsubscribe link does: opt its own number out, and take that back as far as the link itself made it."""

from dataclasses import dataclass

from .blocking import find_block, reaches
from .keywords import as_seen
from .links import TOKEN_LENGTH
from .models import ConsentPolicy, OptOut, UnsubscribeLink
from .opt_outs import end_by_person, opt_out
from .policy import policy_of


@dataclass(frozen=True)
class Standing:
    """How things stand for whoever opened a link; `may_undo`: the link may end what keeps messages away."""

    is_stopped: bool
    may_undo: bool


def find_link(token: str) -> UnsubscribeLink | None:
    """Return the link of a token; None for whatever is none, and for an organization that does not exist any more."""
    if len(token) != TOKEN_LENGTH or not token.isascii() or not token.isalnum():
        return None
    return UnsubscribeLink.objects.select_related("organization").filter(pk=token).first()


def standing_of(link: UnsubscribeLink) -> Standing:
    """Return whether the number is opted out of what the link is about, and whether the link can undo it."""
    standing = list(
        OptOut.objects.filter(
            reaches(link.sender),
            organization=link.organization,
            phone=link.phone,
            channel=link.channel,
            ended_at=None,
        )
    )
    may_undo = all(row.source == OptOut.Source.LINK and not row.twilio_scope for row in standing)
    return Standing(is_stopped=bool(standing), may_undo=bool(standing) and may_undo)


def leave(link: UnsubscribeLink, *, ip: str = "") -> OptOut:
    """Opt the link's number out, as far as a STOP would reach; a second time changes nothing."""
    policy = policy_of(link.organization)
    is_narrow = policy.scope == ConsentPolicy.Scope.SENDER and bool(link.sender)
    return opt_out(
        link.organization,
        phone=link.phone,
        channel=link.channel,
        source=OptOut.Source.LINK,
        scope=OptOut.Scope.SENDER if is_narrow else OptOut.Scope.ORGANIZATION,
        sender=link.sender if is_narrow else "",
        evidence={"ip": ip, "sender": as_seen(link.sender)},
    )


def come_back(link: UnsubscribeLink) -> bool:
    """End what the link began; False where only START can, or nothing was to be ended."""
    end_by_person(
        link.organization, phone=link.phone, channel=link.channel, source=OptOut.Source.LINK, sender=link.sender
    )
    still = find_block(
        link.organization, phone=link.phone, channel=link.channel, sender=link.sender, purpose="transactional"
    )
    return still is None
