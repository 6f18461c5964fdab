"""Sends what waits for webhooks: a thread for each target that something is due for, so that a slow one holds up itself."""

import logging
import threading
import time

from sqlalchemy.exc import SQLAlchemyError

from dashboard.database import SessionFactory, now_ms, reading
from dashboard.models import Webhook
from dashboard.webhooks import deliveries, targets
from dashboard.webhooks.deliveries import Attempt
from dashboard.webhooks.signing import headers
from dashboard.webhooks.subscriptions import valid_secrets
from dashboard.webhooks.targets import Network

log = logging.getLogger(__name__)

AT_ONCE = 32
"""Targets that are sent to at the same time."""
ROUND = 100
"""Deliveries to one target before others get its thread's place."""


class Sender:
    """Call `step` in a loop. `private` are networks that may be sent to though they are private."""

    def __init__(
        self, factory: SessionFactory, private: tuple[Network, ...] = (), stop: threading.Event | None = None
    ) -> None:
        self.factory, self.private, self.stop = factory, private, stop or threading.Event()
        self.busy: dict[str, threading.Thread] = {}

    def step(self) -> None:
        """Start a thread for each target that is due and has none; wait for nobody."""
        self.busy = {webhook: thread for webhook, thread in self.busy.items() if thread.is_alive()}
        with reading(self.factory) as session:
            waiting = deliveries.due(session, now_ms())
        for webhook_id in waiting:
            if webhook_id not in self.busy and len(self.busy) < AT_ONCE:
                thread = threading.Thread(
                    target=self._serve, args=(webhook_id,), daemon=True, name=f"hook-{webhook_id[:8]}"
                )
                self.busy[webhook_id] = thread
                thread.start()

    def _serve(self, webhook_id: str) -> None:
        try:
            for _ in range(ROUND):
                if self.stop.is_set() or not self.deliver_one(webhook_id):
                    return
        except SQLAlchemyError as error:
            log.warning("webhook %s: the database is away (%s); it waits", webhook_id, type(error).__name__)
        except Exception:
            log.exception("webhook %s: failed unexpectedly", webhook_id)

    def deliver_one(self, webhook_id: str) -> bool:
        """Send the delivery that has waited longest; False when none is due, or when the target is down."""
        now = now_ms()
        with self.factory.begin() as session:
            delivery = deliveries.claim(session, webhook_id, now)
            if delivery is None:
                return False
            webhook = session.get_one(Webhook, webhook_id)
            url, secrets = webhook.url, valid_secrets(webhook, now)
            body = deliveries.payload(session, delivery)
        attempt = self._send(url, secrets, delivery.change_id, body)
        with self.factory.begin() as session:
            deliveries.settle(session, delivery.id, attempt, now_ms())
        log.info("webhook %s, delivery %s: %s", webhook_id, delivery.id, attempt.words)
        return not attempt.target_is_down

    def _send(self, url: str, secrets: list[str], message_id: str, body: bytes) -> Attempt:
        signed = headers(secrets, message_id, int(time.time()), body)
        try:
            reply = targets.send("POST", url, {"Content-Type": "application/json", **signed}, body, self.private)
        except (targets.BadTarget, targets.Unreachable) as error:
            return Attempt(None, str(error))
        words = f"answered {reply.status}"
        if 300 <= reply.status < 400:
            words += "; redirects are not followed: give the webhook its final address"
        return Attempt(reply.status, words, reply.retry_after_s)
