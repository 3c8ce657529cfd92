"""Keep what people agreed to; let an opt-out come from a link, a file or the portal, and a message answer a keyword."""

import django.utils.timezone
from django.db import migrations, models

import integrations.identifiers


class Migration(migrations.Migration):
    dependencies = [
        ("integrations", "0005_connection_request_id"),
        ("messaging", "0011_index_messages_without_price"),
    ]

    operations = [
        migrations.AlterField(
            model_name="message",
            name="purpose",
            field=models.CharField(
                choices=[
                    ("transactional", "Transactional"),
                    ("marketing", "Marketing"),
                    ("verification", "Verification code"),
                    ("consent", "Answer to STOP, START or HELP"),
                ],
                default="transactional",
                max_length=16,
            ),
        ),
        migrations.AlterField(
            model_name="optout",
            name="ended_by",
            field=models.CharField(
                blank=True,
                choices=[
                    ("keyword", "Keyword in a reply"),
                    ("twilio", "Twilio refused the number"),
                    ("staff", "A member"),
                    ("api", "API"),
                    ("import", "An import"),
                    ("link", "Unsubscribe link"),
                    ("portal", "Preferences in the portal"),
                ],
                max_length=12,
            ),
        ),
        migrations.AlterField(
            model_name="optout",
            name="source",
            field=models.CharField(
                choices=[
                    ("keyword", "Keyword in a reply"),
                    ("twilio", "Twilio refused the number"),
                    ("staff", "A member"),
                    ("api", "API"),
                    ("import", "An import"),
                    ("link", "Unsubscribe link"),
                    ("portal", "Preferences in the portal"),
                ],
                max_length=12,
            ),
        ),
        migrations.CreateModel(
            name="ConsentPolicy",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=integrations.identifiers.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "scope",
                    models.CharField(
                        choices=[
                            ("organization", "Everything the organization sends on that channel"),
                            ("sender", "Only the sender or Messaging Service that was answered"),
                        ],
                        default="organization",
                        max_length=16,
                        verbose_name="a STOP covers",
                    ),
                ),
                ("languages", models.JSONField(blank=True, default=list)),
                ("extra_stop_words", models.JSONField(blank=True, default=list)),
                ("extra_start_words", models.JSONField(blank=True, default=list)),
                ("extra_help_words", models.JSONField(blank=True, default=list)),
                ("stop_text", models.CharField(blank=True, max_length=320, verbose_name="answer to STOP")),
                ("start_text", models.CharField(blank=True, max_length=320, verbose_name="answer to START")),
                ("help_text", models.CharField(blank=True, max_length=320, verbose_name="answer to HELP")),
                ("sender_answers", models.JSONField(blank=True, default=dict)),
                (
                    "double_opt_in",
                    models.BooleanField(default=False, verbose_name="ask to confirm marketing consent by SMS"),
                ),
                ("double_opt_in_text", models.CharField(blank=True, max_length=320, verbose_name="question")),
                ("confirm_words", models.JSONField(blank=True, default=list)),
                ("confirm_within_hours", models.PositiveSmallIntegerField(default=72, verbose_name="hours to confirm")),
                (
                    "append_link",
                    models.BooleanField(default=True, verbose_name="add an unsubscribe link where nobody can reply"),
                ),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "organization",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="consent_policy",
                        to="integrations.organization",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "consent policies",
            },
        ),
        migrations.CreateModel(
            name="ConsentRecord",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=integrations.identifiers.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("phone", models.CharField(editable=False, max_length=80)),
                ("contact_id", models.UUIDField(editable=False, null=True)),
                ("channel", models.CharField(default="sms", editable=False, max_length=12)),
                (
                    "purpose",
                    models.CharField(
                        choices=[
                            ("marketing", "Marketing"),
                            ("transactional", "Transactional messages"),
                            ("verification", "Verification codes"),
                        ],
                        editable=False,
                        max_length=16,
                    ),
                ),
                (
                    "action",
                    models.CharField(
                        choices=[("granted", "Granted"), ("withdrawn", "Withdrawn"), ("requested", "Asked to confirm")],
                        editable=False,
                        max_length=12,
                    ),
                ),
                (
                    "source",
                    models.CharField(
                        choices=[
                            ("form", "A form"),
                            ("import", "An import"),
                            ("api", "API"),
                            ("staff", "A member"),
                            ("keyword", "Keyword in a reply"),
                            ("link", "Unsubscribe link"),
                            ("portal", "Preferences in the portal"),
                            ("double_opt_in", "Confirmed by SMS"),
                            ("twilio", "Twilio refused the number"),
                        ],
                        editable=False,
                        max_length=16,
                    ),
                ),
                ("reason", models.CharField(blank=True, editable=False, max_length=300)),
                ("evidence", models.JSONField(default=dict, editable=False)),
                ("actor_id", models.UUIDField(editable=False, null=True)),
                ("actor_label", models.CharField(blank=True, editable=False, max_length=200, verbose_name="who")),
                ("at", models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name="when")),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="consent_records",
                        to="integrations.organization",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="ConsentState",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=integrations.identifiers.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("phone", models.CharField(max_length=80)),
                ("channel", models.CharField(default="sms", max_length=12)),
                (
                    "purpose",
                    models.CharField(
                        choices=[
                            ("marketing", "Marketing"),
                            ("transactional", "Transactional messages"),
                            ("verification", "Verification codes"),
                        ],
                        max_length=16,
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("granted", "Agreed"),
                            ("withdrawn", "Withdrawn"),
                            ("pending", "Asked, not confirmed"),
                        ],
                        max_length=12,
                    ),
                ),
                ("pending_until", models.DateTimeField(blank=True, null=True)),
                ("changed_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="consent_states",
                        to="integrations.organization",
                    ),
                ),
                (
                    "record",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="messaging.consentrecord",
                    ),
                ),
            ],
            options={
                "verbose_name": "state of consent",
                "verbose_name_plural": "states of consent",
            },
        ),
        migrations.CreateModel(
            name="UnsubscribeLink",
            fields=[
                ("token", models.CharField(editable=False, max_length=16, primary_key=True, serialize=False)),
                ("phone", models.CharField(editable=False, max_length=16)),
                ("channel", models.CharField(default="sms", editable=False, max_length=12)),
                ("sender", models.CharField(blank=True, editable=False, max_length=34)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                (
                    "organization",
                    models.ForeignKey(
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="unsubscribe_links",
                        to="integrations.organization",
                    ),
                ),
            ],
        ),
        migrations.AddIndex(
            model_name="consentrecord",
            index=models.Index(fields=["organization", "-id"], name="consent_newest_first"),
        ),
        migrations.AddIndex(
            model_name="consentrecord",
            index=models.Index(fields=["organization", "phone", "-at"], name="consent_by_phone"),
        ),
        migrations.AddIndex(
            model_name="consentrecord",
            index=models.Index(fields=["organization", "at"], name="consent_by_day"),
        ),
        migrations.AddConstraint(
            model_name="consentstate",
            constraint=models.UniqueConstraint(
                fields=("organization", "phone", "channel", "purpose"), name="consent_state_once_per_number"
            ),
        ),
        migrations.AddConstraint(
            model_name="consentstate",
            constraint=models.CheckConstraint(
                condition=models.Q(("pending_until", None), ("state", "pending"), _connector="OR"),
                name="consent_pending_until_only",
            ),
        ),
        migrations.AddIndex(
            model_name="unsubscribelink",
            index=models.Index(fields=["organization", "phone"], name="unsubscribe_link_by_phone"),
        ),
    ]
