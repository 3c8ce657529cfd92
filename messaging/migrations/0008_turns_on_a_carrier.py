"""An index by which platform SMS of each organization is found apart, so that organizations can take turns."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("messaging", "0007_retention_of_more")]

    operations = [
        AddIndexConcurrently(
            "message",
            models.Index(
                fields=["connection", "lane", "organization", "due_at", "id"],
                condition=models.Q(("route", "platform"), ("status", "queued")),
                name="message_outbox_tenants",
            ),
        ),
    ]
