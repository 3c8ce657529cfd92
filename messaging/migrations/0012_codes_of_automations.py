"""Automations ask for codes, too."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("messaging", "0011_outgoing_secret")]

    operations = [
        migrations.AlterField(
            "verification",
            "asker_kind",
            models.CharField(
                "asked by",
                max_length=12,
                choices=[
                    ("api", "API"),
                    ("form", "Public form"),
                    ("portal", "Portal"),
                    ("member", "Member"),
                    ("automation", "Automation"),
                ],
            ),
        ),
    ]
