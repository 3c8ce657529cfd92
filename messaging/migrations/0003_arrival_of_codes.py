"""Whether codes arrived: known lost ones, and when anybody said so. Earlier reports of our own codes are taken over."""

from django.db import migrations, models

_FILL = """
UPDATE messaging_verification SET reported_at = delivered_at
WHERE backend = 'own' AND delivered_at IS NOT NULL AND created_at > now() - interval '90 days'
"""


class Migration(migrations.Migration):
    dependencies = [("messaging", "0002_spare_indexes")]

    operations = [
        migrations.AddField("verification", "undelivered_at", models.DateTimeField(null=True)),
        migrations.AddField("verification", "reported_at", models.DateTimeField(null=True)),
        migrations.AlterField(
            "verificationsend",
            "outcome",
            models.CharField(
                choices=[
                    ("sending", "Being handed over"),
                    ("sent", "Handed over"),
                    ("unknown", "Outcome unknown"),
                    ("refused", "Refused"),
                    ("failed", "Did not arrive"),
                ],
                default="sending",
                max_length=8,
            ),
        ),
        migrations.RunSQL(_FILL, migrations.RunSQL.noop),
    ]
