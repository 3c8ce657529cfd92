"""May this number be written to now? One rule, told three ways: for one number, for many, and inside a statement.

Transactional messages are stopped by an opt-out only; marketing also where nobody agreed to it; codes that the person
has just asked for, and answers about consent itself, by neither.
"""

from collections.abc import Sequence

from django.db.models import Q

from integrations.organizations.models import Organization
from messaging.contacts.erasure.number_keys import forms_of, keys_of

from .models import ConsentPurpose, ConsentState, OptOut

OPTED_OUT, NO_CONSENT = "opted_out", "no_consent"
VERIFICATION, MARKETING = ConsentPurpose.VERIFICATION.value, ConsentPurpose.MARKETING.value
# The one answer to a STOP that may follow it, written by `answering.py` and by nobody else.
ABOUT_CONSENT = "consent"
NEVER_BLOCKED = frozenset({VERIFICATION, ABOUT_CONSENT})


def reaches(sender: str) -> Q:
    """Return which opt-outs cover what `sender` (a number, a name or a Messaging Service SID) sends."""
    whole = Q(scope=OptOut.Scope.ORGANIZATION)
    return whole | Q(scope=OptOut.Scope.SENDER, sender=sender) if sender else whole


def find_block(
    organization: Organization, *, phone: str, channel: str = "sms", sender: str = "", purpose: str
) -> OptOut | None:
    """Return the opt-out that forbids writing to this number now, or None.

    It covers the whole organization or the given sender (a number or a Messaging Service SID). A verification code
    is never blocked: the person has just asked for it.
    """
    if purpose in NEVER_BLOCKED:
        return None
    forms = forms_of(organization, phone)
    return (
        OptOut.objects.filter(
            reaches(sender), organization=organization, phone__in=forms, channel=channel, ended_at=None
        )
        .order_by("scope")
        .first()
    )


def block_reason(
    organization: Organization, *, phone: str, channel: str = "sms", sender: str = "", purpose: str
) -> str:
    """Return why this number must not be written to now, opted_out or no_consent, or "" where it may be."""
    return consent_blocks(organization, [phone], purpose=purpose, channel=channel, sender=sender).get(phone, "")


def consent_blocks(
    organization: Organization, phones: Sequence[str], *, purpose: str, channel: str = "sms", sender: str = ""
) -> dict[str, str]:
    """Return, of many numbers (a few thousand at a time), those that must not be written to, with the reason."""
    if purpose in NEVER_BLOCKED or not phones:
        return {}
    wanted = list(dict.fromkeys(phones))
    # Somebody who was erased, and comes back by any way, is still opted out: see contacts/erasure/number_keys.py.
    forms = keys_of(organization, wanted)
    opted_out = set(
        OptOut.objects.filter(
            reaches(sender),
            organization=organization,
            phone__in=[form for phone in wanted for form in forms[phone]],
            channel=channel,
            ended_at=None,
        ).values_list("phone", flat=True)
    )
    blocks = {phone: OPTED_OUT for phone in wanted if not opted_out.isdisjoint(forms[phone])}
    if purpose == MARKETING:
        agreed = set(
            ConsentState.objects.filter(
                organization=organization,
                phone__in=wanted,
                channel=channel,
                purpose=MARKETING,
                state=ConsentState.State.GRANTED,
            ).values_list("phone", flat=True)
        )
        for phone in wanted:
            if phone not in agreed:
                blocks.setdefault(phone, NO_CONSENT)
    return blocks


def block_sql(
    *,
    organization: str = "m.organization_id",
    phone: str = "m.phone",
    channel: str = "m.channel",
    purpose: str = "m.purpose",
    sender: str = "m.sender",
    erased: str = "",
) -> str:
    """Return the rule as an SQL expression, 'opted_out', 'no_consent' or NULL, for statements that let messages go.

    `erased` is what stands in the place of the number once its person was erased: for statements that take messages in;
    what is taken in already was asked then, and erasing cancels it.
    The arguments are SQL expressions of the statement, never input. The ledger is asked for marketing only, and one
    row at a time: without OFFSET the planner may prefer to read the whole of it into a hash.
    """
    same = f"o.phone IN ({phone}, {erased})" if erased else f"o.phone = {phone}"
    return f"""CASE
        WHEN {purpose} IN ('verification', 'consent') THEN NULL
        WHEN EXISTS (
            SELECT 1 FROM messaging_optout o
            WHERE o.organization_id = {organization} AND {same} AND o.channel = {channel}
                AND o.ended_at IS NULL AND (o.scope = 'organization' OR o.sender = {sender})
        ) THEN 'opted_out'
        WHEN {purpose} = 'marketing' AND NOT EXISTS (
            SELECT 1 FROM messaging_consentstate s
            WHERE s.organization_id = {organization} AND s.phone = {phone} AND s.channel = {channel}
                AND s.purpose = 'marketing' AND s.state = 'granted'
            OFFSET 0
        ) THEN 'no_consent'
    END"""  # noqa: S608 - expressions of our own statements
