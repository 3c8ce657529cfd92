"""Limits of verification: figures, counts, paused prefixes, spent proofs."""

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

import integrations.identifiers


class Migration(migrations.Migration):
    dependencies = [
        ("integrations", "0011_platform_sms"),
        ("messaging", "0038_seal_texts_with_codes"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
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
        migrations.AlterField(
            model_name="alert",
            name="kind",
            field=models.CharField(
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
    ]
