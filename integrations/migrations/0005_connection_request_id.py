"""Remember which submitted form made a connection, so that it makes only one."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("integrations", "0004_connection_credentials_version")]

    operations = [
        migrations.AddField(
            model_name="connection",
            name="request_id",
            field=models.UUIDField(editable=False, null=True),
        ),
        migrations.AddConstraint(
            model_name="connection",
            constraint=models.UniqueConstraint(
                fields=("organization", "request_id"), name="connection_once_per_request"
            ),
        ),
    ]
