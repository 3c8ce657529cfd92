"""Since when a message's outcome is unknown; the claim's token stays with it, so that its late answer still counts."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("messaging", "0001_initial")]

    operations = [
        migrations.AddField(model_name="message", name="unknown_since", field=models.DateTimeField(null=True)),
        migrations.RemoveConstraint(model_name="message", name="message_claim_only_while_sending"),
        migrations.AddConstraint(
            model_name="message",
            constraint=models.CheckConstraint(
                condition=models.Q(claim_token=None) | models.Q(status__in=["sending", "unknown"]),
                name="message_claim_only_in_flight",
            ),
        ),
    ]
