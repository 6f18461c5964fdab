"""The live board and its stream, and the kiosks page: what is alive right now."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from dashboard.database import now_ms
from dashboard.enrolling.worker_requests import shard_with_worker
from dashboard.live import arrivals
from dashboard.live.live_pages import MAX_STREAMS
from dashboard.models import Kiosk
from dashboard.operating.running import running
from dashboard.people.employees import create_employee
from tests.conftest import RedisPair
from tests.dashboard.site import Browser, Site
from worker.protocol import keys
from worker.protocol.connection import connect
from worker.protocol.entries import Arrival, as_any, new_id
from worker.protocol.outcomes import Direction, Outcome

pytest_plugins = ["tests.dashboard.pages"]

EVENTS = keys.events("s0")


def arrival(name: str | None = "Grace Hopper", **changes: Any) -> Arrival:
    values = {
        "event_id": new_id(),
        "outcome": Outcome.RECORDED if name else Outcome.UNKNOWN,
        "kiosk": "front-door",
        "captured_ms": now_ms(),
        "local_time": "07:00",
        "local_date": "2026-11-24",
        "name": name,
        "direction": Direction.IN if name else None,
    }
    return Arrival.model_validate(values | changes)


def announce(pair: RedisPair, entry: Arrival, entry_id: str = "*") -> str:
    added: Any = pair.live.xadd(EVENTS, as_any(entry.to_fields()), id=entry_id)
    return str(added.decode())


def events(chunks: Iterator[str], wanted: str = "arrival") -> Iterator[tuple[str, dict[str, Any]]]:
    """(id, data) of the stream's events called `wanted`."""
    for chunk in chunks:
        fields = dict(line.split(": ", 1) for line in chunk.strip().splitlines() if not line.startswith(":"))
        if fields.get("event") == wanted:
            yield fields.get("id", ""), json.loads(fields["data"])


def test_the_board_shows_the_last_arrivals(site: Site, browser: Browser) -> None:
    assert "Nobody has come yet" in browser.get("/live").text
    with site.sessions.begin() as session:
        person = create_employee(session, "E-1", "Grace Hopper", "Computing", now_ms=now_ms()).id
        session.add(Kiosk(name="front-door", label="Front <door>"))
    for n in range(25):
        site.punch(person, now_ms() - n * 60_000)
    site.punch(None, now_ms(), status="not_a_punch")
    site.punch(person, now_ms() + 1, status="duplicate")
    page = browser.get("/live").text
    assert page.count('data-part="who">Grace Hopper') == 19
    assert page.count('data-part="who">Not recognised') == 1
    assert "Computing · Front &lt;door&gt;" in page
    assert browser.get("/").location == "/live"


def test_an_arrival_reaches_the_open_stream(site: Site, browser: Browser, redis_pair: RedisPair) -> None:
    after = browser.get("/live").text.split('data-after="')[1].split('"')[0]
    assert after == "0-0"
    with browser.get(f"/live/stream?after={after}", buffered=False) as answer:
        assert answer.content_type == "text/event-stream; charset=utf-8"
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Accel-Buffering"] == "no"
        chunks = (chunk.decode() for chunk in answer.iter_encoded())
        assert next(events(chunks, "state"))[1] == {"live": True}
        sent = arrival()
        entry_id = announce(redis_pair, sent)
        got_id, data = next(events(chunks))
        assert got_id == entry_id
        assert (data["name"], data["direction"], data["event_id"]) == ("Grace Hopper", "in", sent.event_id)


def test_a_browser_resumes_where_it_was(site: Site, browser: Browser, redis_pair: RedisPair) -> None:
    first, second = (announce(redis_pair, arrival(name)) for name in ("Grace Hopper", "Eileen Collins"))
    with browser.get("/live/stream?after=0-0", headers={"Last-Event-ID": first}, buffered=False) as answer:
        got_id, data = next(events(chunk.decode() for chunk in answer.iter_encoded()))
        assert (got_id, data["name"]) == (second, "Eileen Collins")


@pytest.mark.parametrize("text", ["", "x", "1", "1-", "-1", "$", "9" * 30 + "-0", "1-0\nevent: x", "1-0,2-0", "1-0,"])
def test_what_is_no_id_is_not_believed(text: str) -> None:
    assert arrivals.place(text, 1) is None


def test_one_board_follows_all_shards(redis_pair: RedisPair) -> None:
    lives = {"s0": redis_pair.live, "s1": redis_pair.live}
    assert arrivals.newest_place(lives) == "0-0,0-0"
    announce(redis_pair, arrival())
    redis_pair.live.xadd(keys.events("s1"), as_any(arrival("Eileen Collins").to_fields()))
    arrived = events(arrivals.follow(lives, "0-0,0-0", life_s=20))
    (_, first), (place, second) = next(arrived), next(arrived)
    assert (first["name"], second["name"]) == ("Grace Hopper", "Eileen Collins")
    assert place == arrivals.newest_place(lives) == arrivals.place(place, 2)
    assert arrivals.place(place, 1) is None
    redis_pair.live.xadd(keys.events("s1"), as_any(arrival("Third").to_fields()))
    assert next(events(arrivals.follow(lives, place, life_s=20)))[1]["name"] == "Third"


def test_a_shard_that_is_away_hides_no_other(redis_pair: RedisPair) -> None:
    away = connect("redis://127.0.0.1:1", name="test")
    lives = {"s0": redis_pair.live, "s1": away}
    beat(redis_pair, "worker", "worker-1", {})
    now = running(lives)
    assert not now.reachable
    assert [one.name for one in now.workers] == ["worker-1"]
    announce(redis_pair, arrival())
    chunks = arrivals.follow(lives, "0-0,0-0", life_s=20)
    assert next(events(chunks, "state"))[1] == {"live": False}
    assert next(events(chunks))[1]["name"] == "Grace Hopper"
    assert shard_with_worker({"s1": away, "s0": redis_pair.live}) == "s0"
    assert shard_with_worker({"s1": away, "s2": away}) == "s1"


def test_entries_that_cannot_be_read_are_passed_over(redis_pair: RedisPair) -> None:
    redis_pair.live.xadd(EVENTS, {"v": "1", "meta": "{"})
    redis_pair.live.xadd(EVENTS, {"v": "99"})
    announce(redis_pair, arrival("Eileen\n\ndata: Collins"))
    _, data = next(events(arrivals.follow({"s0": redis_pair.live}, "0-0", life_s=20)))
    assert data["name"] == "Eileen\n\ndata: Collins"


def test_the_stream_outlives_a_redis_that_lost_its_data(any_redis_pair: RedisPair) -> None:
    pair = any_redis_pair
    announce(pair, arrival(), entry_id="9000000000000-0")
    chunks = arrivals.follow({"s0": pair.live}, "0-0", life_s=60)
    assert next(events(chunks))[0] == "9000000000000-0"
    pair.live_server.kill()
    assert next(events(chunks, "state"))[1] == {"live": False}
    pair.live_server.start()
    assert next(events(chunks, "state"))[1] == {"live": True}
    entry_id = announce(pair, arrival("Eileen Collins"))
    assert next(events(chunks))[0] == entry_id


def test_a_stream_ends_so_that_logins_are_checked_again(redis_pair: RedisPair) -> None:
    assert any("pulse" in chunk for chunk in arrivals.follow({"s0": redis_pair.live}, None, life_s=0.05))


def test_open_boards_leave_threads_for_pages(site: Site, browser: Browser) -> None:
    open_streams = [browser.get("/live/stream", buffered=False) for _ in range(MAX_STREAMS)]
    assert browser.get("/live/stream").status_code == 503
    for answer in open_streams:
        answer.close()
    with browser.get("/live/stream", buffered=False) as answer:
        assert answer.status_code == 200


def test_the_board_is_there_without_redis(site: Site, browser: Browser, redis_pair: RedisPair) -> None:
    redis_pair.live_server.kill()
    assert browser.get("/live").status_code == 200
    assert "The live Redis doesn’t answer" in browser.get("/kiosks").text


def beat(pair: RedisPair, role: str, name: str, data: dict[str, Any], offset_ms: int = 0) -> None:
    body = {"pid": 1, "clock_offset_ms": offset_ms, "data": data}
    pair.live.set(keys.heartbeat("s0", role, name), json.dumps(body), ex=60)


def test_kiosks_and_workers_that_are_alive(site: Site, browser: Browser, redis_pair: RedisPair) -> None:
    page = browser.get("/kiosks").text
    for words in ("No worker is running", "No recorder is running", "No kiosk has announced itself"):
        assert words in page
    beat(redis_pair, "kiosk", "front-door", {"frames_sent": 1234}, offset_ms=9_000)
    redis_pair.live.zadd(keys.kiosks("s0"), {"side-gate": now_ms() - 60_000, "Bad Name": 1})
    data = {"model_id": "sface-0123456789ab", "recogniser": "SFace", "gallery_size": 900, "threshold": 9.25}
    beat(redis_pair, "worker", "worker-1", data | {"meets_target": False, "promised_fpir": 0.004, "ready": True})
    beat(redis_pair, "recorder", "r1", {})
    page = browser.get("/kiosks").text
    for words in ("Running", "1,234", "Clock off by 9 s", "side-gate", "last seen", "SFace", "9.25", "Not checked"):
        assert words in page
    assert "misses its target" in page
    assert "0.40 % of strangers" in page
    assert "Bad Name" not in page
    assert "No recorder" not in page


def test_heartbeats_of_any_shape_do_no_harm(site: Site, browser: Browser, redis_pair: RedisPair) -> None:
    odd = {"frames_sent": "<b>", "threshold": None, "gallery_size": [1], "frames_processed": True, "liveness": 7}
    beat(redis_pair, "kiosk", "front-door", odd)
    beat(redis_pair, "worker", "worker-1", odd | {"promised_fpir": "x", "meets_target": False, "recogniser": "<b>"})
    redis_pair.live.set(keys.heartbeat("s0", "worker", "worker-2"), "not json")
    page = browser.get("/kiosks")
    assert page.status_code == 200
    assert "<b>" not in page.text


def test_a_kiosks_direction_and_label(site: Site, browser: Browser, redis_pair: RedisPair) -> None:
    assert browser.post("/kiosks/front-door", {"label": "x", "direction": "in"}).status_code == 404
    beat(redis_pair, "kiosk", "front-door", {})
    assert browser.post("/kiosks/front-door", {"label": "x", "direction": "in", "site": "9"}).status_code == 400
    answer = browser.post("/kiosks/front-door", {"label": "Front door", "direction": "in"}, follow_redirects=True)
    assert "Front door: saved" in answer.text
    with site.sessions() as session:
        kiosk = session.get_one(Kiosk, "front-door")
        assert (kiosk.label, kiosk.direction) == ("Front door", "in")
    for label, direction in (("x", "sideways"), ("x", ""), ("x" * 201, "in"), ("a\nb", "in")):
        assert browser.post("/kiosks/front-door", {"label": label, "direction": direction}).status_code == 400
