"""People an organization writes to, their tags, what an organization wants to know of them, and saved filters."""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models.functions import Lower, Reverse
from django.utils import timezone

from integrations.encryption import SecretField
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
    """A person with a phone number, once per organization.

    `ordinal` and `terms` serve the search by name and are kept by the database itself, whoever writes the row: see
    `search.py`. An empty time zone means: as the number says, which may name several.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="contacts")
    name = models.CharField(max_length=150, blank=True)
    phone = models.CharField(max_length=16)
    region = models.CharField("country", max_length=3, blank=True, editable=False)
    email = models.EmailField("e-mail", blank=True)
    language = models.CharField(max_length=12, blank=True)
    time_zone = models.CharField(max_length=64, blank=True, default="", db_default="")
    attributes = models.JSONField(blank=True, default=dict, db_default={}, editable=False)
    notes = models.TextField(blank=True, max_length=5000)
    tags = models.ManyToManyField(Tag, blank=True, related_name="contacts")
    # The job that imported the contact, where one did.
    imported_in = models.UUIDField(null=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)
    ordinal = models.BigIntegerField(
        db_default=models.Func(models.Value("messaging_contact_ordinal"), function="nextval"), editable=False
    )
    terms = models.GeneratedField(
        expression=models.Func("organization", "ordinal", "name", function="heliograph_contact_terms"),
        output_field=ArrayField(models.BigIntegerField()),
        db_persist=True,
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "phone"], name="contact_phone_once_per_organization"),
            models.CheckConstraint(condition=models.Q(phone__regex=r"^\+[0-9]{3,15}$"), name="contact_phone_is_e164"),
        ]
        indexes = [
            models.Index(fields=["organization", "-id"], name="contact_newest_first"),
            models.Index(fields=["organization", "-ordinal"], name="contact_by_ordinal"),
            models.Index(fields=["organization", "region", "-id"], name="contact_by_country"),
            models.Index(fields=["organization", "created_at"], name="contact_by_day"),
            models.Index(
                fields=["organization", "imported_in", "-id"],
                condition=models.Q(imported_in__isnull=False),
                name="contact_by_import",
            ),
            models.Index(
                "organization", OpClass(Reverse("phone"), name="text_pattern_ops"), name="contact_by_last_digits"
            ),
            models.Index(
                "organization",
                OpClass(Lower("email"), name="text_pattern_ops"),
                condition=~models.Q(email=""),
                name="contact_by_email",
            ),
            # Written at once and not into a pending list, which every look-up of a search would have to read.
            GinIndex(fields=["terms"], fastupdate=False, name="contact_by_terms"),
            GinIndex(OpClass("attributes", name="jsonb_path_ops"), fastupdate=False, name="contact_by_attribute"),
        ]

    def __str__(self) -> str:
        return self.name or mask_phone(self.phone)


class AttributeDefinition(models.Model):
    """What else an organization keeps about its contacts; the values stand in `Contact.attributes`, by `key`."""

    class Kind(models.TextChoices):
        TEXT = "text", "Text"
        NUMBER = "number", "Number"
        DATE = "date", "Date"
        MOMENT = "moment", "Date and time"
        YES_NO = "yes_no", "Yes or no"
        CHOICE = "choice", "One of a list"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="attribute_definitions")
    key = models.CharField(max_length=40)
    label = models.CharField(max_length=60)
    kind = models.CharField("type", max_length=8, choices=Kind, default=Kind.TEXT)
    choices = models.JSONField(default=list, blank=True)
    position = models.PositiveSmallIntegerField(default=0)
    archived_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "key"], name="attribute_key_once_per_organization"),
            models.CheckConstraint(condition=models.Q(key__regex=r"^[a-z][a-z0-9_]*$"), name="attribute_key_is_a_name"),
        ]
        ordering = ["position", "label"]

    def __str__(self) -> str:
        return self.label


class SavedFilter(models.Model):
    """A choice of contacts under a name, for everybody of the organization; `wanted` is a ContactFilter as JSON."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="saved_filters")
    name = models.CharField(max_length=80)
    wanted = models.JSONField(default=dict, editable=False)
    created_by_id = models.UUIDField(null=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint("organization", Lower("name"), name="saved_filter_name_once_per_organization")
        ]
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class TaggedInJob(models.Model):
    """A contact that a job tagged who had not had the tag before: what undoing the job takes away again."""

    id = models.BigAutoField(primary_key=True)
    job_id = models.UUIDField()
    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="+")
    at = models.DateTimeField(default=timezone.now, db_default=models.functions.Now())

    class Meta:
        indexes = [models.Index(fields=["job_id", "id"], name="tagged_in_job")]

    def __str__(self) -> str:
        return f"tagged in {self.job_id}"


class ErasureSecret(models.Model):
    """By it an organization recognises the numbers of people it erased, and nobody else can; it never changes."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organization = models.OneToOneField(Organization, on_delete=models.PROTECT, related_name="+")
    secret = SecretField()
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    def __str__(self) -> str:
        return "secret of erased numbers"
