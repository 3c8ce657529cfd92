"""Keyword rules, and answers outside office hours."""

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

import integrations.identifiers


class Migration(migrations.Migration):
    dependencies = [
        ("integrations", "0005_connection_request_id"),
        ("messaging", "0021_quiet_until"),
    ]

    operations = [
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
        ),
        migrations.AddConstraint(
            model_name="keywordrule",
            constraint=models.CheckConstraint(
                condition=models.Q(("opts_out", False), ("reply", ""), _connector="OR"),
                name="keyword_rule_no_answer_to_opt_out",
            ),
        ),
        migrations.AddConstraint(
            model_name="ruleanswer",
            constraint=models.UniqueConstraint(fields=("rule", "phone"), name="rule_answer_once_per_number"),
        ),
    ]
