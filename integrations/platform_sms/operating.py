"""What the operator sets up: who carries platform SMS where, at what price, and webhooks that carry it."""

import secrets
from decimal import Decimal

from django.db import transaction
from django.db.models import QuerySet

from integrations.connections.models import Connection
from integrations.encryption import Secret
from integrations.organizations import audit
from integrations.organizations.models import Organization, User

from .models import PlatformDestination
from .offers import price_of

SENTENCES = {
    "platform_sms.destination_changed": "changed who carries platform SMS, or its price",
    "platform_sms.webhook_added": "added the webhook {which} for platform SMS",
    "platform_sms.webhook_removed": "removed the webhook {which} of platform SMS",
}
_MODES = (Connection.Mode.LIVE, Connection.Mode.SANDBOX, Connection.Mode.WEBHOOK)


def operators_organizations() -> QuerySet[Organization]:
    """Return the organizations that an operator is a member of: nobody else's account may be chosen as a carrier."""
    return Organization.objects.filter(members__user__is_operator=True).distinct()


def possible_carriers() -> QuerySet[Connection]:
    """Return the connections that may be chosen, by organization and name."""
    return (
        Connection.objects.filter(organization__in=operators_organizations(), mode__in=_MODES)
        .exclude(status=Connection.Status.DISCONNECTED)
        .select_related("organization")
        .order_by("organization__name", "name")
    )


def destinations() -> list[PlatformDestination]:
    """Return every destination, also those that nobody set up yet."""
    known = {row.destination: row for row in PlatformDestination.objects.select_related("carrier__organization")}
    return [known.get(value) or PlatformDestination(destination=value) for value in PlatformDestination.Destination]


def set_destination(
    destination: str, *, carrier: Connection | None, price: Decimal | None, actor: User | str, ip: str = ""
) -> bool:
    """Choose who carries platform SMS to a destination, None for nobody, and its price, None for that of the settings.

    What is queued already goes by the carrier it was queued for, at the price it was taken in for. Return whether
    anything changed.
    """
    with transaction.atomic():
        PlatformDestination.objects.get_or_create(destination=destination)
        row = PlatformDestination.objects.select_for_update().get(destination=destination)
        before = (row.carrier_id, row.price)
        if before == (carrier.pk if carrier else None, price):
            return False
        was, old_price = str(row.carrier or "nobody"), price_of(destination, own=row.price)
        row.carrier, row.price = carrier, price
        row.save(update_fields=["carrier", "price"])
        audit.record(
            None,
            actor=actor,
            action="platform_sms.destination_changed",
            target=row,
            changes={
                "carrier": [was, str(carrier or "nobody")],
                "price": [str(old_price), str(price_of(destination, own=price))],
            },
            ip=ip,
        )
    return True


def add_webhook(
    organization: Organization, *, name: str, url: str, actor: User | str, ip: str = ""
) -> tuple[Connection, str]:
    """Make a carrier of a webhook and return it with the secret that signs its posts, which is shown this once."""
    secret = f"hgw_{secrets.token_urlsafe(32)}"
    with transaction.atomic():
        connection = Connection.objects.create(
            organization=organization,
            name=name,
            mode=Connection.Mode.WEBHOOK,
            auth=Connection.Auth.AUTH_TOKEN,
            auth_token=Secret.of(secret),
            webhook_url=url,
        )
        audit.record(None, actor=actor, action="platform_sms.webhook_added", target=connection, ip=ip)
    return connection, secret


def remove_webhook(connection: Connection, *, actor: User | str, ip: str = "") -> bool:
    """End a webhook's use and wipe its secret; False where that was done before.

    Its destinations lose their carrier.
    """
    with transaction.atomic():
        row = Connection.objects.select_for_update().get(pk=connection.pk)
        if row.status == Connection.Status.DISCONNECTED:
            return False
        row.status, row.auth_token = Connection.Status.DISCONNECTED, Secret("")
        row.save(update_fields=["status", "auth_token"])
        PlatformDestination.objects.filter(carrier=row).update(carrier=None)
        audit.record(None, actor=actor, action="platform_sms.webhook_removed", target=row, ip=ip)
    return True
