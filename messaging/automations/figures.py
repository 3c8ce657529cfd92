"""What Prometheus hears of runs: how many wait, are under way and failed lately, counted when it asks."""

from collections.abc import Iterator
from functools import cache

import prometheus_client
from django.db import Error, connection
from prometheus_client.metrics_core import GaugeMetricFamily
from prometheus_client.registry import Collector

# Nothing that grows with what was ever done; of what waits no more than a hundred thousand are counted.
_FIGURES = """
SELECT
    (SELECT count(*) FROM (SELECT 1 FROM messaging_run WHERE status = 'waiting' LIMIT 100000) AS first),
    (SELECT count(*) FROM messaging_run WHERE status = 'running'),
    (SELECT count(*) FROM messaging_run WHERE status = 'failed' AND ended_at > now() - interval '1 hour'),
    (SELECT count(*) FROM (SELECT 1 FROM messaging_happening WHERE heard_at IS NULL LIMIT 100000) AS first)
"""


class _Runs(Collector):
    def describe(self) -> Iterator[GaugeMetricFamily]:
        # Said without a look at the database: there may be none yet.
        yield GaugeMetricFamily("heliograph_automation_runs", "Runs of automations by status.", labels=["status"])
        yield GaugeMetricFamily("heliograph_happenings_unheard", "What happened and no automation has heard of yet.")

    def collect(self) -> Iterator[GaugeMetricFamily]:
        try:
            with connection.cursor() as cursor:
                cursor.execute(_FIGURES)
                waiting, running, failed, unheard = cursor.fetchone()
        except Error:
            return  # the other figures are given all the same
        runs, happenings = self.describe()
        for status, count in (("waiting", waiting), ("running", running), ("failed_last_hour", failed)):
            runs.add_metric([status], count)
        happenings.add_metric([], unheard)
        yield from (runs, happenings)


@cache
def register_figures() -> None:
    """Have `/metrics` tell them."""
    prometheus_client.REGISTRY.register(_Runs())
