"""Remember how far the search for what Twilio charged has come."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("integrations", "0005_connection_request_id"),
        ("messaging", "0009_index_contacts"),
    ]

    operations = [
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
    ]
