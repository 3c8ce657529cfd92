"""People an organization writes to, and their tags."""

from django.db import models
from django.utils import timezone

from integrations.identifiers import new_id
from integrations.masking import mask_phone
from integrations.organizations.models import Organization


class Tag(models.Model):
    """A word that groups contacts."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="tags")
    name = models.CharField(max_length=60)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization", "name"], name="tag_once_per_organization")]
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Contact(models.Model):
    """A person with a phone number, once per organization."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="contacts")
    name = models.CharField(max_length=150, blank=True)
    phone = models.CharField(max_length=16)
    region = models.CharField("country", max_length=3, blank=True, editable=False)
    email = models.EmailField("e-mail", blank=True)
    language = models.CharField(max_length=12, blank=True)
    notes = models.TextField(blank=True, max_length=5000)
    tags = models.ManyToManyField(Tag, blank=True, related_name="contacts")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "phone"], name="contact_phone_once_per_organization"),
            models.CheckConstraint(condition=models.Q(phone__regex=r"^\+[0-9]{3,15}$"), name="contact_phone_is_e164"),
        ]
        indexes = [models.Index(fields=["organization", "-id"], name="contact_newest_first")]

    def __str__(self) -> str:
        return self.name or mask_phone(self.phone)
