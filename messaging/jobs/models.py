"""Long work: what is to be done, how far it is, and who works on it just now."""

from datetime import timedelta

from django.db import models
from django.utils import timezone

from integrations.identifiers import new_id
from integrations.organizations.models import Organization

from .registry import kind_of


class Job(models.Model):
    """One piece of long work of an organization, done in slices; `cursor` says where the next slice begins."""

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"
        CANCELED = "canceled", "Canceled"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="jobs", db_index=False)
    kind = models.CharField(max_length=40)
    params = models.JSONField(default=dict)
    cursor = models.JSONField(default=dict)
    state = models.CharField(max_length=8, choices=State, default=State.WAITING)
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(null=True)
    note = models.CharField(max_length=200, blank=True)
    error = models.CharField(max_length=500, blank=True)
    failures = models.PositiveSmallIntegerField(default=0)
    created_by_id = models.UUIDField(null=True)
    created_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    # Who works on it: slices are saved only while the token is still the row's.
    lease_token = models.UUIDField(null=True)
    lease_until = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["created_at"], condition=models.Q(state__in=["waiting", "running"]), name="job_unfinished"
            ),
            models.Index(fields=["organization", "kind", "-id"], name="job_newest_first"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(lease_token=None) | models.Q(state="running"), name="job_leased_while_running"
            )
        ]

    def __str__(self) -> str:
        return f"{self.title} ({self.get_state_display().lower()})"

    @property
    def title(self) -> str:
        kind = kind_of(self.kind)
        return kind.title if kind else self.kind

    @property
    def is_active(self) -> bool:
        return self.state in {self.State.WAITING, self.State.RUNNING}

    @property
    def percent(self) -> int | None:
        """How much is done, 0 to 100; None while nobody knows how much there is."""
        if self.state == self.State.DONE:
            return 100
        return min(99, self.done * 100 // self.total) if self.total else None

    @property
    def rate(self) -> float:
        """Pieces a second since the work began."""
        if self.started_at is None:
            return 0.0
        seconds = ((self.finished_at or timezone.now()) - self.started_at).total_seconds()
        return self.done / seconds if seconds > 0 else 0.0

    @property
    def time_left(self) -> timedelta | None:
        """How long the rest takes at the rate so far; None where that cannot be said yet."""
        if not self.is_active or not self.total or self.done < 1 or not self.rate:
            return None
        return timedelta(seconds=round(max(0, self.total - self.done) / self.rate))
