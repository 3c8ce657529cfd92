"""Figures for codes by e-mail, which an organization may set for itself like those of numbers."""

from django.db import migrations, models

_FIGURES = (
    "number", "number_day", "resend", "ip", "network", "asker", "country", "day", "prefix", "pause", "address",
    "addresses",
)  # fmt: skip


class Migration(migrations.Migration):
    dependencies = [("messaging", "0004_unreported_codes")]

    operations = [
        migrations.AddField(
            "verificationpolicy",
            "address",
            models.PositiveIntegerField(blank=True, null=True, verbose_name="e-mail address"),
        ),
        migrations.AddField(
            "verificationpolicy",
            "addresses",
            models.PositiveIntegerField(blank=True, null=True, verbose_name="all e-mail addresses"),
        ),
        migrations.RemoveConstraint("verificationpolicy", "verificationpolicy_lets_pass"),
        migrations.AddConstraint(
            "verificationpolicy",
            models.CheckConstraint(
                condition=models.Q(*(models.Q(**{name: None}) | models.Q(**{f"{name}__gte": 1}) for name in _FIGURES)),
                name="verificationpolicy_lets_pass",
            ),
        ),
    ]
