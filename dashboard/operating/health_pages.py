"""Health: every part of the site with what is right, what is not, and what to do, for whoever is woken at night."""

import time
from collections.abc import Mapping

import redis
from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue
from sqlalchemy import exists, func, or_, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from dashboard import database
from dashboard.database import now_ms, reading
from dashboard.models import Change, Connector, Delivery, GalleryOutbox, Webhook
from dashboard.operating import health
from dashboard.operating.health import Seen, Waiting
from dashboard.operating.running import Running, running
from dashboard.web.answers import Services, services
from worker.protocol import keys
from worker.protocol.connection import Client, server_time_ms
from worker.protocol.finding import State

pages = Blueprint("site_health", __name__)


@pages.get("/health")
def index() -> ResponseReturnValue:
    found = health.findings(see(services()))
    worst = found[0].state if found else State.OK
    bad = [one for one in found if one.state is not State.OK]
    return render_template("health.html", bad=bad, good=found[len(bad) :], worst=worst)


def see(app: Services) -> Seen:
    """Ask everything once; what doesn't answer is told as such."""
    now = running(app.lives)
    seen = Seen(
        now_ms=now_ms(),
        running=now,
        shards=tuple(app.lives),
        live_offset_ms={shard: _offset_ms(live) for shard, live in app.lives.items()},
        ledger_set=bool(app.ledgers),
        waiting=_waiting(app.ledgers, now),
    )
    try:
        database.require_current(app.sessions.kw["bind"])
    except database.BadDatabase as error:
        seen.schema = str(error)
    with reading(app.sessions) as session:
        _ask_database(session, seen)
    return seen


def _offset_ms(live: Client) -> int | None:
    try:
        return round(time.time() * 1000) - server_time_ms(live)
    except (redis.exceptions.RedisError, OSError):
        return None


def _waiting(ledgers: Mapping[str, Client], now: Running) -> dict[str, Waiting]:
    found = {}
    names = sorted(name for name in {*now.seen_ms, *now.kiosks} if keys.KIOSK_NAME.fullmatch(name))
    for shard, ledger in ledgers.items():
        try:
            found[shard] = Waiting(
                ledger.xlen(keys.decisions(shard)),
                ledger.xlen(keys.dead(shard)),
                sum(ledger.xlen(keys.backlog(shard, name)) for name in names),
            )
        except (redis.exceptions.RedisError, OSError):
            continue
    return found


def _ask_database(session: Session, seen: Seen) -> None:
    try:
        seen.unpublished_since_ms = session.scalar(select(func.min(GalleryOutbox.created_ms)))
        listening = or_(exists().where(Webhook.disabled_ms.is_(None)), exists().where(Connector.name.is_not(None)))
        seen.told = bool(session.scalar(select(listening)))
        due = session.scalar(select(func.min(Delivery.next_try_ms)).where(Delivery.state == "pending"))
        shared = session.scalar(select(func.min(Change.created_ms)))
        seen.overdue_since_ms = min((one for one in (due, shared) if one is not None), default=None)
    except SQLAlchemyError as error:  # a table of a newer version: the schema's finding says so
        seen.schema = seen.schema or str(error).splitlines()[0]
