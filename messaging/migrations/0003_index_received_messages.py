"""Find an organization's incoming messages without reading what it sent."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("integrations", "0005_connection_request_id"),
        ("messaging", "0002_message_unknown_since"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="message",
            index=models.Index(
                condition=models.Q(("direction", "inbound")), fields=["organization", "-id"], name="message_log_inbound"
            ),
        ),
    ]
