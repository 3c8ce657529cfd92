"""Alerts may tell that no codes leave."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("messaging", "0005_limits_of_addresses")]

    operations = [
        migrations.AlterField(
            "alert",
            "kind",
            models.CharField(
                choices=[
                    ("connection_broken", "Connection broken"),
                    ("codes_refused", "Codes do not leave"),
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
    ]
