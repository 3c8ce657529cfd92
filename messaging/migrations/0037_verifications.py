"""Attempts to prove a number, the codes that were sent, and channels that are not offered."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

import integrations.identifiers


class Migration(migrations.Migration):
    dependencies = [
        ("integrations", "0010_index_audit_of_object"),
        ("messaging", "0036_platform_messages_by_phone"),
    ]

    operations = [
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
            ],
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
            ],
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
            ],
            options={
                "ordering": ["id"],
            },
        ),
        migrations.AddField(
            model_name="closedchannel",
            name="connection",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="closed_channels",
                to="integrations.connection",
            ),
        ),
        migrations.AddField(
            model_name="verification",
            name="connection",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="verifications",
                to="integrations.connection",
            ),
        ),
        migrations.AddField(
            model_name="verification",
            name="organization",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="verifications",
                to="integrations.organization",
            ),
        ),
        migrations.AddField(
            model_name="verificationsend",
            name="message",
            field=models.OneToOneField(
                null=True, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="messaging.message"
            ),
        ),
        migrations.AddField(
            model_name="verificationsend",
            name="verification",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="attempts", to="messaging.verification"
            ),
        ),
        migrations.AddConstraint(
            model_name="closedchannel",
            constraint=models.UniqueConstraint(
                fields=("connection", "service_sid", "channel"), name="closedchannel_once"
            ),
        ),
        migrations.AddIndex(
            model_name="verification",
            index=models.Index(fields=["organization", "-id"], name="verification_newest_first"),
        ),
        migrations.AddIndex(
            model_name="verification",
            index=models.Index(fields=["organization", "phone", "-id"], name="verification_by_phone"),
        ),
        migrations.AddIndex(
            model_name="verification",
            index=models.Index(fields=["organization", "created_at"], name="verification_by_day"),
        ),
        migrations.AddIndex(
            model_name="verification",
            index=models.Index(
                condition=models.Q(("status", "pending")), fields=["expires_at"], name="verification_pending"
            ),
        ),
        migrations.AddIndex(
            model_name="verification",
            index=models.Index(
                condition=models.Q(("provider_sid", ""), _negated=True),
                fields=["provider_sid"],
                name="verification_by_sid",
            ),
        ),
        migrations.AddIndex(
            model_name="verification",
            index=models.Index(
                condition=models.Q(("backend", "own"), ("delivered_at", None)),
                fields=["created_at"],
                name="verification_undelivered",
            ),
        ),
        migrations.AddConstraint(
            model_name="verification",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("approved_at__isnull", False), ("status", "approved")),
                    models.Q(models.Q(("status", "approved"), _negated=True), ("approved_at", None)),
                    _connector="OR",
                ),
                name="verification_approved_at_a_time",
            ),
        ),
        migrations.AddConstraint(
            model_name="verification",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("ended_at", None), ("status", "pending")),
                    models.Q(models.Q(("status", "pending"), _negated=True), ("ended_at__isnull", False)),
                    _connector="OR",
                ),
                name="verification_ended_at_a_time",
            ),
        ),
    ]
