"""Freeze with each recipient where they may be, for quiet hours."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("messaging", "0022_keyword_rules"),
    ]

    operations = [
        migrations.AddField(
            model_name="recipient",
            name="time_zones",
            field=models.CharField(blank=True, db_default="", default="", max_length=200),
        ),
    ]
