"""Which organizations are short of credits, and how long theirs will last."""

from collections.abc import Iterator

from django.db.models import DecimalField, F, OuterRef, Subquery
from django.db.models.functions import Coalesce

from integrations.organizations.models import Organization
from integrations.platform_sms.models import CreditAccount, CreditEntry, PlatformPolicy
from integrations.platform_sms.statement import Outlook, outlook_of

_USUAL = PlatformPolicy._meta.get_field("warn_below").default


def short_of_credits() -> Iterator[tuple[Organization, Outlook]]:
    """Yield the organizations that had credits once and have fewer than they want to be warned of."""
    own = PlatformPolicy.objects.filter(organization=OuterRef("organization")).values("warn_below")[:1]
    usual = DecimalField(max_digits=14, decimal_places=4)
    accounts = (
        CreditAccount.objects.filter(organization__status=Organization.Status.ACTIVE)
        .annotate(wanted=Coalesce(Subquery(own), _USUAL, output_field=usual))
        .filter(balance__lt=F("wanted"))
        .select_related("organization")
    )
    for account in accounts:
        if CreditEntry.objects.filter(account=account).exists():
            yield account.organization, outlook_of(account.organization)


def in_words(outlook: Outlook) -> str:
    """Say how many credits are left and for how long."""
    # Without the figure itself: the alert would change with every message.
    if outlook.balance <= 0:
        return (
            "No credits are left: nothing goes by platform SMS, neither texts to Mainland China nor codes without "
            "Twilio. Ask your operator to top them up."
        )
    if outlook.days_left is None:
        lasts = "None were spent in the last week."
    elif outlook.days_left < 1:
        lasts = "At the rate of the last week they last for less than a day."
    else:
        lasts = (
            f"At the rate of the last week they last for about {outlook.days_left:,} "
            f"day{'s' if outlook.days_left != 1 else ''}."
        )
    return f"The credits for platform SMS run low. {lasts} Ask your operator to top them up."
