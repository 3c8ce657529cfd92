"""Let every sender have lanes of its own: one that is throttled must not hold up the others."""

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False  # indexes of a big table are made without locking it

    dependencies = [("messaging", "0018_message_time_zones")]

    operations = [
        AddIndexConcurrently(
            model_name="message",
            index=models.Index(
                condition=models.Q(("status", "queued")),
                fields=["connection", "sender", "lane", "due_at", "id"],
                name="message_outbox_lanes",
            ),
        ),
        RemoveIndexConcurrently(model_name="message", name="message_outbox"),
    ]
