"""What Prometheus reads: the age of the latest list, its alerts by level, and how long requests
took.
"""

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from serving.access.dependencies import Services
from serving.alerts.watchlists.repository import WatchlistRepository
from serving.database.engine import read_transaction
from serving.operations.health.repository import HealthRepository
from serving.vocabulary.alerts import URGENCY
from serving.vocabulary.times import local_day_span

__all__ = ["Metrics"]


class Metrics:
    """The metrics of one application."""

    def __init__(self, services: Services) -> None:
        self.registry = CollectorRegistry()
        self.latency = Histogram(
            "forestall_request_duration_seconds",
            "How long requests took",
            ["method", "route", "status"],
            registry=self.registry,
        )
        self.registry.register(Published(services))


class Published(Collector):
    """Reads what was published at the moment of the scrape."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def describe(self) -> Iterable[Metric]:
        """Promise no names at registration: the database is not read before it is needed."""
        return []

    def collect(self) -> Iterable[Metric]:
        """Return the age of the latest list and the alerts of its day."""
        with read_transaction(self._services.engine) as session:
            latest = WatchlistRepository(session).latest()
            if latest is None:
                return []
            counts = HealthRepository(session).alerts_by_level(*local_day_span(latest.at))
            published_at, at = latest.published_at, latest.at
        age_s = (self._services.clock() - published_at).total_seconds()
        alerts = GaugeMetricFamily(
            "forestall_alerts", "Alerts of the latest list's day", labels=["level"]
        )
        for level in URGENCY:
            alerts.add_metric([level], counts.get(level, 0))
        return [
            GaugeMetricFamily(
                "forestall_last_publish_age_seconds", "Seconds since a list was published", age_s
            ),
            GaugeMetricFamily(
                "forestall_watchlist_at_seconds", "Moment of the latest list", at.timestamp()
            ),
            alerts,
        ]
