import datetime

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.core.validators
import django.db.models.deletion
import django.db.models.fields.json
import django.db.models.functions.datetime
import django.db.models.functions.text
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

import integrations.encryption
import integrations.identifiers

from . import _contact_search, _database


class Migration(migrations.Migration):
    # What stood before the first release was this, step by step: installations that took all steps go on from here.
    replaces = [
        ("messaging", "0001_initial"),
        ("messaging", "0002_message_unknown_since"),
        ("messaging", "0003_index_received_messages"),
        ("messaging", "0004_jobs"),
        ("messaging", "0005_country_prices"),
        ("messaging", "0006_uploads"),
        ("messaging", "0007_contact_search"),
        ("messaging", "0008_contact_details"),
        ("messaging", "0009_index_contacts"),
        ("messaging", "0010_price_searches"),
        ("messaging", "0011_index_messages_without_price"),
        ("messaging", "0012_consent_ledger"),
        ("messaging", "0013_append_only_consent"),
        ("messaging", "0014_broadcasts"),
        ("messaging", "0015_message_of_a_broadcast"),
        ("messaging", "0016_once_per_broadcast_row"),
        ("messaging", "0017_conversations"),
        ("messaging", "0018_message_time_zones"),
        ("messaging", "0019_outbox_by_sender"),
        ("messaging", "0020_sending_limits"),
        ("messaging", "0021_quiet_until"),
        ("messaging", "0022_keyword_rules"),
        ("messaging", "0023_recipient_time_zones"),
        ("messaging", "0024_contact_imports"),
        ("messaging", "0025_message_media"),
        ("messaging", "0026_erasure_and_retention"),
        ("messaging", "0027_index_texts"),
        ("messaging", "0028_idempotent_results"),
        ("messaging", "0029_alerts"),
        ("messaging", "0030_index_failures_and_flagged"),
        ("messaging", "0031_quarter_counts"),
        ("messaging", "0032_count_what_is_there"),
        ("messaging", "0033_opt_outs_hold_from_their_commit"),
        ("messaging", "0034_alert_inbox_flooded"),
        ("messaging", "0035_message_price_in_credits"),
        ("messaging", "0036_platform_messages_by_phone"),
        ("messaging", "0037_verifications"),
        ("messaging", "0038_seal_texts_with_codes"),
        ("messaging", "0039_verification_limits"),
    ]

    initial = True

    dependencies = [
        ("integrations", "0001_tables"),
        ("integrations", "__first__"),
    ]

    operations = [
        migrations.CreateModel(
            name="CountProgress",
            fields=[
                ("id", models.SmallIntegerField(default=1, primary_key=True, serialize=False)),
                ("event", models.BigIntegerField(db_default=0, default=0)),
                ("before", models.BigIntegerField(db_default=0, default=0)),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                "verbose_name_plural": "progress of counting",
            },
        ),
        migrations.CreateModel(
            name="SpentProof",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("proof", models.CharField(max_length=64, unique=True)),
                ("expires_at", models.DateTimeField(db_index=True)),
            ],
            options={
                "verbose_name": "spent proof",
                "verbose_name_plural": "spent proofs",
            },
        ),
        migrations.CreateModel(
            name="WorkerPulse",
            fields=[
                ("name", models.CharField(max_length=120, primary_key=True, serialize=False)),
                ("host", models.CharField(max_length=120)),
                ("pid", models.IntegerField()),
                ("seen_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="Alert",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=integrations.identifiers.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("connection_broken", "Connection broken"),
                            ("cap_reached", "Daily cap reached"),
                            ("queue_old", "Queue stands still"),
                            ("failures_rising", "Failures rising"),
                            ("cap_near", "Daily cap near"),
                            ("needs_person", "Messages need a person"),
                            ("inbox_flooded", "Inbox flooded"),
                            ("credits_low", "Credits low"),
                            ("prefix_paused", "Prefix paused"),
                            ("codes_held", "Codes held back"),
                        ],
                        max_length=20,
                    ),
                ),
                ("key", models.CharField(blank=True, max_length=60)),
                ("text", models.CharField(max_length=600)),
                ("link", models.CharField(blank=True, max_length=200)),
                ("raised_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("cleared_at", models.DateTimeField(null=True)),
                ("emailed_at", models.DateTimeField(null=True)),
                ("dismissed_at", models.DateTimeField(null=True)),
                (
                    "dismissed_by",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="alerts",
                        to="integrations.organization",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["organization", "-raised_at"], name="alert_newest_first"),
                    models.Index(
                        condition=models.Q(("cleared_at", None), ("emailed_at", None)),
                        fields=["raised_at"],
                        name="alert_to_be_mailed",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("cleared_at", None)),
                        fields=("organization", "kind", "key"),
                        name="alert_open_once",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="AlertMail",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "outcome",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting"),
                            ("sending", "Being sent"),
                            ("sent", "Sent"),
                            ("unknown", "Perhaps sent"),
                            ("given_up", "Given up"),
                        ],
                        default="waiting",
                        max_length=10,
                    ),
                ),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("due_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("sent_at", models.DateTimeField(null=True)),
                ("alerts", models.ManyToManyField(related_name="mails", to="messaging.alert")),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="integrations.organization",
                    ),
                ),
                (
                    "recipient",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("outcome__in", ["waiting", "sending"])),
                        fields=["due_at"],
                        name="alertmail_to_be_sent",
                    ),
                    models.Index(fields=["organization", "-id"], name="alertmail_newest_first"),
                ],
            },
        ),
        migrations.CreateModel(
            name="AttributeDefinition",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=integrations.identifiers.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("key", models.CharField(max_length=40)),
                ("label", models.CharField(max_length=60)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("text", "Text"),
                            ("number", "Number"),
                            ("date", "Date"),
                            ("yes_no", "Yes or no"),
                            ("choice", "One of a list"),
                        ],
                        default="text",
                        max_length=8,
                        verbose_name="type",
                    ),
                ),
                ("choices", models.JSONField(blank=True, default=list)),
                ("position", models.PositiveSmallIntegerField(default=0)),
                ("archived_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="attribute_definitions",
                        to="integrations.organization",
                    ),
                ),
            ],
            options={
                "ordering": ["position", "label"],
                "constraints": [
                    models.UniqueConstraint(fields=("organization", "key"), name="attribute_key_once_per_organization"),
                    models.CheckConstraint(
                        condition=models.Q(("key__regex", "^[a-z][a-z0-9_]*$")), name="attribute_key_is_a_name"
                    ),
                ],
            },
        ),
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
            ],
            options={
                "indexes": [
                    models.Index(fields=["organization", "-id"], name="broadcast_newest_first"),
                    models.Index(
                        condition=models.Q(("status__in", ["running", "paused", "canceled"])),
                        fields=["status"],
                        name="broadcast_under_way",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("status__in", ["draft", "checking", "ready", "running", "paused", "done", "canceled"])
                        ),
                        name="broadcast_status_known",
                    ),
                    models.UniqueConstraint(fields=("organization", "request_id"), name="broadcast_once_per_request"),
                    models.UniqueConstraint(
                        condition=models.Q(("status", "canceled"), _negated=True),
                        fields=("retry_of",),
                        name="broadcast_sent_again_once",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Callback",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "kind",
                    models.CharField(choices=[("status", "Status"), ("inbound", "Inbound message")], max_length=8),
                ),
                ("message_id", models.UUIDField(db_index=True, null=True)),
                ("params", models.JSONField(default=dict)),
                ("idempotency_token", models.CharField(blank=True, max_length=64)),
                ("checked_with", models.CharField(max_length=24)),
                (
                    "outcome",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", "Waiting"),
                            ("applied", "Applied"),
                            ("nothing_new", "Nothing new"),
                            ("unknown_message", "No such message"),
                            ("contradicts", "Contradicts the stored SID"),
                            ("unreadable", "Not understood"),
                        ],
                        default="",
                        max_length=16,
                    ),
                ),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("received_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "connection",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="callbacks",
                        to="integrations.connection",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(condition=models.Q(("outcome", "")), fields=["id"], name="callback_pending"),
                    models.Index(fields=["connection", "-id"], name="callback_newest_first"),
                    models.Index(
                        django.db.models.fields.json.KeyTextTransform("From", "params"),
                        condition=models.Q(("kind", "inbound")),
                        name="callback_by_writer",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="CannedReply",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=integrations.identifiers.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("name", models.CharField(max_length=60)),
                ("body", models.TextField(max_length=1600)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="canned_replies",
                        to="integrations.organization",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "canned replies",
                "ordering": ["name"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organization", "name"), name="canned_reply_name_once_per_organization"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ClosedChannel",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("service_sid", models.CharField(max_length=34, verbose_name="Verify Service SID")),
                (
                    "channel",
                    models.CharField(
                        choices=[("sms", "SMS"), ("call", "Call"), ("whatsapp", "WhatsApp"), ("email", "E-mail")],
                        max_length=8,
                    ),
                ),
                ("error_code", models.IntegerField()),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "connection",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="closed_channels",
                        to="integrations.connection",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("connection", "service_sid", "channel"), name="closedchannel_once")
                ],
            },
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
            options={
                "indexes": [
                    models.Index(fields=["organization", "-id"], name="consent_newest_first"),
                    models.Index(fields=["organization", "phone", "-at"], name="consent_by_phone"),
                    models.Index(fields=["organization", "at"], name="consent_by_day"),
                ],
            },
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
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organization", "phone", "channel", "purpose"), name="consent_state_once_per_number"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("pending_until", None), ("state", "pending"), _connector="OR"),
                        name="consent_pending_until_only",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Contact",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=integrations.identifiers.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("name", models.CharField(blank=True, max_length=150)),
                ("phone", models.CharField(max_length=16)),
                ("region", models.CharField(blank=True, editable=False, max_length=3, verbose_name="country")),
                ("email", models.EmailField(blank=True, max_length=254, verbose_name="e-mail")),
                ("language", models.CharField(blank=True, max_length=12)),
                ("time_zone", models.CharField(blank=True, db_default="", default="", max_length=64)),
                ("attributes", models.JSONField(blank=True, db_default={}, default=dict, editable=False)),
                ("notes", models.TextField(blank=True, max_length=5000)),
                ("imported_in", models.UUIDField(editable=False, null=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "ordinal",
                    models.BigIntegerField(
                        db_default=models.Func(models.Value("messaging_contact_ordinal"), function="nextval"),
                        editable=False,
                    ),
                ),
                (
                    "terms",
                    models.GeneratedField(
                        db_persist=True,
                        expression=models.Func("organization", "ordinal", "name", function="heliograph_contact_terms"),
                        output_field=django.contrib.postgres.fields.ArrayField(
                            base_field=models.BigIntegerField(), size=None
                        ),
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="contacts",
                        to="integrations.organization",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["organization", "-id"], name="contact_newest_first"),
                    models.Index(fields=["organization", "-ordinal"], name="contact_by_ordinal"),
                    models.Index(fields=["organization", "region", "-id"], name="contact_by_country"),
                    models.Index(fields=["organization", "created_at"], name="contact_by_day"),
                    models.Index(
                        condition=models.Q(("imported_in__isnull", False)),
                        fields=["organization", "imported_in", "-id"],
                        name="contact_by_import",
                    ),
                    models.Index(
                        models.F("organization"),
                        django.contrib.postgres.indexes.OpClass(
                            django.db.models.functions.text.Reverse("phone"), name="text_pattern_ops"
                        ),
                        name="contact_by_last_digits",
                    ),
                    models.Index(
                        models.F("organization"),
                        django.contrib.postgres.indexes.OpClass(
                            django.db.models.functions.text.Lower("email"), name="text_pattern_ops"
                        ),
                        condition=models.Q(("email", ""), _negated=True),
                        name="contact_by_email",
                    ),
                    django.contrib.postgres.indexes.GinIndex(
                        fastupdate=False, fields=["terms"], name="contact_by_terms"
                    ),
                    django.contrib.postgres.indexes.GinIndex(
                        django.contrib.postgres.indexes.OpClass("attributes", name="jsonb_path_ops"),
                        fastupdate=False,
                        name="contact_by_attribute",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organization", "phone"), name="contact_phone_once_per_organization"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("phone__regex", "^\\+[0-9]{3,15}$")), name="contact_phone_is_e164"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Conversation",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=integrations.identifiers.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("channel", models.CharField(default="sms", max_length=12)),
                ("phone", models.CharField(max_length=16)),
                ("sender", models.CharField(blank=True, max_length=34, verbose_name="number of ours")),
                (
                    "state",
                    models.CharField(choices=[("open", "Open"), ("closed", "Closed")], default="open", max_length=8),
                ),
                ("unread", models.PositiveIntegerField(default=0)),
                (
                    "is_unread",
                    models.GeneratedField(
                        db_persist=True,
                        expression=models.ExpressionWrapper(
                            models.Q(("unread__gt", 0)), output_field=models.BooleanField()
                        ),
                        output_field=models.BooleanField(),
                    ),
                ),
                ("last_text", models.CharField(blank=True, max_length=200)),
                ("last_is_inbound", models.BooleanField(default=True)),
                ("last_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("last_inbound_at", models.DateTimeField(null=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("minute_began_at", models.DateTimeField(null=True)),
                ("minute_count", models.PositiveIntegerField(default=0)),
                ("flooded_at", models.DateTimeField(null=True)),
                ("muted_at", models.DateTimeField(null=True)),
                ("auto_replied_at", models.DateTimeField(null=True)),
                (
                    "assignee",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="conversations",
                        to="integrations.member",
                    ),
                ),
                (
                    "connection",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="integrations.connection",
                    ),
                ),
                (
                    "contact",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="conversations",
                        to="messaging.contact",
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="conversations",
                        to="integrations.organization",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        fields=["organization", "state", "-is_unread", "-last_at", "-id"], name="conversation_list"
                    ),
                    models.Index(
                        fields=["organization", "assignee", "state", "-is_unread", "-last_at", "-id"],
                        name="conversation_list_of_member",
                    ),
                    models.Index(
                        condition=models.Q(("flooded_at__isnull", False)),
                        fields=["organization", "-flooded_at"],
                        name="conversation_flooded",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organization", "channel", "phone"), name="conversation_once_per_writer"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["open", "closed"])), name="conversation_state_known"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="CountryPrice",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("region", models.CharField(max_length=2, verbose_name="country")),
                ("by_type", models.JSONField(default=dict, verbose_name="prices by type of sender")),
                ("unit", models.CharField(blank=True, max_length=3, verbose_name="currency")),
                ("fetched_at", models.DateTimeField(null=True)),
                ("failed_at", models.DateTimeField(null=True)),
                ("asked_at", models.DateTimeField(null=True)),
                (
                    "connection",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="prices",
                        to="integrations.connection",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("connection", "region"), name="price_once_per_country")
                ],
            },
        ),
        migrations.CreateModel(
            name="DailyUse",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("day", models.DateField()),
                ("used", models.PositiveIntegerField(default=0)),
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
                "constraints": [models.UniqueConstraint(fields=("organization", "day"), name="dailyuse_once_a_day")],
            },
        ),
        migrations.CreateModel(
            name="ErasureSecret",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=integrations.identifiers.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("secret", integrations.encryption.SecretField(blank=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                (
                    "organization",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="integrations.organization"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="FailureCount",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("cause", models.CharField(max_length=40)),
                ("minute", models.DateTimeField()),
                ("failed", models.PositiveIntegerField()),
                ("undelivered", models.PositiveIntegerField(default=0, verbose_name="of them undelivered")),
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
                "constraints": [
                    models.UniqueConstraint(
                        fields=("minute", "organization", "cause"), name="failurecount_once_a_minute"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="InboxPolicy",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=integrations.identifiers.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("is_on", models.BooleanField(default=False, verbose_name="answers outside office hours")),
                ("text", models.TextField(blank=True, max_length=1600)),
                ("hours", models.JSONField(blank=True, default=list)),
                ("holidays", models.JSONField(blank=True, default=list)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "organization",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="inbox_policy",
                        to="integrations.organization",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "inbox policies",
            },
        ),
        migrations.CreateModel(
            name="Job",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=integrations.identifiers.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("kind", models.CharField(max_length=40)),
                ("params", models.JSONField(default=dict)),
                ("cursor", models.JSONField(default=dict)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting"),
                            ("running", "Running"),
                            ("done", "Done"),
                            ("failed", "Failed"),
                            ("canceled", "Canceled"),
                        ],
                        default="waiting",
                        max_length=8,
                    ),
                ),
                ("done", models.PositiveIntegerField(default=0)),
                ("total", models.PositiveIntegerField(null=True)),
                ("note", models.CharField(blank=True, max_length=200)),
                ("error", models.CharField(blank=True, max_length=500)),
                ("failures", models.PositiveSmallIntegerField(default=0)),
                ("created_by_id", models.UUIDField(null=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("started_at", models.DateTimeField(null=True)),
                ("finished_at", models.DateTimeField(null=True)),
                ("lease_token", models.UUIDField(null=True)),
                ("lease_until", models.DateTimeField(null=True)),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="jobs",
                        to="integrations.organization",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("state__in", ["waiting", "running"])),
                        fields=["created_at"],
                        name="job_unfinished",
                    ),
                    models.Index(fields=["organization", "kind", "-id"], name="job_newest_first"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("lease_token", None), ("state", "running"), _connector="OR"),
                        name="job_leased_while_running",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="KeywordRule",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=integrations.identifiers.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("name", models.CharField(max_length=60)),
                (
                    "match",
                    models.CharField(
                        choices=[
                            ("exact", "The whole text is"),
                            ("starts", "The text starts with"),
                            ("contains", "The text contains"),
                        ],
                        default="exact",
                        max_length=8,
                    ),
                ),
                ("words", models.JSONField(default=list)),
                ("reply", models.TextField(blank=True, max_length=1600)),
                ("tag", models.CharField(blank=True, max_length=60)),
                ("opts_out", models.BooleanField(default=False, verbose_name="opts out")),
                (
                    "pause_minutes",
                    models.PositiveIntegerField(default=60, verbose_name="minutes between two answers to one number"),
                ),
                ("is_on", models.BooleanField(default=True, verbose_name="in force")),
                ("position", models.PositiveIntegerField(default=0)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="keyword_rules",
                        to="integrations.organization",
                    ),
                ),
            ],
            options={
                "ordering": ["position", "id"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("opts_out", False), ("reply", ""), _connector="OR"),
                        name="keyword_rule_no_answer_to_opt_out",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="LimitCount",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("scope", models.CharField(max_length=12)),
                ("key", models.CharField(blank=True, max_length=50)),
                ("at", models.DateTimeField()),
                ("asked", models.FloatField(db_default=0.0, default=0.0)),
                ("sent", models.FloatField(db_default=0.0, default=0.0)),
                ("approved", models.FloatField(db_default=0.0, default=0.0)),
                ("fresh", models.FloatField(db_default=0.0, default=0.0)),
                ("paced", models.FloatField(db_default=0.0, default=0.0)),
                ("usual_sent", models.FloatField(db_default=0.0, default=0.0)),
                ("usual_approved", models.FloatField(db_default=0.0, default=0.0)),
                (
                    "origin",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=64), db_default=[], default=list, size=None
                    ),
                ),
                ("held_at", models.DateTimeField(null=True)),
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
                "verbose_name": "count of codes",
                "verbose_name_plural": "counts of codes",
                "indexes": [
                    models.Index(fields=["at"], name="limitcount_forgotten"),
                    models.Index(
                        condition=models.Q(("held_at__isnull", False)), fields=["held_at"], name="limitcount_held"
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("organization", "scope", "key"), name="limitcount_once_per_key")
                ],
            },
        ),
        migrations.CreateModel(
            name="MailRefusal",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "member",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="integrations.member"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Message",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=integrations.identifiers.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("broadcast_row", models.PositiveIntegerField(null=True)),
                (
                    "direction",
                    models.CharField(
                        choices=[("outbound", "Outbound"), ("inbound", "Inbound")], default="outbound", max_length=8
                    ),
                ),
                ("channel", models.CharField(default="sms", max_length=12)),
                (
                    "purpose",
                    models.CharField(
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
                ("lane", models.SmallIntegerField(choices=[(0, "Transactional"), (1, "Broadcast")], default=0)),
                ("route", models.CharField(default="twilio", max_length=16)),
                ("phone", models.CharField(max_length=16)),
                ("region", models.CharField(blank=True, max_length=3, verbose_name="country")),
                ("time_zones", models.CharField(blank=True, db_default="", default="", max_length=200)),
                ("sender", models.CharField(blank=True, max_length=34)),
                ("body", models.TextField(blank=True)),
                ("sealed_text", models.TextField(blank=True, db_default="", default="")),
                ("encoding", models.CharField(blank=True, max_length=6)),
                ("segments", models.PositiveSmallIntegerField(default=0)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("scheduled", "Scheduled"),
                            ("queued", "Queued"),
                            ("sending", "Sending"),
                            ("unknown", "Outcome unknown"),
                            ("accepted", "Accepted by Twilio"),
                            ("sent", "Sent"),
                            ("delivered", "Delivered"),
                            ("read", "Read"),
                            ("undelivered", "Undelivered"),
                            ("failed", "Failed"),
                            ("canceled", "Canceled"),
                            ("blocked", "Blocked"),
                            ("received", "Received"),
                        ],
                        default="queued",
                        max_length=12,
                    ),
                ),
                ("provider_sid", models.CharField(blank=True, max_length=34, verbose_name="SID")),
                ("error_code", models.IntegerField(null=True)),
                ("error_reason", models.CharField(blank=True, max_length=40)),
                ("price", models.DecimalField(decimal_places=5, max_digits=10, null=True)),
                ("price_unit", models.CharField(blank=True, max_length=7)),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("source", models.CharField(default="page", max_length=16)),
                ("created_by_id", models.UUIDField(null=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("due_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("valid_until", models.DateTimeField()),
                ("handed_over_at", models.DateTimeField(null=True)),
                ("finished_at", models.DateTimeField(null=True)),
                ("updated_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("claim_token", models.UUIDField(null=True)),
                ("lease_until", models.DateTimeField(null=True)),
                ("posted_at", models.DateTimeField(null=True)),
                ("unknown_since", models.DateTimeField(null=True)),
                ("probes", models.PositiveSmallIntegerField(default=0)),
                ("next_check_at", models.DateTimeField(null=True)),
                ("needs_person", models.BooleanField(default=False)),
                ("redacted_at", models.DateTimeField(null=True)),
                (
                    "broadcast",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="messages",
                        to="messaging.broadcast",
                    ),
                ),
                (
                    "connection",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="messages",
                        to="integrations.connection",
                    ),
                ),
                (
                    "contact",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="messages",
                        to="messaging.contact",
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="messages",
                        to="integrations.organization",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("status", "queued")),
                        fields=["connection", "sender", "lane", "due_at", "id"],
                        name="message_outbox_lanes",
                    ),
                    models.Index(
                        condition=models.Q(("status", "scheduled")), fields=["due_at"], name="message_scheduled"
                    ),
                    models.Index(
                        condition=models.Q(("status", "sending")), fields=["lease_until"], name="message_leases"
                    ),
                    models.Index(
                        condition=models.Q(("status__in", ["unknown", "accepted", "sent"])),
                        fields=["next_check_at"],
                        name="message_to_check",
                    ),
                    models.Index(
                        condition=models.Q(
                            ("price", None),
                            ("status__in", ["delivered", "read", "undelivered"]),
                            models.Q(("provider_sid", ""), _negated=True),
                        ),
                        fields=["connection", "handed_over_at"],
                        name="message_without_price",
                    ),
                    models.Index(
                        condition=models.Q(("broadcast__isnull", False)),
                        fields=["broadcast", "status", "due_at"],
                        name="message_of_broadcast",
                    ),
                    models.Index(
                        condition=models.Q(("status__in", ["failed", "undelivered"])),
                        fields=["finished_at", "organization", "error_code"],
                        name="message_failures",
                    ),
                    models.Index(
                        condition=models.Q(("needs_person", True)), fields=["organization"], name="message_needs_person"
                    ),
                    models.Index(
                        condition=models.Q(("sealed_text", ""), _negated=True),
                        fields=["valid_until"],
                        name="message_sealed",
                    ),
                    models.Index(fields=["organization", "-id"], name="message_log"),
                    models.Index(
                        condition=models.Q(("direction", "inbound")),
                        fields=["organization", "-id"],
                        name="message_log_inbound",
                    ),
                    models.Index(fields=["organization", "status", "-id"], name="message_log_by_status"),
                    models.Index(fields=["organization", "phone", "-id"], name="message_log_by_phone"),
                    models.Index(
                        models.F("organization"),
                        django.contrib.postgres.indexes.OpClass(
                            django.db.models.functions.text.Reverse("phone"), name="text_pattern_ops"
                        ),
                        name="message_log_by_last_digits",
                    ),
                    models.Index(
                        condition=models.Q(("route", "platform")), fields=["phone"], name="message_platform_by_phone"
                    ),
                    models.Index(fields=["organization", "created_at", "status"], name="message_log_by_day"),
                    models.Index(
                        condition=models.Q(("finished_at__isnull", False), ("redacted_at", None)),
                        fields=["organization", "finished_at"],
                        name="message_with_text",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "status__in",
                                [
                                    "scheduled",
                                    "queued",
                                    "sending",
                                    "unknown",
                                    "accepted",
                                    "sent",
                                    "delivered",
                                    "read",
                                    "undelivered",
                                    "failed",
                                    "canceled",
                                    "blocked",
                                    "received",
                                ],
                            )
                        ),
                        name="message_status_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("direction", "inbound"), models.Q(("status", "received"), _negated=True), _connector="OR"
                        ),
                        name="message_only_inbound_received",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("claim_token", None), ("status__in", ["sending", "unknown"]), _connector="OR"
                        ),
                        name="message_claim_only_in_flight",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("provider_sid", ""), _negated=True),
                        fields=("provider_sid",),
                        name="message_sid_once",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("broadcast__isnull", False)),
                        fields=("broadcast", "broadcast_row"),
                        name="message_once_per_broadcast_row",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="IdempotencyKey",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("key", models.CharField(max_length=255)),
                ("body_hash", models.CharField(max_length=64)),
                ("result", models.JSONField(null=True)),
                ("created_at", models.DateTimeField(db_index=True, default=django.utils.timezone.now)),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="integrations.organization",
                    ),
                ),
                (
                    "message",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="messaging.message"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organization", "key"), name="idempotency_key_once_per_organization"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="MessageEvent",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("scheduled", "Scheduled"),
                            ("queued", "Queued"),
                            ("sending", "Sending"),
                            ("unknown", "Outcome unknown"),
                            ("accepted", "Accepted by Twilio"),
                            ("sent", "Sent"),
                            ("delivered", "Delivered"),
                            ("read", "Read"),
                            ("undelivered", "Undelivered"),
                            ("failed", "Failed"),
                            ("canceled", "Canceled"),
                            ("blocked", "Blocked"),
                            ("received", "Received"),
                        ],
                        max_length=12,
                    ),
                ),
                (
                    "source",
                    models.CharField(
                        choices=[
                            ("intake", "Heliograph"),
                            ("engine", "Sending engine"),
                            ("callback", "Twilio's callback"),
                            ("poll", "Twilio, asked by us"),
                            ("member", "A member"),
                            ("api", "API"),
                        ],
                        max_length=12,
                    ),
                ),
                ("error_code", models.IntegerField(null=True)),
                ("note", models.CharField(blank=True, max_length=200)),
                ("at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "message",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="events", to="messaging.message"
                    ),
                ),
            ],
            options={
                "ordering": ["id"],
            },
        ),
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
        migrations.CreateModel(
            name="OptOut",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=integrations.identifiers.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("phone", models.CharField(max_length=16)),
                ("channel", models.CharField(default="sms", max_length=12)),
                (
                    "scope",
                    models.CharField(
                        choices=[
                            ("organization", "Everything the organization sends"),
                            ("sender", "One sender or Messaging Service"),
                        ],
                        default="organization",
                        max_length=16,
                    ),
                ),
                (
                    "sender",
                    models.CharField(
                        blank=True,
                        help_text="With the narrow scope: the number or Messaging Service it covers.",
                        max_length=34,
                    ),
                ),
                (
                    "source",
                    models.CharField(
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
                ("keyword", models.CharField(blank=True, max_length=40)),
                (
                    "twilio_scope",
                    models.CharField(
                        blank=True,
                        help_text="The sender or Messaging Service that Twilio blocks.",
                        max_length=34,
                        verbose_name="scope at Twilio",
                    ),
                ),
                ("started_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                (
                    "ended_by",
                    models.CharField(
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
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="opt_outs",
                        to="integrations.organization",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["organization", "-started_at"], name="opt_out_newest_first")],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("ended_at", None)),
                        fields=("organization", "phone", "channel", "scope", "sender"),
                        name="opt_out_once_while_it_lasts",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("scope", "organization"), ("sender", "")),
                            models.Q(("scope", "sender"), models.Q(("sender", ""), _negated=True)),
                            _connector="OR",
                        ),
                        name="opt_out_sender_with_narrow_scope_only",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Pace",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("sender", models.CharField(blank=True, max_length=34)),
                (
                    "mps",
                    models.DecimalField(
                        blank=True, decimal_places=2, max_digits=7, null=True, verbose_name="messages per second"
                    ),
                ),
                ("next_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("slowed_to", models.FloatField(null=True)),
                ("slowed_from", models.FloatField(null=True)),
                ("slowed_code", models.IntegerField(null=True)),
                ("slowed_at", models.DateTimeField(null=True)),
                (
                    "connection",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="paces",
                        to="integrations.connection",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("connection", "sender"), name="pace_once_per_sender"),
                    models.CheckConstraint(
                        condition=models.Q(("mps", None), ("mps__gt", 0), _connector="OR"), name="pace_moves"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="PausedPrefix",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=integrations.identifiers.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("prefix", models.CharField(max_length=16)),
                ("region", models.CharField(blank=True, max_length=3, verbose_name="country")),
                (
                    "reason",
                    models.CharField(
                        choices=[("growth", "Sudden growth"), ("conversion", "Falling conversion")], max_length=12
                    ),
                ),
                ("sent", models.PositiveIntegerField()),
                ("approved", models.PositiveIntegerField()),
                ("paused_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("until", models.DateTimeField()),
                ("released_at", models.DateTimeField(null=True)),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="integrations.organization",
                    ),
                ),
                (
                    "released_by",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "paused prefix",
                "verbose_name_plural": "paused prefixes",
                "indexes": [
                    models.Index(fields=["organization", "prefix"], name="pausedprefix_of_number"),
                    models.Index(
                        condition=models.Q(("released_at", None)), fields=["until"], name="pausedprefix_standing"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="PriceSearch",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("number", models.PositiveSmallIntegerField(verbose_name="pass")),
                ("through", models.DateTimeField()),
                ("window_from", models.DateTimeField(null=True)),
                ("window_to", models.DateTimeField(null=True)),
                ("window_end", models.DateTimeField(null=True)),
                ("next_page", models.TextField(blank=True)),
                ("failures", models.PositiveSmallIntegerField(default=0)),
                ("held_until", models.DateTimeField(null=True)),
                (
                    "connection",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="integrations.connection",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "price searches",
                "constraints": [
                    models.UniqueConstraint(fields=("connection", "number"), name="price_search_once_per_pass")
                ],
            },
        ),
        migrations.CreateModel(
            name="QuarterCount",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("begins", models.DateTimeField()),
                ("delivered", models.PositiveIntegerField(db_default=0, default=0)),
                ("on_way", models.PositiveIntegerField(db_default=0, default=0)),
                ("failed", models.PositiveIntegerField(db_default=0, default=0)),
                ("handed_over", models.PositiveIntegerField(db_default=0, default=0)),
                ("is_stale", models.BooleanField(db_default=True, default=True)),
                ("counted_at", models.DateTimeField(null=True)),
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
                "indexes": [
                    models.Index(condition=models.Q(("is_stale", True)), fields=["begins"], name="quartercount_stale")
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("organization", "begins"), name="quartercount_once_a_quarter")
                ],
            },
        ),
        migrations.CreateModel(
            name="Recipient",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("row", models.PositiveIntegerField()),
                ("phone", models.CharField(blank=True, max_length=16)),
                ("region", models.CharField(blank=True, max_length=3, verbose_name="country")),
                ("time_zones", models.CharField(blank=True, db_default="", default="", max_length=200)),
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
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("state", "ready"), _negated=True),
                        fields=["broadcast", "state", "reason", "row"],
                        name="recipient_not_sent_to",
                    ),
                    models.Index(
                        condition=models.Q(("contact__isnull", False)), fields=["contact"], name="recipient_of_contact"
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("broadcast", "row"), name="recipient_row_once"),
                    models.UniqueConstraint(
                        condition=models.Q(("state", "ready")),
                        fields=("broadcast", "phone"),
                        name="recipient_phone_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["ready", "left_out", "bad"])), name="recipient_state_known"
                    ),
                ],
            },
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
                "constraints": [models.UniqueConstraint(fields=("broadcast", "first_row"), name="batch_follows_batch")],
            },
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
                (
                    "organization",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="retention_policy",
                        to="integrations.organization",
                    ),
                ),
            ],
            options={
                "verbose_name": "data retention",
                "verbose_name_plural": "data retention",
            },
        ),
        migrations.CreateModel(
            name="RuleAnswer",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("phone", models.CharField(max_length=16)),
                ("answered_at", models.DateTimeField()),
                (
                    "rule",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="answers",
                        to="messaging.keywordrule",
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("rule", "phone"), name="rule_answer_once_per_number")],
            },
        ),
        migrations.CreateModel(
            name="SavedFilter",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=integrations.identifiers.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("name", models.CharField(max_length=80)),
                ("wanted", models.JSONField(default=dict, editable=False)),
                ("created_by_id", models.UUIDField(editable=False, null=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="saved_filters",
                        to="integrations.organization",
                    ),
                ),
            ],
            options={
                "ordering": ["name"],
                "constraints": [
                    models.UniqueConstraint(
                        models.F("organization"),
                        django.db.models.functions.text.Lower("name"),
                        name="saved_filter_name_once_per_organization",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="SendingPolicy",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("daily_cap", models.PositiveIntegerField(blank=True, null=True, verbose_name="messages a day")),
                ("is_quiet", models.BooleanField(default=False, verbose_name="quiet hours")),
                ("quiet_from", models.TimeField(default=datetime.time(20, 0))),
                ("quiet_until", models.TimeField(default=datetime.time(8, 0))),
                (
                    "blocked_regions",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=3), blank=True, default=list, size=None
                    ),
                ),
                (
                    "organization",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="sending_policy",
                        to="integrations.organization",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "sending policies",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("quiet_from", models.F("quiet_until")), _negated=True),
                        name="sendingpolicy_quiet_hours_end",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Tag",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=integrations.identifiers.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("name", models.CharField(max_length=60)),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="tags", to="integrations.organization"
                    ),
                ),
            ],
            options={
                "ordering": ["name"],
                "constraints": [
                    models.UniqueConstraint(fields=("organization", "name"), name="tag_once_per_organization")
                ],
            },
        ),
        migrations.AddField(
            model_name="contact",
            name="tags",
            field=models.ManyToManyField(blank=True, related_name="contacts", to="messaging.tag"),
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
                (
                    "contact",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="messaging.contact"
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["job_id", "id"], name="tagged_in_job")],
            },
        ),
        migrations.CreateModel(
            name="Template",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=integrations.identifiers.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("name", models.CharField(max_length=80)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("archived_at", models.DateTimeField(blank=True, editable=False, null=True)),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="templates",
                        to="integrations.organization",
                    ),
                ),
            ],
            options={
                "ordering": ["name"],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("archived_at", None)),
                        fields=("organization", "name"),
                        name="template_name_once_per_organization",
                    )
                ],
            },
        ),
        migrations.AddField(
            model_name="message",
            name="template",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="messages",
                to="messaging.template",
            ),
        ),
        migrations.AddField(
            model_name="broadcast",
            name="template",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to="messaging.template"
            ),
        ),
        migrations.CreateModel(
            name="TemplateVersion",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=integrations.identifiers.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("number", models.PositiveIntegerField()),
                ("body", models.TextField()),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "created_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "template",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="versions", to="messaging.template"
                    ),
                ),
            ],
            options={
                "ordering": ["-number"],
                "constraints": [
                    models.UniqueConstraint(fields=("template", "number"), name="template_version_numbered_once")
                ],
            },
        ),
        migrations.AddField(
            model_name="template",
            name="current",
            field=models.ForeignKey(
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="messaging.templateversion",
            ),
        ),
        migrations.AddField(
            model_name="message",
            name="template_version",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="messages",
                to="messaging.templateversion",
            ),
        ),
        migrations.AddField(
            model_name="broadcast",
            name="template_version",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="messaging.templateversion",
            ),
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
                (
                    "connection",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="integrations.connection",
                    ),
                ),
                (
                    "message",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="removals",
                        to="messaging.message",
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
                "verbose_name": "removal at Twilio",
                "verbose_name_plural": "removals at Twilio",
                "indexes": [
                    models.Index(
                        condition=models.Q(("next_try_at__isnull", False)),
                        fields=["next_try_at"],
                        name="twilio_removal_due",
                    ),
                    models.Index(fields=["organization", "-id"], name="twilio_removal_newest"),
                ],
                "constraints": [models.UniqueConstraint(fields=("sid", "what"), name="twilio_removal_once")],
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
            options={
                "indexes": [models.Index(fields=["organization", "phone"], name="unsubscribe_link_by_phone")],
            },
        ),
        migrations.CreateModel(
            name="Upload",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=integrations.identifiers.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("name", models.CharField(max_length=200, verbose_name="file")),
                ("size", models.BigIntegerField(default=0)),
                ("sha256", models.CharField(blank=True, max_length=64, verbose_name="SHA-256")),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "finished_at",
                    models.DateTimeField(
                        blank=True, help_text="When the last byte was there; a file without it is not read.", null=True
                    ),
                ),
                (
                    "created_by",
                    models.ForeignKey(
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="uploads",
                        to="integrations.organization",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["organization", "-created_at"], name="upload_newest_first"),
                    models.Index(fields=["created_at"], name="upload_by_age"),
                ],
            },
        ),
        migrations.CreateModel(
            name="ImportedNumber",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("phone", models.CharField(max_length=16)),
                ("row", models.PositiveIntegerField()),
                (
                    "upload",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="numbers",
                        to="messaging.upload",
                    ),
                ),
            ],
            options={
                "verbose_name": "number of a file",
                "verbose_name_plural": "numbers of files",
                "constraints": [
                    models.UniqueConstraint(fields=("upload", "phone"), name="imported_number_once_per_file")
                ],
            },
        ),
        migrations.CreateModel(
            name="ContactImport",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=integrations.identifiers.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[("contacts", "Contacts"), ("opt_outs", "Opt-outs")], default="contacts", max_length=8
                    ),
                ),
                ("file_name", models.CharField(max_length=200, verbose_name="file")),
                ("file_sha256", models.CharField(max_length=64, verbose_name="SHA-256 of the file")),
                ("reading", models.JSONField(default=dict, editable=False)),
                ("inspection", models.JSONField(default=dict, editable=False)),
                ("mapping", models.JSONField(default=dict, editable=False)),
                ("options", models.JSONField(default=dict, editable=False)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("mapping", "Columns to be chosen"),
                            ("checking", "Being checked"),
                            ("checked", "Checked"),
                            ("running", "Being imported"),
                            ("done", "Imported"),
                        ],
                        default="mapping",
                        max_length=8,
                    ),
                ),
                ("progress", models.JSONField(default=dict, editable=False)),
                ("counts", models.JSONField(default=dict, editable=False)),
                ("first_wrong", models.JSONField(default=list, editable=False)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
                (
                    "created_by",
                    models.ForeignKey(
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="contact_imports",
                        to="integrations.organization",
                    ),
                ),
                (
                    "job",
                    models.ForeignKey(
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="messaging.job",
                    ),
                ),
                (
                    "upload",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to="messaging.upload"
                    ),
                ),
            ],
            options={
                "verbose_name": "import",
                "indexes": [models.Index(fields=["organization", "-id"], name="import_newest_first")],
            },
        ),
        migrations.CreateModel(
            name="UploadChunk",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("number", models.PositiveIntegerField()),
                ("data", models.BinaryField()),
                (
                    "upload",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="chunks", to="messaging.upload"
                    ),
                ),
            ],
            options={
                "verbose_name": "piece of an upload",
                "verbose_name_plural": "pieces of uploads",
                "constraints": [models.UniqueConstraint(fields=("upload", "number"), name="upload_chunk_once")],
            },
        ),
        migrations.CreateModel(
            name="Verification",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=integrations.identifiers.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("phone", models.CharField(max_length=16)),
                ("region", models.CharField(blank=True, max_length=3, verbose_name="country")),
                (
                    "email",
                    models.EmailField(blank=True, db_default="", default="", max_length=254, verbose_name="e-mail"),
                ),
                (
                    "asker_kind",
                    models.CharField(
                        choices=[("api", "API"), ("form", "Public form"), ("portal", "Portal"), ("member", "Member")],
                        max_length=8,
                        verbose_name="asked by",
                    ),
                ),
                ("asker_id", models.UUIDField(null=True)),
                (
                    "backend",
                    models.CharField(choices=[("verify", "Twilio Verify"), ("own", "Code of our own")], max_length=8),
                ),
                ("route", models.CharField(choices=[("twilio", "Twilio"), ("platform", "Platform SMS")], max_length=8)),
                ("service_sid", models.CharField(blank=True, max_length=34, verbose_name="Verify Service SID")),
                (
                    "channel",
                    models.CharField(
                        choices=[("sms", "SMS"), ("call", "Call"), ("whatsapp", "WhatsApp"), ("email", "E-mail")],
                        default="sms",
                        max_length=8,
                    ),
                ),
                ("locale", models.CharField(blank=True, max_length=12)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("pending", "Waiting for the code"),
                            ("approved", "Approved"),
                            ("expired", "Expired"),
                            ("canceled", "Canceled"),
                            ("max_attempts", "Too many wrong codes"),
                            ("failed", "Failed"),
                        ],
                        default="pending",
                        max_length=12,
                    ),
                ),
                ("provider_sid", models.CharField(blank=True, max_length=34, verbose_name="SID")),
                ("code_hash", models.CharField(blank=True, max_length=64)),
                ("sends", models.PositiveSmallIntegerField(default=0, verbose_name="codes sent")),
                ("checks", models.PositiveSmallIntegerField(default=0, verbose_name="codes tried")),
                ("error_code", models.IntegerField(null=True)),
                ("error_reason", models.CharField(blank=True, max_length=40)),
                ("network", models.CharField(blank=True, max_length=60)),
                ("checking_until", models.DateTimeField(null=True)),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("expires_at", models.DateTimeField()),
                ("resend_after", models.DateTimeField()),
                ("delivered_at", models.DateTimeField(null=True)),
                ("approved_at", models.DateTimeField(null=True)),
                ("ended_at", models.DateTimeField(null=True)),
                (
                    "connection",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="verifications",
                        to="integrations.connection",
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="verifications",
                        to="integrations.organization",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["organization", "-id"], name="verification_newest_first"),
                    models.Index(fields=["organization", "phone", "-id"], name="verification_by_phone"),
                    models.Index(fields=["organization", "created_at"], name="verification_by_day"),
                    models.Index(
                        condition=models.Q(("status", "pending")), fields=["expires_at"], name="verification_pending"
                    ),
                    models.Index(
                        condition=models.Q(("provider_sid", ""), _negated=True),
                        fields=["provider_sid"],
                        name="verification_by_sid",
                    ),
                    models.Index(
                        condition=models.Q(("backend", "own"), ("delivered_at", None)),
                        fields=["created_at"],
                        name="verification_undelivered",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("approved_at__isnull", False), ("status", "approved")),
                            models.Q(models.Q(("status", "approved"), _negated=True), ("approved_at", None)),
                            _connector="OR",
                        ),
                        name="verification_approved_at_a_time",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("ended_at", None), ("status", "pending")),
                            models.Q(models.Q(("status", "pending"), _negated=True), ("ended_at__isnull", False)),
                            _connector="OR",
                        ),
                        name="verification_ended_at_a_time",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="VerificationPolicy",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveIntegerField(blank=True, null=True)),
                ("number_day", models.PositiveIntegerField(blank=True, null=True)),
                ("resend", models.PositiveIntegerField(blank=True, null=True)),
                ("ip", models.PositiveIntegerField(blank=True, null=True)),
                ("network", models.PositiveIntegerField(blank=True, null=True)),
                ("asker", models.PositiveIntegerField(blank=True, null=True)),
                ("country", models.PositiveIntegerField(blank=True, null=True)),
                ("day", models.PositiveIntegerField(blank=True, null=True)),
                ("prefix", models.PositiveIntegerField(blank=True, null=True)),
                ("pause", models.PositiveIntegerField(blank=True, null=True)),
                (
                    "regions",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=2), blank=True, default=list, size=None
                    ),
                ),
                (
                    "organization",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="verification_policy",
                        to="integrations.organization",
                    ),
                ),
            ],
            options={
                "verbose_name": "verification limits",
                "verbose_name_plural": "verification limits",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("number", None), ("number__gte", 1), _connector="OR"),
                            models.Q(("number_day", None), ("number_day__gte", 1), _connector="OR"),
                            models.Q(("resend", None), ("resend__gte", 1), _connector="OR"),
                            models.Q(("ip", None), ("ip__gte", 1), _connector="OR"),
                            models.Q(("network", None), ("network__gte", 1), _connector="OR"),
                            models.Q(("asker", None), ("asker__gte", 1), _connector="OR"),
                            models.Q(("country", None), ("country__gte", 1), _connector="OR"),
                            models.Q(("day", None), ("day__gte", 1), _connector="OR"),
                            models.Q(("prefix", None), ("prefix__gte", 1), _connector="OR"),
                            models.Q(("pause", None), ("pause__gte", 1), _connector="OR"),
                        ),
                        name="verificationpolicy_lets_pass",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="VerificationSend",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "channel",
                    models.CharField(
                        choices=[("sms", "SMS"), ("call", "Call"), ("whatsapp", "WhatsApp"), ("email", "E-mail")],
                        max_length=8,
                    ),
                ),
                (
                    "outcome",
                    models.CharField(
                        choices=[
                            ("sending", "Being handed over"),
                            ("sent", "Handed over"),
                            ("unknown", "Outcome unknown"),
                            ("refused", "Refused"),
                        ],
                        default="sending",
                        max_length=8,
                    ),
                ),
                ("error_code", models.IntegerField(null=True)),
                ("error_reason", models.CharField(blank=True, max_length=40)),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "message",
                    models.OneToOneField(
                        null=True, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="messaging.message"
                    ),
                ),
                (
                    "verification",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="attempts",
                        to="messaging.verification",
                    ),
                ),
            ],
            options={
                "ordering": ["id"],
            },
        ),
        migrations.AddIndex(
            model_name="message",
            index=models.Index(fields=["organization", "template", "-id"], name="message_log_by_template"),
        ),
    ]
    operations = [*_contact_search.OPERATIONS, *operations, *_database.OPERATIONS]
