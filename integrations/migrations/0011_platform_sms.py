"""Who carries platform SMS, at what price, and what each organization set for it."""

from decimal import Decimal

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("integrations", "0010_index_audit_of_object")]

    operations = [
        migrations.AlterField(
            model_name="connection",
            name="mode",
            field=models.CharField(
                choices=[
                    ("live", "Live"),
                    ("sandbox", "Sandbox"),
                    ("test", "Test credentials"),
                    ("webhook", "Webhook of the operator"),
                ],
                default="live",
                editable=False,
                max_length=8,
            ),
        ),
        migrations.AddField(
            model_name="connection",
            name="webhook_url",
            field=models.CharField(
                blank=True, db_default="", default="", editable=False, max_length=500, verbose_name="webhook"
            ),
        ),
        migrations.AddConstraint(
            model_name="connection",
            constraint=models.CheckConstraint(
                condition=models.Q(("is_default", True), ("mode", "webhook"), _negated=True),
                name="connection_default_is_no_webhook",
            ),
        ),
        migrations.CreateModel(
            name="PlatformDestination",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "destination",
                    models.CharField(
                        choices=[("domestic", "Mainland China"), ("international", "Codes to the rest of the world")],
                        max_length=16,
                        unique=True,
                    ),
                ),
                (
                    "price",
                    models.DecimalField(
                        decimal_places=4,
                        help_text="Empty: the price of the settings.",
                        max_digits=10,
                        null=True,
                        verbose_name="credits a message",
                    ),
                ),
                (
                    "carrier",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="carries",
                        to="integrations.connection",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("price", None), ("price__gte", 0), _connector="OR"),
                        name="platform_price_fits",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="PlatformPolicy",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("signature", models.CharField(blank=True, max_length=20)),
                ("warn_below", models.DecimalField(decimal_places=4, default=Decimal("50"), max_digits=14)),
                (
                    "organization",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="integrations.organization"
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "platform policies",
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("warn_below__gte", 0)), name="platform_warning_fits")
                ],
            },
        ),
    ]
