"""A flooded inbox is an alert like others."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("messaging", "0033_opt_outs_hold_from_their_commit")]

    operations = [
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
                ],
                max_length=20,
            ),
        ),
    ]
