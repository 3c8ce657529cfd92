"""Templates and their versions: a saved text never changes under a message that used it."""

from django.db import models
from django.utils import timezone

from integrations.identifiers import new_id
from integrations.organizations.models import Organization, User


class Template(models.Model):
    """A named text with variables."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="templates")
    name = models.CharField(max_length=80)
    current = models.ForeignKey(
        "TemplateVersion", null=True, on_delete=models.PROTECT, related_name="+", editable=False
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    archived_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "name"],
                condition=models.Q(archived_at=None),
                name="template_name_once_per_organization",
            )
        ]
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class TemplateVersion(models.Model):
    """One wording of a template."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    template = models.ForeignKey(Template, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    body = models.TextField()
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["template", "number"], name="template_version_numbered_once")]
        ordering = ["-number"]

    def __str__(self) -> str:
        return f"{self.template} v{self.number}"
