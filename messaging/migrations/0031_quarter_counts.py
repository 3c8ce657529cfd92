"""Count messages by the quarter of an hour they were made in."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("integrations", "0008_reply_addresses"),
        ("messaging", "0030_index_failures_and_flagged"),
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
    ]
