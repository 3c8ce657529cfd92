"""Refused webhooks: what an admin reads when callbacks stay away."""

import threading
import time
import uuid

from integrations.masking import mask_ip

from .models import Connection, RefusedWebhook

KEPT_PER_CONNECTION = 100
# Anybody may post to a webhook address, so what that costs us is limited: of each reason a burst, then one a second.
BURST = 20
PER_SECOND = 1.0

_lock = threading.Lock()
_budgets: dict[tuple[uuid.UUID, str], tuple[float, float]] = {}


def record_refusal(connection: Connection, path: str, reason: str, detail: str, ip: str) -> bool:
    """Note that a webhook was refused; return False where a flood of the same reason made us leave it out.

    `reason` is one of the constants in refusal_reasons; `path` loses its query, which carries a signature.
    Only the newest KEPT_PER_CONNECTION rows stay.
    """
    if not _within_budget((connection.pk, reason)):
        return False
    row = RefusedWebhook.objects.create(
        connection=connection,
        path=path.partition("?")[0][:200],
        reason=reason[:40],
        detail=detail[:400],
        ip=mask_ip(ip)[:60] if ip else "",
    )
    newest = RefusedWebhook.objects.filter(connection=connection, id__lte=row.id).order_by("-id")
    oldest_kept = newest.values_list("id", flat=True)[KEPT_PER_CONNECTION - 1 : KEPT_PER_CONNECTION]
    RefusedWebhook.objects.filter(connection=connection, id__lt=oldest_kept).delete()
    return True


def _within_budget(key: tuple[uuid.UUID, str]) -> bool:
    """Take one from the budget of this process: keys are connections that exist times a handful of reasons."""
    now = time.monotonic()
    with _lock:
        tokens, at = _budgets.get(key, (float(BURST), now))
        tokens = min(float(BURST), tokens + (now - at) * PER_SECOND)
        _budgets[key] = (max(0.0, tokens - 1.0) if tokens >= 1.0 else tokens, now)
    return tokens >= 1.0
