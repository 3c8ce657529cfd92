"""Keep what Twilio charges by country."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("integrations", "0005_connection_request_id"),
        ("messaging", "0004_jobs"),
    ]

    operations = [
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
    ]
