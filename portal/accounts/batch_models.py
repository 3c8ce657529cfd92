"""Many invitations at once: where the numbers come from, and each row with what is wrong or became of it."""

from django.db import models
from django.db.models.functions import Now

from integrations.identifiers import new_id
from integrations.masking import mask_phone
from integrations.organizations.models import User
from messaging.jobs.models import Job

from .models import Portal, PortalInvitation, PortalRole


class PortalInvitationBatch(models.Model):
    """Numbers of contacts or of a file: read and checked by one job, invited by another once a member has looked.

    `what` says where they come from, for a file with its columns; rows are forgotten after some days, counts stay.
    """

    class State(models.TextChoices):
        DRAFT = "draft", "Columns to choose"
        CHECKING = "checking", "Being checked"
        CHECKED = "checked", "Checked"
        SENDING = "sending", "Being sent"
        DONE = "done", "Done"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    portal = models.ForeignKey(Portal, on_delete=models.CASCADE, related_name="batches", db_index=False)
    source = models.CharField(max_length=10, choices=PortalInvitation.Source)
    what = models.JSONField(default=dict)
    label = models.CharField(max_length=200, blank=True)
    role = models.ForeignKey(PortalRole, null=True, on_delete=models.SET_NULL, related_name="+", db_index=False)
    language = models.CharField(max_length=12, blank=True)
    state = models.CharField(max_length=8, choices=State, default=State.DRAFT)
    job = models.ForeignKey(Job, null=True, on_delete=models.SET_NULL, related_name="+", db_index=False)
    invited = models.PositiveIntegerField(default=0)
    refused = models.PositiveIntegerField(default=0)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+", db_index=False)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = "many invitations to a portal"
        verbose_name_plural = "many invitations to portals"
        indexes = [
            models.Index(fields=["portal", "-id"], name="portal_batch_newest"),
            models.Index(fields=["created_at"], name="portal_batch_by_age"),
        ]

    def __str__(self) -> str:
        return self.label or "Invitations"


class PortalInvitationRow(models.Model):
    """One number of many: to be invited, invited, or refused with the reason; `typed` is what cannot be read."""

    id = models.BigAutoField(primary_key=True)
    batch = models.ForeignKey(PortalInvitationBatch, on_delete=models.CASCADE, related_name="rows", db_index=False)
    row = models.PositiveIntegerField()
    typed = models.CharField(max_length=80, blank=True)
    phone = models.CharField(max_length=16, blank=True)
    name = models.CharField(max_length=120, blank=True)
    language = models.CharField(max_length=12, blank=True)
    role = models.ForeignKey(PortalRole, null=True, on_delete=models.SET_NULL, related_name="+", db_index=False)
    problem_code = models.CharField(max_length=40, blank=True)
    problem = models.CharField(max_length=300, blank=True)
    invitation = models.ForeignKey(
        PortalInvitation, null=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )

    class Meta:
        verbose_name = "row of many invitations"
        verbose_name_plural = "rows of many invitations"
        constraints = [
            models.UniqueConstraint(fields=["batch", "row"], name="portal_batch_row_once"),
            models.UniqueConstraint(
                fields=["batch", "phone"],
                condition=models.Q(problem_code="") & ~models.Q(phone=""),
                name="portal_batch_number_once",
            ),
        ]
        indexes = [
            models.Index(fields=["phone"], condition=~models.Q(phone=""), name="portal_batch_by_number"),
        ]

    def __str__(self) -> str:
        return f"row {self.row}" + (f" ({mask_phone(self.phone)})" if self.phone else "")
