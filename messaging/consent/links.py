"""The way out for people who cannot reply: a short link of their own, `/u/{token}`.

The token is a keyed hash of whom it is for, so nobody can guess or make one, the same person has the same link in every
message of a sender, and a text can be shown and measured before anything is stored. The row behind it is kept when a
message with the link is.
"""

import re
from collections.abc import Iterable

from django.conf import settings
from django.utils.crypto import salted_hmac

from integrations.organizations.models import Organization

from .models import UnsubscribeLink

VARIABLE = "unsubscribe_link"
# No letters that look alike where somebody types the link; 57 signs, ten of them: 58 bits.
_SIGNS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
TOKEN_LENGTH = 10
TOKEN = re.compile(rf"/u/([{_SIGNS}]{{{TOKEN_LENGTH}}})(?![{_SIGNS}])")


def token_of(organization: Organization, *, phone: str, channel: str = "sms", sender: str = "") -> str:
    """Return the token of one number's link for one sender; it is kept nowhere by this."""
    whom = f"{organization.pk}|{phone}|{channel}|{sender}"
    number = int.from_bytes(salted_hmac("heliograph.unsubscribe", whom, algorithm="sha256").digest())
    signs = []
    for _ in range(TOKEN_LENGTH):
        number, place = divmod(number, len(_SIGNS))
        signs.append(_SIGNS[place])
    return "".join(signs)


def link_of(organization: Organization, *, phone: str, channel: str = "sms", sender: str = "") -> str:
    """Return the address of the link; `keep_links` makes it work."""
    return address_of(token_of(organization, phone=phone, channel=channel, sender=sender))


def address_of(token: str) -> str:
    """Return the address of a token, outside of any organization's pages."""
    return f"{settings.PUBLIC_BASE_URL}/u/{token}"


def sample_link() -> str:
    """Return a link as long as a real one, to show and to measure."""
    return address_of("Abcde23456")


def keep_links(organization: Organization, people: Iterable[tuple[str, str]], *, channel: str = "sms") -> int:
    """Make the links of many (number, sender) work, in one statement; return how many were looked at."""
    rows = [
        UnsubscribeLink(
            token=token_of(organization, phone=phone, channel=channel, sender=sender),
            organization=organization,
            phone=phone,
            channel=channel,
            sender=sender,
        )
        for phone, sender in people
    ]
    UnsubscribeLink.objects.bulk_create(rows, ignore_conflicts=True, batch_size=1000)
    # Of people who were erased and came back: their link is about the number again, which is what a claim looks for.
    erased = UnsubscribeLink.objects.filter(pk__in=[row.token for row in rows], phone__startswith="#")
    returned = set(erased.values_list("pk", flat=True))
    for row in rows:
        if row.token in returned:
            UnsubscribeLink.objects.filter(pk=row.token).update(phone=row.phone)
    return len(rows)


def keep_link_in(organization: Organization, *, body: str, phone: str, channel: str, sender: str) -> bool:
    """Make the link in a text work, where one of this number's stands in it; call it where the message is stored."""
    if not may_hold_link(body):
        return False
    named = set(TOKEN.findall(body))
    senders = [
        known
        for known in dict.fromkeys([sender, ""])
        if token_of(organization, phone=phone, channel=channel, sender=known) in named
    ]
    keep_links(organization, [(phone, known) for known in senders], channel=channel)
    return bool(senders)


def may_hold_link(body: str) -> bool:
    """Tell whether it is worth looking for a link in a text."""
    return "/u/" in body


def is_name(sender: str) -> bool:
    """Tell whether a sender is a name, to which nobody can reply."""
    is_service = sender.startswith("MG") and len(sender) == 34
    return any(sign.isalpha() for sign in sender) and not is_service
