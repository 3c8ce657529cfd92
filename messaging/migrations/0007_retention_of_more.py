"""Verifications and submissions may be deleted after some days, too; until that is set they are kept."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import migrations, models


def _days(what: str) -> models.PositiveSmallIntegerField:
    return models.PositiveSmallIntegerField(
        f"days {what} are kept", null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(3650)]
    )


class Migration(migrations.Migration):
    dependencies = [("messaging", "0006_alert_of_refused_codes")]

    operations = [
        migrations.AddField("retentionpolicy", "verification_days", _days("verifications")),
        migrations.AddField("retentionpolicy", "submission_days", _days("submissions")),
    ]
