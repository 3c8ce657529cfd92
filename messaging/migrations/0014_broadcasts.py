"""Broadcasts, their recipients, and what the API hands in."""

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

import integrations.identifiers


class Migration(migrations.Migration):
    dependencies = [
        ("integrations", "0005_connection_request_id"),
        ("messaging", "0013_append_only_consent"),
    ]

    operations = [
        migrations.CreateModel(
            name="Broadcast",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=integrations.identifiers.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("name", models.CharField(max_length=120)),
                ("body", models.TextField(blank=True)),
                (
                    "purpose",
                    models.CharField(
                        choices=[("transactional", "Transactional"), ("marketing", "Marketing")],
                        default="transactional",
                        max_length=16,
                    ),
                ),
                ("sender", models.CharField(blank=True, max_length=34)),
                (
                    "audience",
                    models.CharField(
                        choices=[
                            ("contacts", "All contacts"),
                            ("tag", "Contacts with a tag"),
                            ("filter", "A saved filter"),
                            ("csv", "A CSV file"),
                            ("api", "Recipients given by the API"),
                            ("retry", "Failed messages of another broadcast"),
                        ],
                        max_length=12,
                    ),
                ),
                ("source", models.JSONField(default=dict)),
                ("includes_landlines", models.BooleanField(default=False)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("draft", "Draft"),
                            ("checking", "Checking"),
                            ("ready", "Checked"),
                            ("running", "Sending"),
                            ("paused", "Paused"),
                            ("done", "Done"),
                            ("canceled", "Canceled"),
                        ],
                        default="draft",
                        max_length=12,
                    ),
                ),
                ("check_job_id", models.UUIDField(null=True)),
                ("check_error", models.CharField(blank=True, max_length=500)),
                ("checked_at", models.DateTimeField(null=True)),
                ("ready_count", models.PositiveIntegerField(default=0)),
                ("left_out_count", models.PositiveIntegerField(default=0)),
                ("bad_count", models.PositiveIntegerField(default=0)),
                ("summary", models.JSONField(default=dict)),
                ("skips_bad", models.BooleanField(default=False)),
                ("starts_when_clean", models.BooleanField(default=False)),
                ("fed_through", models.PositiveIntegerField(default=0)),
                ("fed_count", models.PositiveIntegerField(default=0)),
                ("pace", models.JSONField(default=list)),
                ("paused_reason", models.CharField(blank=True, max_length=40)),
                ("paused_detail", models.CharField(blank=True, max_length=300)),
                ("request_id", models.UUIDField(null=True)),
                ("created_by_id", models.UUIDField(null=True)),
                ("created_by_label", models.CharField(blank=True, max_length=200)),
                ("started_by_label", models.CharField(blank=True, max_length=200)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("started_at", models.DateTimeField(null=True)),
                ("paused_at", models.DateTimeField(null=True)),
                ("finished_at", models.DateTimeField(null=True)),
                (
                    "connection",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="integrations.connection",
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="broadcasts",
                        to="integrations.organization",
                    ),
                ),
                (
                    "retry_of",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="retries",
                        to="messaging.broadcast",
                    ),
                ),
                (
                    "template",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="messaging.template",
                    ),
                ),
                (
                    "template_version",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="messaging.templateversion",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Recipient",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("row", models.PositiveIntegerField()),
                ("phone", models.CharField(blank=True, max_length=16)),
                ("region", models.CharField(blank=True, max_length=3, verbose_name="country")),
                ("variables", models.JSONField(default=dict)),
                ("body", models.TextField(blank=True)),
                ("encoding", models.CharField(blank=True, max_length=6)),
                ("segments", models.PositiveSmallIntegerField(default=0)),
                (
                    "state",
                    models.CharField(
                        choices=[("ready", "Ready"), ("left_out", "Left out"), ("bad", "Wrong")], max_length=8
                    ),
                ),
                ("reason", models.CharField(blank=True, max_length=40)),
                ("problem", models.CharField(blank=True, max_length=300)),
                ("field", models.CharField(blank=True, max_length=80)),
                ("typed", models.CharField(blank=True, max_length=120)),
                ("repeats_row", models.PositiveIntegerField(null=True)),
                (
                    "broadcast",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="recipients",
                        to="messaging.broadcast",
                    ),
                ),
                (
                    "contact",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="messaging.contact",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="RecipientBatch",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("first_row", models.PositiveIntegerField()),
                ("count", models.PositiveIntegerField()),
                ("recipients", models.JSONField()),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "broadcast",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="batches",
                        to="messaging.broadcast",
                    ),
                ),
            ],
            options={
                "verbose_name": "batch of recipients",
                "verbose_name_plural": "batches of recipients",
            },
        ),
        migrations.AddIndex(
            model_name="broadcast",
            index=models.Index(fields=["organization", "-id"], name="broadcast_newest_first"),
        ),
        migrations.AddIndex(
            model_name="broadcast",
            index=models.Index(
                condition=models.Q(("status__in", ["running", "paused", "canceled"])),
                fields=["status"],
                name="broadcast_under_way",
            ),
        ),
        migrations.AddConstraint(
            model_name="broadcast",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("status__in", ["draft", "checking", "ready", "running", "paused", "done", "canceled"])
                ),
                name="broadcast_status_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="broadcast",
            constraint=models.UniqueConstraint(
                fields=("organization", "request_id"), name="broadcast_once_per_request"
            ),
        ),
        migrations.AddConstraint(
            model_name="broadcast",
            constraint=models.UniqueConstraint(
                condition=models.Q(("status", "canceled"), _negated=True),
                fields=("retry_of",),
                name="broadcast_sent_again_once",
            ),
        ),
        migrations.AddIndex(
            model_name="recipient",
            index=models.Index(
                condition=models.Q(("state", "ready"), _negated=True),
                fields=["broadcast", "state", "reason", "row"],
                name="recipient_not_sent_to",
            ),
        ),
        migrations.AddIndex(
            model_name="recipient",
            index=models.Index(
                condition=models.Q(("contact__isnull", False)), fields=["contact"], name="recipient_of_contact"
            ),
        ),
        migrations.AddConstraint(
            model_name="recipient",
            constraint=models.UniqueConstraint(fields=("broadcast", "row"), name="recipient_row_once"),
        ),
        migrations.AddConstraint(
            model_name="recipient",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "ready")), fields=("broadcast", "phone"), name="recipient_phone_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="recipient",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["ready", "left_out", "bad"])), name="recipient_state_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="recipientbatch",
            constraint=models.UniqueConstraint(fields=("broadcast", "first_row"), name="batch_follows_batch"),
        ),
    ]
