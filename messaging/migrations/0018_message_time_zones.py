"""Remember where the recipient of a message may be, for quiet hours."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("messaging", "0017_conversations")]

    operations = [
        migrations.AddField(
            model_name="message",
            name="time_zones",
            # With a default of the database: workers of the version before go on inserting while this one comes.
            field=models.CharField(blank=True, db_default="", default="", max_length=200),
        ),
    ]
