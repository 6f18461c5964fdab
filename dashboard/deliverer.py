"""The deliverer: tells webhooks and connectors of what happened. A process of its own, so that no target harms a punch."""

import contextlib
import logging
import os
import socket
import threading
import time

from dashboard.background import Parts, heed_signals, wait, wait_for_schema
from dashboard.connectors.frappe_sync import FrappeSync
from dashboard.connectors.settings import FrappeSettings
from dashboard.connectors.settled import settled_until_ms
from dashboard.database import SessionFactory, engine_for, now_ms, reading, session_factory
from dashboard.settings import DashboardSettings
from dashboard.webhooks import changes, deliveries
from dashboard.webhooks.sender import Sender
from worker.protocol.connection import connect
from worker.protocol.heartbeats import Heart, product_version

log = logging.getLogger(__name__)

POLL_S = 0.5
PRUNE_EVERY_S = 600.0
STOP_WAIT_S = 3.0
"""A try that is under way may end; what it doesn't get to write down is sent again, under the same webhook-id."""


def share_out(factory: SessionFactory) -> int:
    """Share out everything that waits; it looks before it writes, so an idle site's database is left alone."""
    shared = 0
    while True:
        with reading(factory) as session:
            if not changes.waiting(session):
                return shared
        with factory.begin() as session:
            number = changes.share_out(session)
        if not number:  # another deliverer has them
            return shared
        shared += number


def run(settings: DashboardSettings, frappe: FrappeSettings, stop: threading.Event | None = None) -> int:
    """Deliver until `stop`, SIGTERM or SIGINT; 0 then, 1 when a part failed for good."""
    stop = stop or threading.Event()
    heed_signals(stop)
    engine = engine_for(settings.database)
    factory = session_factory(engine)
    sender = Sender(factory, settings.private_targets, stop)
    lives = {shard: connect(settings.url("live", shard), name="deliverer") for shard in settings.all_shards}
    ledgers = {shard: connect(settings.url("ledger", shard), name="deliverer") for shard in settings.all_shards}
    sync = FrappeSync(factory, settings, frappe, lambda: settled_until_ms(lives, ledgers, now_ms()))

    first, *_ = lives
    name = f"{socket.gethostname().lower()[:40]}-{os.getpid()}"
    heart = Heart(lives[first], first, "deliverer", name, lambda: {"version": product_version()})

    def prune() -> None:
        with factory.begin() as session:
            deliveries.prune(session, now_ms())

    parts = Parts(stop)
    parts.add(lambda: share_out(factory), "sharing out", POLL_S, daemon=True)
    parts.add(sender.step, "webhooks", POLL_S, daemon=True)
    parts.add(sync.step, "frappe", POLL_S, daemon=True)
    parts.add(prune, "forgetting what was delivered", PRUNE_EVERY_S, daemon=True)
    try:
        wait_for_schema(settings.database, stop)
        heart.start()
        parts.start()
        log.info("deliverer is ready")
        wait(stop)
    finally:
        stop.set()
        until_s = time.monotonic() + STOP_WAIT_S
        for thread in (*parts.threads, *sender.busy.values()):
            if thread.is_alive():
                thread.join(max(0.0, until_s - time.monotonic()))
        heart.stop()
        with contextlib.suppress(OSError):
            for client in (*lives.values(), *ledgers.values()):
                client.close()
        engine.dispose()
    return 1 if parts.failures else 0
