"""Words for why runs failed, were stopped or did not begin, where a list has no room for the whole sentence."""

from integrations.organizations.models import Organization
from messaging.sending.reasons import own_reason

from .models import Automation, Run

_LOOKED_AT = 1_000

_TITLES = {
    "cap": "Limit of the number",
    "loop": "Had set itself off",
    "chain": "Chain too long",
    "stopped": "Stopped by a member",
    "archived": "Automation archived",
    "erased": "Contact erased",
    "internal": "Failed on our side",
    "missing_value": "A value was missing",
    "no_member_number": "No member has a number",
    "bad_text": "The text cannot be read",
    "unknown_step": "Step not known here",
}


def title_of(reason: str) -> str:
    """Return a reason in few words: ours, those of messages, else what the code says by itself."""
    return _TITLES.get(reason) or own_reason(reason).title.rstrip(".")


def reasons_in(organization: Organization, automation: Automation | None, *, chosen: str = "") -> list[tuple[str, str]]:
    """Return the reasons to choose from: those of the newest thousand that failed, did not begin or were stopped."""
    rows = Run.objects.filter(organization=organization)
    if automation is not None:
        rows = rows.filter(automation=automation)
    found = {chosen} if chosen else set()
    for status in (Run.Status.FAILED, Run.Status.SKIPPED, Run.Status.STOPPED):
        newest = rows.filter(status=status).order_by("-pk").values_list("reason", flat=True)[:_LOOKED_AT]
        found.update(reason for reason in newest if reason)
    return sorted(((reason, title_of(reason)) for reason in found), key=lambda one: one[1])
