"""Find texts whose time is over, and what a person wrote to us, without reading everything."""

import django.db.models.fields.json
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("messaging", "0026_erasure_and_retention")]

    operations = [
        AddIndexConcurrently(
            model_name="callback",
            index=models.Index(
                django.db.models.fields.json.KeyTextTransform("From", "params"),
                condition=models.Q(("kind", "inbound")),
                name="callback_by_writer",
            ),
        ),
        AddIndexConcurrently(
            model_name="message",
            index=models.Index(
                condition=models.Q(("finished_at__isnull", False), ("redacted_at", None)),
                fields=["organization", "finished_at"],
                name="message_with_text",
            ),
        ),
    ]
