"""Find the messages that arrived and whose price is not known yet."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("messaging", "0010_price_searches")]

    operations = [
        AddIndexConcurrently(
            model_name="message",
            index=models.Index(
                condition=models.Q(
                    ("price", None),
                    ("status__in", ["delivered", "read", "undelivered"]),
                    models.Q(("provider_sid", ""), _negated=True),
                ),
                fields=["connection", "handed_over_at"],
                name="message_without_price",
            ),
        ),
    ]
