"""Sending messages that are due: signed, to each receiver at its own pace, again until they are
delivered or given up.
"""

import random
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta

import httpcore
from sqlalchemy import Engine

from data_contracts.errors import ForestallError
from serving.context.ports import Sealer
from serving.context.services import Clock
from serving.context.settings import WebhookSettings
from serving.database.engine import read_transaction, write_transaction
from serving.notifications.webhooks.address import ForbiddenAddressError, GuardedNetwork
from serving.notifications.webhooks.repository import WebhookRepository
from serving.notifications.webhooks.signature import signed_headers
from serving.notifications.webhooks.tables import DeliveryRow

__all__ = ["DeliveryCounts", "binding_of", "deliver_due", "retry_delay"]

RECEIVERS_AT_ONCE = 4
# Beyond the timeout: another process may take the message of a sender that died
LEASE_SLACK = timedelta(seconds=30)
GONE = 410


@dataclass(frozen=True, kw_only=True)
class DeliveryCounts:
    """How many messages were delivered, and how many were not."""

    delivered: int = 0
    failed: int = 0

    def __add__(self, other: "DeliveryCounts") -> "DeliveryCounts":
        return DeliveryCounts(
            delivered=self.delivered + other.delivered, failed=self.failed + other.failed
        )


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The result of one try: the HTTP status, or why there was none."""

    status: int | None = None
    error: str | None = None

    @property
    def delivered(self) -> bool:
        """Whether the receiver answered with a 2xx status."""
        return self.status is not None and 200 <= self.status < 300


def deliver_due(
    engine: Engine, *, sealer: Sealer, settings: WebhookSettings, clock: Clock
) -> DeliveryCounts:
    """Send every message that is due.

    A receiver that hangs or refuses holds up nobody but itself.
    """
    with read_transaction(engine) as session:
        receivers = WebhookRepository(session).due_receivers(clock())
    if not receivers:
        return DeliveryCounts()

    def deliver(webhook_id: int) -> DeliveryCounts:
        return _deliver_to(webhook_id, engine=engine, sealer=sealer, settings=settings, clock=clock)

    with ThreadPoolExecutor(min(RECEIVERS_AT_ONCE, len(receivers))) as pool:
        return sum(pool.map(deliver, receivers), DeliveryCounts())


def retry_delay(attempts: int, *, seed: str, settings: WebhookSettings) -> timedelta:
    """Return how long to wait after the ``attempts``-th failure: doubling, up to half of it at
    random less.

    The tries of one message are spread over hours and outlive this process; so they are dates in
    the database, not a loop that sleeps. ``seed`` keeps messages that failed together from coming
    back together.
    """
    longest_s = min(
        settings.webhook_retry_max_s, settings.webhook_retry_s * 2.0 ** min(attempts - 1, 60)
    )
    return timedelta(seconds=longest_s * random.Random(f"{seed}:{attempts}").uniform(0.5, 1.0))


def binding_of(url: str) -> str:
    """Return what a receiver's secret is bound to: it opens for this address only."""
    return f"webhook:{url}"


def _deliver_to(
    webhook_id: int, *, engine: Engine, sealer: Sealer, settings: WebhookSettings, clock: Clock
) -> DeliveryCounts:
    """Send what is due to one receiver, until the first message that is not delivered."""
    counts = DeliveryCounts()
    with write_transaction(engine) as session:
        now = clock()
        WebhookRepository(session).give_up(
            webhook_id,
            due_before=now - settings.webhook_max_age,
            at=now,
            reason="the alert is too old to be news",
        )
    with httpcore.ConnectionPool(network_backend=GuardedNetwork(settings)) as pool:
        while (row := _take_next(engine, webhook_id, settings=settings, now=clock())) is not None:
            outcome = _try(row, pool=pool, sealer=sealer, settings=settings, at=clock())
            _note(engine, row.id, outcome, settings=settings, now=clock())
            counts += DeliveryCounts(
                delivered=int(outcome.delivered), failed=int(not outcome.delivered)
            )
            if not outcome.delivered:
                break
    return counts


def _take_next(
    engine: Engine, webhook_id: int, *, settings: WebhookSettings, now: datetime
) -> DeliveryRow | None:
    """Take the next message for this process: nobody else sees it as due while the try lasts."""
    with write_transaction(engine) as session:
        row = WebhookRepository(session).next_due(webhook_id, now=now)
        if row is not None:
            row.attempts += 1
            row.due_at = now + timedelta(seconds=settings.webhook_timeout_s) + LEASE_SLACK
        return row


def _try(
    row: DeliveryRow,
    *,
    pool: httpcore.ConnectionPool,
    sealer: Sealer,
    settings: WebhookSettings,
    at: datetime,
) -> Outcome:
    try:
        secret = sealer.unseal(row.webhook.sealed_secret, bound_to=binding_of(row.webhook.url))
    except ForestallError:
        return Outcome(error="the secret does not open with this key")
    body = row.body.encode()
    headers = signed_headers(body, message_id=row.message_id, at=at, secret=secret)
    return _post(
        pool, row.webhook.url, body=body, headers=headers, timeout_s=settings.webhook_timeout_s
    )


def _post(
    pool: httpcore.ConnectionPool,
    url: str,
    *,
    body: bytes,
    headers: Mapping[str, str],
    timeout_s: float,
) -> Outcome:
    timeout = dict.fromkeys(("connect", "read", "write", "pool"), timeout_s)
    sent = [("content-type", "application/json"), ("user-agent", "forestall"), *headers.items()]
    try:
        # Only the status is read: no redirect is followed, and no answer is long enough to hurt.
        with pool.stream(
            "POST", url, headers=sent, content=body, extensions={"timeout": timeout}
        ) as response:
            return Outcome(
                status=response.status,
                error=None if response.status < 300 else f"HTTP {response.status}",
            )
    except ForbiddenAddressError:
        return Outcome(error="messages may not go to this address")
    except httpcore.TimeoutException:
        return Outcome(error="no answer in time")
    except (httpcore.NetworkError, httpcore.ProtocolError, OSError) as error:
        return Outcome(error=f"no connection ({type(error).__name__})")


def _note(
    engine: Engine, delivery_id: int, outcome: Outcome, *, settings: WebhookSettings, now: datetime
) -> None:
    with write_transaction(engine) as session:
        row = WebhookRepository(session).delivery(delivery_id)
        if row is None:
            return
        row.last_status, row.last_error = outcome.status, outcome.error
        if outcome.delivered:
            row.delivered_at = now
        elif row.attempts >= settings.webhook_attempts or outcome.status == GONE:
            row.given_up_at = now
        else:
            row.due_at = now + retry_delay(row.attempts, seed=row.message_id, settings=settings)
