"""What one try of a delivery leads to: done, tried again later, or given up. The rules alone, and the rows they change."""

import json
import random
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from dashboard.api.representations import employee_view, one_event
from dashboard.api.schemas import moment
from dashboard.models import Delivery, Employee, Webhook
from dashboard.webhooks import subscriptions
from dashboard.webhooks.changes import DAYS_CHANGED, PUNCH_RECORDED

FIRST_PAUSE_MS, LONGEST_PAUSE_MS = 5_000, 6 * 3_600_000
GIVE_UP_MS = 3 * 86_400_000
DISABLE_MS = 7 * 86_400_000
CLAIM_MS = 60_000
"""A deliverer that takes one and dies leaves it to others after so long; a try takes a fifth of it at most."""
DELIVERED_KEPT_MS, DEAD_KEPT_MS = 3 * 86_400_000, 30 * 86_400_000
SILENT_PAUSE_MS = 60_000
"""The longest that others wait for the target of one that failed; its own pause may be longer."""


@dataclass(frozen=True)
class Attempt:
    """What came of a try. `status` is None when no answer came."""

    status: int | None
    words: str
    retry_after_s: int | None = None

    @property
    def taken(self) -> bool:
        return self.status is not None and 200 <= self.status < 300

    @property
    def target_is_down(self) -> bool:
        """Whether others would fare the same; a 4xx is about this one."""
        return self.status is None or self.status >= 500 or self.status == 429


def pause_ms(attempts: int, retry_after_s: int | None = None) -> int:
    """Before the next try: twice as long each time, with jitter, so that a target that comes back isn't run over."""
    longest: int = min(FIRST_PAUSE_MS * 2 ** min(attempts, 20), LONGEST_PAUSE_MS)
    asked = min((retry_after_s or 0) * 1000, LONGEST_PAUSE_MS)
    return max(round(longest * random.uniform(0.5, 1.0)), asked)


def payload(session: Session, delivery: Delivery) -> bytes:
    """What is told, read at this moment. Of what was deleted since, the id alone is left."""
    data: dict[str, Any] | None
    if delivery.kind == PUNCH_RECORDED:
        data = one_event(session, delivery.subject_id)
    else:
        employee = session.get(Employee, delivery.subject_id)
        data = None
        if employee is not None:
            of_days = {"employee_id": employee.id, "employee_code": employee.code}
            data = of_days if delivery.kind == DAYS_CHANGED else employee_view(employee)
    told = {
        "type": delivery.kind,
        "timestamp": moment(delivery.created_ms),
        "data": data or {"id": delivery.subject_id, "deleted": True},
    }
    return json.dumps(told, separators=(",", ":")).encode()


def due(session: Session, now: int) -> list[str]:
    """Webhooks that something waits for."""
    rows = select(Delivery.webhook_id).where(Delivery.state == "pending", Delivery.next_try_ms <= now)
    return list(session.scalars(rows.distinct()))


def claim(session: Session, webhook_id: str, now: int) -> Delivery | None:
    """The delivery that has waited longest, ours for CLAIM_MS."""
    rows = (
        select(Delivery)
        .where(Delivery.webhook_id == webhook_id, Delivery.state == "pending", Delivery.next_try_ms <= now)
        .order_by(Delivery.next_try_ms, Delivery.id)
        .limit(1)
        .with_for_update(skip_locked=True, of=Delivery)
    )
    delivery = session.scalar(rows)
    if delivery is not None:
        delivery.next_try_ms = now + CLAIM_MS
    return delivery


def settle(session: Session, delivery_id: int, attempt: Attempt, now: int) -> Delivery | None:
    """Write down what came of a try; None when it was removed meanwhile."""
    delivery = session.get(Delivery, delivery_id, with_for_update=True)
    if delivery is None or delivery.state != "pending":
        return None
    webhook = session.get_one(Webhook, delivery.webhook_id, with_for_update=True)
    delivery.attempts += 1
    delivery.last_words = attempt.words[:500]
    if attempt.taken:
        delivery.state, delivery.finished_ms = "delivered", now
        webhook.failing_since_ms = None
        return delivery
    webhook.failing_since_ms = webhook.failing_since_ms or now
    delivery.next_try_ms = now + pause_ms(delivery.attempts - 1, attempt.retry_after_s)
    if now - delivery.tried_since_ms >= GIVE_UP_MS:
        delivery.state, delivery.finished_ms = "dead", now
    if attempt.status == 410:
        subscriptions.disable(session, webhook, "the target answered 410: it is gone for good")
    elif now - webhook.failing_since_ms >= DISABLE_MS:
        subscriptions.disable(session, webhook, f"it failed for a week, at last with: {attempt.words}")
    elif attempt.target_is_down:
        _hold_others(session, webhook.id, min(delivery.next_try_ms, now + SILENT_PAUSE_MS))
    return delivery


def _hold_others(session: Session, webhook_id: str, until_ms: int) -> None:
    session.flush()
    waiting = (Delivery.webhook_id == webhook_id) & (Delivery.state == "pending") & (Delivery.next_try_ms < until_ms)
    session.execute(
        update(Delivery).where(waiting).values(next_try_ms=until_ms), execution_options={"synchronize_session": False}
    )


def prune(session: Session, now: int) -> None:
    """Forget what was delivered or failed long ago."""
    for state, kept_ms in (("delivered", DELIVERED_KEPT_MS), ("dead", DEAD_KEPT_MS)):
        session.execute(delete(Delivery).where(Delivery.state == state, Delivery.finished_ms < now - kept_ms))
