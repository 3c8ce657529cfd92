"""Tags that pages of every wing may use."""

import zoneinfo
from datetime import UTC, datetime, timedelta, tzinfo

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from integrations.organizations.models import Organization
from integrations.phones import find_region, flag_emoji, pretty, region_name
from integrations.platform_sms.ledger import shown

register = template.Library()
register.filter("credits", shown)

_STEPS = (
    (timedelta(hours=1), timedelta(minutes=1), "minute"),
    (timedelta(days=1), timedelta(hours=1), "hour"),
    (timedelta(days=14), timedelta(days=1), "day"),
)


@register.simple_tag
def when(value: datetime | None, organization: Organization | None = None) -> SafeString:
    """Return a <time> that reads relatively, with the exact time in the organization's zone as its title."""
    if value is None:
        return format_html('<span class="hg-soft">{}</span>', "never")
    local = value.astimezone(zone_of(organization))
    exact = f"{local:%d %b %Y, %H:%M:%S} {local.tzname()}"
    return format_html(
        '<time datetime="{}" title="{}" class="hg-nowrap">{}</time>',
        value.astimezone(UTC).isoformat(timespec="seconds"),
        exact,
        relative(value, local=local, now=timezone.now()),
    )


@register.simple_tag
def phone(value: str) -> SafeString:
    """Show a stored number as people write it internationally, with its flag and, as title, its country."""
    region = find_region(value)
    if not region:
        return format_html('<span class="hg-phone hg-num hg-nowrap">{}</span>', pretty(value))
    return format_html(
        '<span class="hg-phone hg-num hg-nowrap" title="{}"><span aria-hidden="true">{}</span> {}</span>',
        region_name(region),
        flag_emoji(region),
        pretty(value),
    )


def relative(value: datetime, *, local: datetime, now: datetime) -> str:
    """Return the distance from now in words; beyond two weeks the date says more than a count of days."""
    distance = abs(now - value)
    if distance < timedelta(seconds=45):
        return "just now" if value <= now else "in a moment"
    for limit, unit, name in _STEPS:
        count = max(1, round(distance / unit))
        if distance < limit and count < limit / unit:
            words = f"{count} {name}{'' if count == 1 else 's'}"
            return f"{words} ago" if value <= now else f"in {words}"
    same_year = local.year == now.astimezone(local.tzinfo).year
    return f"{local.day} {local:%b}" if same_year else f"{local.day} {local:%b %Y}"


def zone_of(organization: Organization | None) -> tzinfo:
    """Return the organization's time zone; UTC without one, or where its name has left the time zone database."""
    try:
        return zoneinfo.ZoneInfo(organization.time_zone) if organization is not None else UTC
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        return UTC
