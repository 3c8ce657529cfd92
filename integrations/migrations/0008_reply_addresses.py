"""Places at Twilio whose address for replies we set, and what stood there before."""

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("integrations", "0007_append_only_credits"),
    ]

    operations = [
        migrations.CreateModel(
            name="ReplyAddress",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "kind",
                    models.CharField(choices=[("service", "Messaging Service"), ("number", "Number")], max_length=8),
                ),
                ("sid", models.CharField(max_length=34, verbose_name="SID")),
                ("label", models.CharField(blank=True, max_length=120)),
                ("former_url", models.CharField(blank=True, max_length=2000)),
                ("former_method", models.CharField(blank=True, max_length=6)),
                ("former_application", models.CharField(blank=True, max_length=34, verbose_name="former TwiML App")),
                ("set_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("put_back_at", models.DateTimeField(blank=True, null=True)),
                (
                    "connection",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="reply_addresses",
                        to="integrations.connection",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "reply addresses",
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("put_back_at", None)),
                        fields=("connection", "sid"),
                        name="reply_address_once_per_place",
                    )
                ],
            },
        ),
    ]
