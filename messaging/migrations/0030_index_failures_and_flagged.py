"""Find the failures of the last minutes, and the messages that need a person."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("messaging", "0029_alerts")]

    operations = [
        AddIndexConcurrently(
            model_name="message",
            index=models.Index(
                condition=models.Q(("status__in", ["failed", "undelivered"])),
                fields=["finished_at", "organization", "error_code"],
                name="message_failures",
            ),
        ),
        AddIndexConcurrently(
            model_name="message",
            index=models.Index(
                condition=models.Q(("needs_person", True)), fields=["organization"], name="message_needs_person"
            ),
        ),
    ]
