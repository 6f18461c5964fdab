"""The Health page: what is judged from what was seen, and whom it asks."""

import json
from dataclasses import replace
from typing import Any

import pytest

from dashboard.database import now_ms
from dashboard.models import Delivery, GalleryOutbox, Webhook
from dashboard.operating import health, health_pages
from dashboard.operating.health import Seen, Waiting
from dashboard.operating.running import Running
from tests.conftest import RedisPair
from tests.dashboard.site import Browser, Site
from tests.dashboard.test_live import beat
from worker.protocol import keys
from worker.protocol.connection import connect
from worker.protocol.finding import State
from worker.protocol.heartbeats import Heartbeat

pytest_plugins = ["tests.dashboard.pages"]

NOW = 1_795_478_400_000
WORKER = {
    "ready": True,
    "model_id": "sface-0123456789ab",
    "liveness": "live",
    "kiosks_held": ["front"],
    "site_key": "k",
}
KIOSK = {"camera": "ok"}


def seen(*beats: tuple[str, str, dict[str, Any], int], **changes: Any) -> Seen:
    """Of one shard where all is right but for what is given."""
    found = [("s0", Heartbeat(role, name, 1, offset, data)) for role, name, data, offset in beats]
    running = Running(beats=found, seen_ms=changes.pop("seen_ms", {}))
    values: dict[str, Any] = {"live_offset_ms": {"s0": 3}, "waiting": {"s0": Waiting(0, 0, 0)}}
    return Seen(NOW, running, ("s0",), **{**values, **changes})


RIGHT = (("worker", "w1", WORKER, 0), ("recorder", "r1", {}, 0), ("kiosk", "front", KIOSK, 0))


def judged(site: Site, what: Seen) -> list[tuple[str, str, str]]:
    with site.app.test_request_context():
        return [(one.state.value, one.check, f"{one.words} {one.advice}") for one in health.findings(what)]


def test_all_is_right(site: Site) -> None:
    found = judged(site, seen(*RIGHT))
    assert {state for state, _, _ in found} == {"ok"}
    assert len(found) == 7


@pytest.mark.parametrize(
    ("changes", "beats", "state", "said"),
    [
        ({"schema": "the schema is old: run it"}, RIGHT, "problem", "the schema is old"),
        ({"live_offset_ms": {"s0": None}}, RIGHT, "problem", "nobody is recognised without it"),
        ({"live_offset_ms": {"s0": -9_000}}, RIGHT, "problem", "-9 s off"),
        ({"waiting": {}}, RIGHT, "problem", "punches can’t be kept"),
        ({"ledger_set": False}, RIGHT, "warning", "ATTENDANCE_LEDGER_URL"),
        ({"waiting": {"s0": Waiting(51, 0, 0)}}, RIGHT, "warning", "51 punches wait"),
        ({"waiting": {"s0": Waiting(0, 1, 0)}}, RIGHT, "warning", "attendance dead list"),
        ({"waiting": {"s0": Waiting(0, 0, 2)}}, RIGHT, "ok", "2 presences"),
        (
            {"waiting": {"s0": Waiting(0, 0, 2)}},
            (("worker", "w1", WORKER | {"site_key": None}, 0), *RIGHT[1:]),
            "problem",
            "ATTENDANCE_SITE_PRIVATE_KEY",
        ),
        ({}, (RIGHT[0], RIGHT[2]), "problem", "nothing is written down"),
        ({}, RIGHT[1:], "problem", "nobody is recognised at any kiosk"),
        ({"unpublished_since_ms": NOW - 180_000}, RIGHT, "problem", "waits for 3 minutes"),
        ({}, (("worker", "w2", WORKER | {"model_id": "other-0123456789ab"}, 0), *RIGHT), "problem", "different models"),
        ({}, (("worker", "w1", WORKER | {"model_missing": "m"}, 0), *RIGHT[1:]), "problem", "It lacks m"),
        ({}, (("worker", "w1", WORKER | {"ready": False}, 0), *RIGHT[1:]), "warning", "no complete gallery"),
        ({}, (("worker", "w1", WORKER | {"meets_target": False}, 0), *RIGHT[1:]), "warning", "badge or enter a PIN"),
        ({}, (("worker", "w1", WORKER | {"decisions_pending": 4}, 0), *RIGHT[1:]), "warning", "holds 4 decisions"),
        ({}, (("worker", "w1", WORKER | {"liveness": "not_checked"}, 0), *RIGHT[1:]), "warning", "photograph"),
        ({"seen_ms": {"back": NOW - 300_000}}, RIGHT, "problem", "last seen 5 minutes ago"),
        (
            {},
            (*RIGHT[:2], ("kiosk", "front", {"camera": "lost", "camera_words": "gone"}, 0)),
            "problem",
            "no pictures: gone",
        ),
        ({}, (*RIGHT[:2], ("kiosk", "front", KIOSK, -7_000)), "warning", "-7 s off"),
        ({}, (*RIGHT, ("kiosk", "side", KIOSK, 0)), "warning", "No worker serves it"),
        ({}, (*RIGHT[:2], ("kiosk", "front", KIOSK | {"spool_waiting": 3}, 0)), "warning", "3 presences"),
        ({}, (*RIGHT[:2], ("kiosk", "front", KIOSK | {"spool_failed": 2}, 0)), "warning", "disk full"),
        ({"told": True}, RIGHT, "problem", "aren’t told anything"),
        (
            {"told": True, "overdue_since_ms": NOW - 400_000},
            (*RIGHT, ("deliverer", "d1", {}, 0)),
            "warning",
            "five minutes",
        ),
    ],
)
def test_what_is_wrong_is_named_with_a_way_out(
    site: Site, changes: dict[str, Any], beats: Any, state: str, said: str
) -> None:
    found = judged(site, seen(*beats, **changes))
    assert [one for one in found if one[0] == state and said in one[2]], found
    order = [State.PROBLEM, State.WARNING, State.OK]
    assert [order.index(State(one[0])) for one in found] == sorted(order.index(State(one[0])) for one in found)


def test_a_kiosk_taken_down_long_ago_is_not_missed(site: Site) -> None:
    assert {one[0] for one in judged(site, seen(*RIGHT, seen_ms={"old": NOW - 3_700_000}))} == {"ok"}


def test_it_asks_redis_and_the_database(site: Site, browser: Browser, redis_pair: RedisPair) -> None:
    page = browser.get("/health").text
    assert "Something needs your hand" in page
    assert "nobody is recognised at any kiosk" in page
    redis_pair.live.zadd(keys.kiosks("s0"), {"front": now_ms(), "Bad Name": 1})
    redis_pair.ledger.xadd(keys.dead("s0"), {"v": "1"})
    redis_pair.ledger.xadd(keys.backlog("s0", "front"), {"v": "1"})
    with site.sessions.begin() as session:
        session.add(GalleryOutbox(op="put", employee_id="e", model_id="m", created_ms=5))
        times = {"created_ms": 1, "tried_since_ms": 1, "next_try_ms": 7}
        session.add(Webhook(id="w", url="https://x", kinds="", secret="s", created_ms=1, created_by="a"))
        session.flush()
        session.add(Delivery(webhook_id="w", change_id="c", kind="k", subject_id="e", **times))
    with site.app.test_request_context():
        what = health_pages.see(site.app.extensions["attendance"])
    assert what.waiting == {"s0": Waiting(0, 1, 1)}
    assert (what.unpublished_since_ms, what.told, what.overdue_since_ms, what.schema) == (5, True, 7, "")
    offset = what.live_offset_ms["s0"]
    assert offset is not None
    assert abs(offset) < 2_000


def test_it_is_there_when_redis_is_not(site: Site, browser: Browser) -> None:
    away = {"s0": connect("redis://127.0.0.1:1", name="test")}
    services = site.app.extensions["attendance"]
    site.app.extensions["attendance"] = replace(services, lives=away, ledgers=away)
    page = browser.get("/health").text
    assert page.count("It doesn’t answer.") == 2
    site.app.extensions["attendance"] = replace(services, lives=away, ledgers={})
    assert "ATTENDANCE_LEDGER_URL" in browser.get("/health").text


def test_kiosks_and_workers_say_how_they_are(browser: Browser, redis_pair: RedisPair) -> None:
    latency = {"120": 95, "480": 5}
    kiosk = {"camera": "lost", "camera_words": "no picture for 5 s", "spool_waiting": 2, "frames_per_s": 7.25}
    beat(redis_pair, "kiosk", "front", kiosk | {"latency": latency, "version": "0.1.0", "feedback_stale": 12}, -350)
    beat(redis_pair, "kiosk", "side", {"spool_waiting": None})
    beat(redis_pair, "worker", "w1", WORKER | {"frames_per_s": 12.0})
    beat(redis_pair, "recorder", "r1", {"recorded": 1234, "version": "0.1.0"})
    beat(redis_pair, "deliverer", "d1", {})
    page = " ".join(browser.get("/kiosks").text.split())
    for words in (
        "No pictures from the camera",
        "Keeps 2 of an outage",
        "7.2 pictures/s · served by w1",
        "gives none: no picture for 5 s",
        '<dt>From picture to answer, 19 of 20 within</dt><dd class="value">120 ms</dd>',
        '<dt>Answers too late to be shown</dt><dd class="value">12</dd>',
        '<dt>Clock, against Redis</dt><dd class="value">-350 ms</dd>',
        "nobody says so",
        "nothing: it has no site key",
        '<dt>Punches written down</dt><dd class="value">1,234</dd>',
        "Tells webhooks and Frappe HR",
    ):
        assert words in page, words


def test_heartbeats_of_any_shape(browser: Browser, redis_pair: RedisPair) -> None:
    odd = [
        {
            "camera": 7,
            "spool_waiting": "x",
            "latency": {"a": "b"},
            "settings": {"a": 1},
            "version": [1],
            "source": "<b>",
        },
        {
            "kiosks_held": [{"<b>": 1}, None, "<b>"],
            "settings": [7, {"variable": "<b>"}, {"value": 1}],
            "frames_per_s": {},
        },
    ]
    for number, data in enumerate(odd):
        for role in ("kiosk", "worker", "recorder", "deliverer", "intruder<b>"):
            beat(redis_pair, role, f"odd-{number}", data)
    redis_pair.live.set(
        keys.heartbeat("s0", "worker", "long"), json.dumps({"pid": 1, "clock_offset_ms": 10**12, "data": {}})
    )
    for path in ("/health", "/kiosks", "/settings", "/models"):
        answer = browser.get(path)
        assert answer.status_code == 200, path
        assert "<b>" not in answer.text, path
