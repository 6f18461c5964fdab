"""The recorder's process is scraped while it records, publishes, and parks."""

import threading
from collections.abc import Callable

from dashboard.database import SessionFactory
from dashboard.recording.recorder import run
from dashboard.settings import DashboardSettings
from tests.conftest import RedisPair
from tests.dashboard.support import until
from tests.scrape import free_port, scrape
from worker.protocol import keys
from worker.protocol.entries import Decision, as_any


def test_a_recorder_tells_of_records_dead_letters_and_publishing(
    redis_pair: RedisPair,
    settings: DashboardSettings,
    factory: SessionFactory,
    add_person: Callable[..., str],
    make_decision: Callable[..., Decision],
) -> None:
    with factory.begin() as session:
        person = add_person(session, "E-1")
    port, stop = free_port(), threading.Event()
    urls = {"live_url": redis_pair.live_server.url(), "ledger_url": redis_pair.ledger_server.url()}
    for decision in (make_decision(person), make_decision()):
        redis_pair.ledger.xadd(keys.decisions("s0"), as_any(decision.to_fields()))
    redis_pair.ledger.xadd(keys.decisions("s0"), {"v": "9"})
    process = threading.Thread(target=run, args=(settings.model_copy(update={**urls, "metrics_port": port}), stop))
    process.start()
    try:
        until(lambda: scrape(port).get("attendance_recorder_parked_total") == 1)
        until(lambda: any(name.startswith("attendance_recorder_published_total{") for name in scrape(port)))
        found = scrape(port)
    finally:
        stop.set()
        process.join(20)
    assert found["attendance_recorder_records_total{status=recorded}"] == 1
    assert found["attendance_recorder_records_total{status=not_a_punch}"] == 1
    assert found["attendance_recorder_redelivered_total"] == found["attendance_recorder_database_outages_total"] == 0
    assert 0 <= found["attendance_recorder_publish_lag_seconds"] < 60
    assert not any(person in name or "E-1" in name for name in found)
