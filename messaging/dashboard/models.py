"""How the messages made in each quarter of an hour fared, counted ahead: nobody counts a log of millions on a page."""

from django.db import models
from django.db.models.functions import Now

from integrations.organizations.models import Organization


class QuarterCount(models.Model):
    """Outbound messages of an organization by the quarter of an hour (UTC) in which they were made.

    A quarter, because every time zone's day begins at one. `is_stale` says that something changed since the count.
    """

    id = models.BigAutoField(primary_key=True)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+", db_index=False)
    begins = models.DateTimeField()
    delivered = models.PositiveIntegerField(default=0, db_default=0)
    on_way = models.PositiveIntegerField(default=0, db_default=0)
    failed = models.PositiveIntegerField(default=0, db_default=0)
    handed_over = models.PositiveIntegerField(default=0, db_default=0)
    is_stale = models.BooleanField(default=True, db_default=True)
    counted_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "begins"], name="quartercount_once_a_quarter"),
        ]
        indexes = [
            models.Index(fields=["begins"], condition=models.Q(is_stale=True), name="quartercount_stale"),
        ]

    def __str__(self) -> str:
        return f"messages of {self.begins:%Y-%m-%d %H:%M}"


class CountProgress(models.Model):
    """Up to which event the counts follow the log: one row. `event` is where this run began, `before` the last one."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    event = models.BigIntegerField(default=0, db_default=0)
    before = models.BigIntegerField(default=0, db_default=0)
    at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name_plural = "progress of counting"

    def __str__(self) -> str:
        return f"counted to event {self.event}"
