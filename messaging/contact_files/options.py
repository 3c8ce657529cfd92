"""What a member decided about all rows of an import at once."""

from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from django.utils import timezone

from integrations.organizations.models import Organization
from messaging.consent.models import ConsentPurpose

from .drafts import Draft
from .models import ContactImport

NOBODY, EVERYBODY, BY_COLUMN = "nobody", "everybody", "column"
UPDATE, SKIP = "update", "skip"


@dataclass(frozen=True, kw_only=True)
class Options:
    """`agreed` says whose consent is recorded, with `wording`, what they agreed to and where."""

    existing: str = UPDATE
    tags: tuple[str, ...] = ()
    agreed: str = NOBODY
    purpose: str = ConsentPurpose.MARKETING.value
    wording: str = ""

    @classmethod
    def of(cls, importing: ContactImport) -> "Options":
        """Return what stands in the row."""
        stored: dict[str, Any] = importing.options
        return cls(
            existing=stored.get("existing", UPDATE),
            tags=tuple(stored.get("tags", ())),
            agreed=stored.get("agreed", NOBODY),
            purpose=stored.get("purpose") or ConsentPurpose.MARKETING.value,
            wording=stored.get("wording", ""),
        )

    @property
    def skips_known(self) -> bool:
        return self.existing == SKIP

    def consent_of(self, draft: Draft, *, is_known: bool) -> bool | None:
        """Return what is to be recorded of a row: agreed, took it back, or nothing.

        Who is skipped because they are known is not said to have agreed either; that they took it back still counts.
        """
        if self.agreed == NOBODY:
            return None
        agrees = True if self.agreed == EVERYBODY else draft.consent
        return None if agrees and is_known and self.skips_known else agrees


def tag_of_today(organization: Organization) -> str:
    """Return the tag by which everything imported today is found again: Imported 25 Nov 2026."""
    today = timezone.localdate(timezone=ZoneInfo(organization.time_zone))
    return f"Imported {today.day} {today:%b %Y}"
