"""Runs that have served their time: deleted with their steps after as many days as the organization set."""

import uuid
from collections.abc import Sequence
from datetime import datetime

from django.db.models import QuerySet

from integrations.identifiers import first_id_of
from integrations.organizations.models import Organization
from messaging.retention.kept import Kept

from .models import AutomationVersion, Run, RunMessage, RunStep

ENDED = (Run.Status.DONE, Run.Status.FAILED, Run.Status.STOPPED, Run.Status.SKIPPED)


def _older(organization: Organization, moment: datetime) -> QuerySet[Run]:
    """Return those that ended before a moment; who waits for ten years is not forgotten in the meantime."""
    # None of them began later: by that, what is younger is not read at all.
    return Run.objects.filter(
        organization=organization, id__lt=first_id_of(moment), status__in=ENDED, ended_at__lt=moment
    )


def _delete(organization: Organization, ids: Sequence[uuid.UUID]) -> None:
    """Delete them with their steps, and the drafts that were tried and have no run left."""
    runs = Run.objects.filter(organization=organization, pk__in=ids)
    tried = list(
        AutomationVersion.objects.filter(
            number=0, pk__in=runs.filter(is_test=True).values_list("version", flat=True)
        ).values_list("pk", flat=True)
    )
    for rows in (RunMessage.objects.filter(run__in=ids), RunStep.objects.filter(run__in=ids), runs):
        rows._raw_delete(rows.db)
    still_used = Run.objects.filter(version__in=tried).values_list("version", flat=True)
    AutomationVersion.objects.filter(pk__in=set(tried) - set(still_used)).delete()


SENTENCES = {"retention.runs_changed": "changed how long runs of automations are kept from {old} to {new} days"}
KEPT = Kept(
    field="run_days",
    action="retention.runs_changed",
    noun="run",
    nouns="runs of automations",
    help="Runs that have ended, with the data that set them off and what each step did. Their messages stay.",
    older=_older,
    delete=_delete,
)
