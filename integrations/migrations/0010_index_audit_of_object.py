"""Find what the audit log says of one thing without reading it from end to end."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("integrations", "0009_erase_from_audit")]

    operations = [
        AddIndexConcurrently(
            model_name="auditentry",
            index=models.Index(fields=["object_id"], condition=~models.Q(object_id=""), name="audit_of_object"),
        ),
    ]
