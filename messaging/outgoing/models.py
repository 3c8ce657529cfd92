"""The secret under which an organization's outgoing calls are signed."""

from django.db import models
from django.db.models.functions import Now

from integrations.encryption import SecretField
from integrations.identifiers import new_id
from integrations.organizations.models import Organization


class OutgoingSecret(models.Model):
    """One for each organization, shown once when it is made. The former one signs along for a day after a change."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organization = models.OneToOneField(Organization, on_delete=models.PROTECT, related_name="outgoing_secret")
    secret = SecretField("signing secret")
    former = SecretField("former signing secret")
    former_until = models.DateTimeField(null=True, editable=False)
    made_at = models.DateTimeField(db_default=Now(), editable=False)

    def __str__(self) -> str:
        return "signing secret of outgoing webhooks"
