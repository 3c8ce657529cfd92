"""What messages to a country cost on a connection: Twilio's prices, kept for a day."""

from django.db import models

from integrations.connections.models import Connection


class CountryPrice(models.Model):
    """Twilio's prices of one country as one connection's account pays them.

    `by_type` has the lowest and the highest price of a segment over all carriers, as texts, for each type of sender;
    empty where Twilio sells nothing there. `failed_at` is the last attempt in vain since `fetched_at`.
    """

    id = models.BigAutoField(primary_key=True)
    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="prices", db_index=False)
    region = models.CharField("country", max_length=2)
    by_type = models.JSONField("prices by type of sender", default=dict)
    unit = models.CharField("currency", max_length=3, blank=True)
    fetched_at = models.DateTimeField(null=True)
    failed_at = models.DateTimeField(null=True)
    asked_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["connection", "region"], name="price_once_per_country")]

    def __str__(self) -> str:
        return f"prices of {self.region}"
