"""The index of codes of which nobody has said yet whether they arrived, in the place of that of undelivered ones."""

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("messaging", "0003_arrival_of_codes")]

    operations = [
        AddIndexConcurrently(
            "verification",
            models.Index(
                fields=["created_at"], condition=models.Q(("reported_at", None)), name="verification_unreported"
            ),
        ),
        RemoveIndexConcurrently("verification", "verification_undelivered"),
    ]
