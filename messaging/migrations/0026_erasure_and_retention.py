"""Keep what erasing people and removing old texts need: a secret, a policy, and what Twilio is still to be asked."""

import django.core.validators
import django.db.models.deletion
import django.db.models.functions.datetime
import django.utils.timezone
from django.db import migrations, models

import integrations.encryption
import integrations.identifiers


class Migration(migrations.Migration):
    dependencies = [
        ("integrations", "0009_erase_from_audit"),
        ("messaging", "0025_message_media"),
    ]

    operations = [
        migrations.CreateModel(
            name="ErasureSecret",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=integrations.identifiers.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "organization",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="integrations.organization"
                    ),
                ),
                ("secret", integrations.encryption.SecretField(blank=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
            ],
        ),
        migrations.CreateModel(
            name="RetentionPolicy",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=integrations.identifiers.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "days",
                    models.PositiveSmallIntegerField(
                        blank=True,
                        null=True,
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(3650),
                        ],
                        verbose_name="days texts are kept",
                    ),
                ),
                ("updated_at", models.DateTimeField(auto_now=True)),
            ],
            options={
                "verbose_name": "data retention",
                "verbose_name_plural": "data retention",
            },
        ),
        migrations.CreateModel(
            name="TaggedInJob",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("job_id", models.UUIDField()),
                (
                    "at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), default=django.utils.timezone.now
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="TwilioRemoval",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("sid", models.CharField(max_length=34, verbose_name="SID")),
                (
                    "what",
                    models.CharField(choices=[("text", "The text"), ("message", "The whole message")], max_length=8),
                ),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("next_try_at", models.DateTimeField(default=django.utils.timezone.now, null=True)),
                ("error_code", models.IntegerField(null=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                "verbose_name": "removal at Twilio",
                "verbose_name_plural": "removals at Twilio",
            },
        ),
        migrations.AddField(
            model_name="message",
            name="redacted_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="retentionpolicy",
            name="organization",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="retention_policy",
                to="integrations.organization",
            ),
        ),
        migrations.AddField(
            model_name="taggedinjob",
            name="contact",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="+", to="messaging.contact"
            ),
        ),
        migrations.AddField(
            model_name="twilioremoval",
            name="connection",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="integrations.connection",
            ),
        ),
        migrations.AddField(
            model_name="twilioremoval",
            name="message",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.CASCADE, related_name="removals", to="messaging.message"
            ),
        ),
        migrations.AddField(
            model_name="twilioremoval",
            name="organization",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="integrations.organization",
            ),
        ),
        migrations.AddIndex(
            model_name="taggedinjob",
            index=models.Index(fields=["job_id", "id"], name="tagged_in_job"),
        ),
        migrations.AddIndex(
            model_name="twilioremoval",
            index=models.Index(
                condition=models.Q(("next_try_at__isnull", False)), fields=["next_try_at"], name="twilio_removal_due"
            ),
        ),
        migrations.AddIndex(
            model_name="twilioremoval",
            index=models.Index(fields=["organization", "-id"], name="twilio_removal_newest"),
        ),
        migrations.AddConstraint(
            model_name="twilioremoval",
            constraint=models.UniqueConstraint(fields=("sid", "what"), name="twilio_removal_once"),
        ),
    ]
