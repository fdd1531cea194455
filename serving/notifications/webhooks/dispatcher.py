"""The dispatcher: a thread beside the web process that sends messages as they fall due."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

from sqlalchemy.exc import SQLAlchemyError

from serving.context.ports import Sealer
from serving.context.services import Services
from serving.notifications.webhooks.delivery import deliver_due

__all__ = ["run_dispatcher"]

log = logging.getLogger("serving.notifications.webhooks")


@contextmanager
def run_dispatcher(services: Services) -> Iterator[None]:
    """Send what falls due for the length of the block.

    Without a key to open secrets with nothing is sent.
    """
    if services.sealer is None:
        yield
        return
    stop = Event()
    thread = Thread(
        target=_dispatch_loop, args=(services, services.sealer, stop), name="webhooks", daemon=True
    )
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(services.settings.webhook_timeout_s)


def _dispatch_loop(services: Services, sealer: Sealer, stop: Event) -> None:
    while not stop.wait(services.settings.webhook_poll_s):
        try:
            done = deliver_due(
                services.engine, sealer=sealer, settings=services.settings, clock=services.clock
            )
        # The database is away or busy: the next round finds the same messages
        except SQLAlchemyError as error:
            log.warning("webhooks wait: %s", type(error).__name__)
            continue
        if done.delivered or done.failed:
            log.info("webhooks: %d delivered, %d not", done.delivered, done.failed)
