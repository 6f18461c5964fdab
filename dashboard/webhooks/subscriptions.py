"""Webhooks: who is told of what, the secrets that sign it, and what failed for good. Each works in the caller's transaction.

What people change of them is in the audit trail, so it is the last thing there.
"""

from collections.abc import Iterable
from urllib.parse import urlsplit

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from dashboard.auditing import audit
from dashboard.auditing.audit_actions import Action
from dashboard.database import now_ms
from dashboard.models import Delivery, Webhook
from dashboard.webhooks import targets
from dashboard.webhooks.changes import KINDS
from dashboard.webhooks.signing import new_secret
from worker.protocol.entries import new_id

ROTATION_MS = 24 * 3_600_000
"""How long the secret before is valid beside the new one."""
MOST = 50
"""Webhooks of a site: each is a row per change."""


class WebhookProblem(ValueError):
    """Something about a webhook that can't be done; the message says what to do."""


def add(session: Session, url: str, kinds: Iterable[str], by: str, actor: audit.Actor = audit.COMMAND) -> Webhook:
    """Tell `url` of changes of these kinds from now on; its `secret` is to be shown this once. Raises WebhookProblem."""
    wanted = sorted(set(kinds))
    unknown = [kind for kind in wanted if kind not in KINDS]
    if unknown or not wanted:
        raise WebhookProblem(f"event {', '.join(unknown)[:80] or '(none)'}: choose from {', '.join(KINDS)}")
    try:
        targets.parse(url)
    except targets.BadTarget as error:
        raise WebhookProblem(str(error)) from None
    if (session.scalar(select(func.count()).select_from(Webhook)) or 0) >= MOST:
        raise WebhookProblem(f"there are {MOST} webhooks already, the most that a site may have: remove one")
    webhook = Webhook(
        id=new_id(), url=url, kinds=" ".join(wanted), secret=new_secret(), created_ms=now_ms(), created_by=by[:64]
    )
    session.add(webhook)
    session.flush()
    told = {"host": _host(webhook), "events": wanted}
    audit.add(session, actor, Action.WEBHOOK_ADDED, _subject(webhook), after=told)
    return webhook


def _host(webhook: Webhook) -> str:
    """All that the trail tells of an address: the rest may hold a secret."""
    return urlsplit(webhook.url).hostname or ""


def _subject(webhook: Webhook) -> audit.Subject:
    return audit.Subject("webhook", webhook.id)


def find(session: Session, webhook_id: str) -> Webhook:
    """The webhook, held by this transaction; raises WebhookProblem."""
    webhook = session.get(Webhook, webhook_id, with_for_update=True)
    if webhook is None:
        raise WebhookProblem(
            f"webhook {webhook_id[:64]!r}: there is none of that id; `attendance webhooks list` shows them"
        )
    return webhook


def remove(session: Session, webhook_id: str, actor: audit.Actor = audit.COMMAND) -> None:
    """It is told nothing any more, and what waits for it is gone. Raises WebhookProblem."""
    webhook = find(session, webhook_id)
    session.delete(webhook)
    audit.add(session, actor, Action.WEBHOOK_REMOVED, _subject(webhook), before={"host": _host(webhook)})


def rotate(session: Session, webhook_id: str, actor: audit.Actor = audit.COMMAND) -> Webhook:
    """A new secret; the one before stays valid for a day, so that the receiver can change over in peace."""
    webhook = find(session, webhook_id)
    webhook.previous_secret, webhook.previous_until_ms = webhook.secret, now_ms() + ROTATION_MS
    webhook.secret = new_secret()
    audit.add(session, actor, Action.WEBHOOK_ROTATED, _subject(webhook), after={"host": _host(webhook)})
    return webhook


def valid_secrets(webhook: Webhook, now: int) -> list[str]:
    """The newest first."""
    both = webhook.previous_secret is not None and (webhook.previous_until_ms or 0) > now
    return [webhook.secret, *([webhook.previous_secret] if both and webhook.previous_secret else [])]


def disable(session: Session, webhook: Webhook, why: str) -> None:
    """Nothing is sent there any more; what waited for it is put among what failed, to be sent again when it is enabled."""
    now = now_ms()
    webhook.disabled_ms, webhook.disabled_why = now, why[:500]
    session.execute(
        update(Delivery)
        .where(Delivery.webhook_id == webhook.id, Delivery.state == "pending")
        .values(state="dead", finished_ms=now, last_words="the webhook was disabled")
    )


def enable(session: Session, webhook_id: str, actor: audit.Actor = audit.COMMAND) -> Webhook:
    """From now on it is told again; `replay` sends what it missed while it failed."""
    webhook = find(session, webhook_id)
    was_disabled = webhook.disabled_ms is not None
    webhook.disabled_ms, webhook.disabled_why, webhook.failing_since_ms = None, "", None
    if was_disabled:
        audit.add(session, actor, Action.WEBHOOK_ENABLED, _subject(webhook), after={"host": _host(webhook)})
    return webhook


def replay(
    session: Session,
    webhook_id: str | None = None,
    delivery_id: int | None = None,
    actor: audit.Actor = audit.COMMAND,
) -> int:
    """Send again what failed for good: one delivery, or all of a webhook; returns how many. Raises WebhookProblem."""
    if webhook_id is not None and find(session, webhook_id).disabled_ms is not None:
        raise WebhookProblem(f"webhook {webhook_id}: it is disabled; enable it first")
    now = now_ms()
    failed = update(Delivery).where(
        Delivery.state == "dead",
        Delivery.webhook_id.in_(select(Webhook.id).where(Webhook.disabled_ms.is_(None))),
    )
    if webhook_id is not None:
        failed = failed.where(Delivery.webhook_id == webhook_id)
    if delivery_id is not None:
        failed = failed.where(Delivery.id == delivery_id)
    values = {"state": "pending", "attempts": 0, "tried_since_ms": now, "next_try_ms": now, "finished_ms": None}
    done = session.execute(failed.values(**values), execution_options={"synchronize_session": False})
    number = int(done.rowcount)  # type: ignore[attr-defined]
    if number:
        told = {"deliveries": number, **({"delivery": delivery_id} if delivery_id is not None else {})}
        audit.add(session, actor, Action.WEBHOOK_REPLAYED, audit.Subject("webhook", webhook_id or ""), after=told)
    return number
