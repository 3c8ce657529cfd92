"""Twilio's prices by country, kept for a day; and how far the search for what was really charged has come."""

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


class PriceSearch(models.Model):
    """A pass of the search for prices on a connection: `through` is the time of handing over up to which it is done.

    While a window is open it stretches over Twilio's list from `window_from` to `window_to`, for the messages handed
    over until `window_end`; `next_page` is where its next page is.
    """

    id = models.BigAutoField(primary_key=True)
    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="+", db_index=False)
    number = models.PositiveSmallIntegerField("pass")
    through = models.DateTimeField()
    window_from = models.DateTimeField(null=True)
    window_to = models.DateTimeField(null=True)
    window_end = models.DateTimeField(null=True)
    next_page = models.TextField(blank=True)
    failures = models.PositiveSmallIntegerField(default=0)
    held_until = models.DateTimeField(null=True)

    class Meta:
        verbose_name_plural = "price searches"
        constraints = [models.UniqueConstraint(fields=["connection", "number"], name="price_search_once_per_pass")]

    def __str__(self) -> str:
        return f"pass {self.number} of the search for prices"
