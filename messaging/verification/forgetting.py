"""Verifications that have served their time: deleted after as many days as the organization set."""

import uuid
from collections.abc import Sequence
from datetime import datetime

from django.db.models import QuerySet

from integrations.organizations.models import Organization
from messaging.retention.kept import Kept

from .models import Verification


def _older(organization: Organization, moment: datetime) -> QuerySet[Verification]:
    rows = Verification.objects.filter(organization=organization, created_at__lt=moment)
    return rows.exclude(status=Verification.Status.PENDING)


def _delete(organization: Organization, ids: Sequence[uuid.UUID]) -> None:
    Verification.objects.filter(organization=organization, pk__in=ids).delete()


SENTENCES = {"retention.verifications_changed": "changed how long verifications are kept from {old} to {new} days"}
KEPT = Kept(
    field="verification_days",
    action="retention.verifications_changed",
    noun="verification",
    nouns="verifications",
    help="Numbers, networks and how each attempt fared. The conversion counts only what is still there; a submission "
    "keeps when and how its number was proved.",
    older=_older,
    delete=_delete,
)
