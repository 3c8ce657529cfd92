"""A STOP that answers platform SMS: it reaches every organization whose messages the carrier brought to the number.

The person sees one sender and cannot know whose messages came from it.
"""

from datetime import datetime, timedelta

from integrations.clock import database_now
from integrations.connections.models import Connection
from integrations.organizations.models import Organization
from integrations.platform_sms.models import PLATFORM_SENDER
from messaging.sending.models import Message

from .models import ConsentPolicy, OptOut
from .opt_outs import opt_in, start_opt_out
from .policy import policy_of

REACHES_BACK = timedelta(days=90)
_EVIDENCE = {"route": "platform"}


def stop_for_all(connection: Connection, *, phone: str, keyword: str) -> int:
    """Opt the number out of every organization whose platform SMS this carrier brought it lately; return how many."""
    stopped = 0
    for organization in _writers(connection, phone, since=database_now() - REACHES_BACK):
        is_narrow = policy_of(organization).scope == ConsentPolicy.Scope.SENDER
        _, is_new = start_opt_out(
            organization,
            phone=phone,
            source=OptOut.Source.KEYWORD,
            scope=OptOut.Scope.SENDER if is_narrow else OptOut.Scope.ORGANIZATION,
            sender=PLATFORM_SENDER,
            keyword=keyword[:40],
            evidence=_EVIDENCE,
        )
        stopped += is_new
    return stopped


def start_for_all(connection: Connection, *, phone: str) -> int:
    """Undo that with a START to the carrier, however long ago the STOP was; return how many opt-outs ended."""
    return sum(
        opt_in(organization, phone=phone, source=OptOut.Source.KEYWORD, sender=PLATFORM_SENDER, evidence=_EVIDENCE)
        for organization in _writers(connection, phone)
    )


def _writers(connection: Connection, phone: str, *, since: datetime | None = None) -> list[Organization]:
    """Return the organizations whose platform SMS to the number left by the carrier, in one order."""
    rows = Message.objects.filter(connection=connection, route="platform", phone=phone, attempts__gt=0)
    if since is not None:
        rows = rows.filter(created_at__gte=since)
    owners = set(rows.order_by().values_list("organization", flat=True).distinct())
    return list(Organization.objects.filter(pk__in=owners).order_by("pk")) if owners else []
