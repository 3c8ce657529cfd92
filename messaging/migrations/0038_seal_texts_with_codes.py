"""Keep the real text of a message with a code encrypted beside the one that the log shows."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("messaging", "0037_verifications")]

    operations = [
        migrations.AddField(
            model_name="message",
            name="sealed_text",
            field=models.TextField(blank=True, db_default="", default=""),
        ),
        AddIndexConcurrently(
            model_name="message",
            index=models.Index(
                condition=models.Q(("sealed_text", ""), _negated=True), fields=["valid_until"], name="message_sealed"
            ),
        ),
    ]
