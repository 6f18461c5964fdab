"""The deliverer as a process: it shares out, delivers and stops; and until when all punches are known to be there."""

import ipaddress
import threading
from collections.abc import Callable

import pytest
from sqlalchemy import select

from dashboard import deliverer
from dashboard.connectors.settings import FrappeSettings
from dashboard.connectors.settled import MARGIN_MS, SPOOL_KEPT_MS, settled_until_ms
from dashboard.database import SessionFactory, now_ms, reading
from dashboard.models import Delivery
from dashboard.operating.running import running
from dashboard.people.employees import create_employee
from dashboard.recording.recorder import Recorder
from dashboard.settings import DashboardSettings
from dashboard.webhooks import subscriptions
from tests.conftest import RedisPair
from tests.dashboard.hook_server import hook_server
from tests.dashboard.support import until
from worker.protocol import keys
from worker.protocol.entries import Decision, as_any
from worker.protocol.heartbeats import Heart

S = "s0"


def test_a_punch_goes_all_the_way_from_the_ledger_to_a_webhook(
    factory: SessionFactory,
    settings: DashboardSettings,
    redis_pair: RedisPair,
    make_decision: Callable[..., Decision],
) -> None:
    urls = {"live_url": redis_pair.live_server.url(), "ledger_url": redis_pair.ledger_server.url()}
    networks = (ipaddress.ip_network("127.0.0.0/8"),)
    of_deliverer, stop = settings.model_copy(update={**urls, "private_targets": networks}), threading.Event()
    with hook_server() as target:
        with factory.begin() as session:
            subscriptions.add(session, target.url, ["punch.recorded"], "test")
            employee_id = create_employee(session, "E-1", "Ayu", now_ms=now_ms()).id
        thread = threading.Thread(target=deliverer.run, args=(of_deliverer, FrappeSettings(), stop))
        thread.start()
        decision = make_decision(employee_id)
        redis_pair.ledger.xadd(keys.decisions(S), as_any(decision.to_fields()))
        recorder = Recorder(settings, factory, redis_pair.live, redis_pair.ledger, "r1")
        until(lambda: recorder.step() == 0 and redis_pair.ledger.xlen(keys.decisions(S)) == 0)
        until(lambda: len(target.seen) == 1)
        assert running({S: redis_pair.live}).deliverers == 1
        assert decision.event_id.encode() in target.seen[0][2]
        stop.set()
        thread.join(10)
        assert not thread.is_alive()
    with reading(factory) as session:
        assert session.scalars(select(Delivery.state)).all() == ["delivered"]


@pytest.fixture
def settled(redis_pair: RedisPair) -> Callable[[], int | None]:
    Heart(redis_pair.live, S, "recorder", "r1", dict).beat()
    return lambda: settled_until_ms({S: redis_pair.live}, {S: redis_pair.ledger}, 1_000_000_000_000)


def test_everything_is_there_until_a_moment_ago(settled: Callable[[], int | None]) -> None:
    assert settled() == 1_000_000_000_000 - MARGIN_MS


def test_a_door_that_fell_silent_holds_the_time_until_its_spool_is_empty_for_sure(
    settled: Callable[[], int | None], redis_pair: RedisPair
) -> None:
    now = 1_000_000_000_000
    redis_pair.live.zadd(keys.kiosks(S), {"front": now - 3_600_000, "gone": now - SPOOL_KEPT_MS - 1})
    assert settled() == now - 3_600_000 - MARGIN_MS
    Heart(redis_pair.live, S, "kiosk", "front", lambda: {"spool_waiting": 2}).beat()
    assert settled() is None
    Heart(redis_pair.live, S, "kiosk", "front", lambda: {"spool_waiting": 0}).beat()
    assert settled() == now - MARGIN_MS
    redis_pair.ledger.xadd(keys.backlog(S, "front"), {"a": "b"})
    assert settled() is None


def test_while_something_is_away_or_waits_nothing_is_said(
    settled: Callable[[], int | None], redis_pair: RedisPair
) -> None:
    redis_pair.ledger.xadd(keys.decisions(S), {"a": "b"})
    assert settled() is None
    redis_pair.ledger.flushall()
    redis_pair.live.flushall()  # no recorder lives
    assert settled() is None
    redis_pair.live_server.kill()
    assert settled() is None
