"""The secret under which an organization's outgoing webhooks are signed."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

import integrations.encryption
import integrations.identifiers


class Migration(migrations.Migration):
    dependencies = [("integrations", "0002_messaging_service_name"), ("messaging", "0010_automation_drafts")]

    operations = [
        migrations.CreateModel(
            name="OutgoingSecret",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=integrations.identifiers.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("secret", integrations.encryption.SecretField(blank=True, verbose_name="signing secret")),
                ("former", integrations.encryption.SecretField(blank=True, verbose_name="former signing secret")),
                ("former_until", models.DateTimeField(editable=False, null=True)),
                ("made_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                (
                    "organization",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="outgoing_secret",
                        to="integrations.organization",
                    ),
                ),
            ],
        ),
    ]
