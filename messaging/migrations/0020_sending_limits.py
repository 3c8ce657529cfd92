"""Limits of sending: an organization's policy, what it used of a day, and the pace of its senders."""

import datetime

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("integrations", "0005_connection_request_id"),
        ("messaging", "0019_outbox_by_sender"),
    ]

    operations = [
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
    ]
