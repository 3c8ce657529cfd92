"""Whose platform SMS a number was sent, which is what its STOP reaches; and an alert when credits run low."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("messaging", "0035_message_price_in_credits")]

    operations = [
        AddIndexConcurrently(
            model_name="message",
            index=models.Index(
                condition=models.Q(("route", "platform")), fields=["phone"], name="message_platform_by_phone"
            ),
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
                ],
                max_length=20,
            ),
        ),
    ]
