"""Count how often a connection's secrets were changed."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("integrations", "0003_cache_table")]

    operations = [
        migrations.AddField(
            model_name="connection",
            name="credentials_version",
            field=models.PositiveIntegerField(default=1, editable=False),
        ),
    ]
