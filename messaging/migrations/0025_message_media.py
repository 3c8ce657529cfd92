"""Files that come with messages."""

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

import integrations.identifiers


class Migration(migrations.Migration):
    dependencies = [
        ("integrations", "0008_reply_addresses"),
        ("messaging", "0024_contact_imports"),
    ]

    operations = [
        migrations.CreateModel(
            name="MessageMedia",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=integrations.identifiers.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("position", models.PositiveSmallIntegerField(default=0)),
                ("url", models.CharField(blank=True, max_length=500)),
                ("content_type", models.CharField(blank=True, max_length=100)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "Being fetched"),
                            ("stored", "Here"),
                            ("refused", "Not taken"),
                            ("failed", "Could not be fetched"),
                            ("deleted", "Deleted"),
                        ],
                        default="waiting",
                        max_length=8,
                    ),
                ),
                ("reason", models.CharField(blank=True, max_length=20)),
                ("size", models.PositiveIntegerField(null=True)),
                (
                    "is_picture",
                    models.BooleanField(default=False, help_text="It begins like the kind of picture it says it is."),
                ),
                ("content", models.BinaryField(null=True)),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("next_try_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "message",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="media", to="messaging.message"
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="integrations.organization",
                    ),
                ),
            ],
            options={
                "verbose_name": "message medium",
                "verbose_name_plural": "message media",
                "indexes": [
                    models.Index(
                        condition=models.Q(("state", "waiting")), fields=["next_try_at"], name="message_media_to_fetch"
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("message", "position"), name="message_media_once"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("content__isnull", False), ("state", "stored")),
                            models.Q(models.Q(("state", "stored"), _negated=True), ("content__isnull", True)),
                            _connector="OR",
                        ),
                        name="message_media_content_where_stored",
                    ),
                ],
            },
        ),
    ]
