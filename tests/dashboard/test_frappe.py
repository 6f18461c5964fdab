"""The connector to Frappe HR against a stand-in that demands what the real one does: each punch once, nothing held up."""

import json
import logging
import re
from collections.abc import Callable, Iterator

import pytest
from pydantic import SecretStr, ValidationError
from sqlalchemy import select, update

from dashboard.connectors import frappe_sync
from dashboard.connectors.frappe import Frappe, Trouble, meaning, words_of
from dashboard.connectors.frappe_sync import FrappeSync
from dashboard.connectors.settings import FrappeSettings
from dashboard.database import SessionFactory, now_ms, reading
from dashboard.deliverer import share_out
from dashboard.models import Connector, Push
from dashboard.people.employees import create_employee
from dashboard.recording.records import record
from dashboard.settings import DashboardSettings
from tests.dashboard.conftest import CAPTURED_MS
from tests.dashboard.frappe_site import FrappeSite, frappe_site, refusal
from worker.protocol.entries import Decision

HOUR_MS = 3_600_000


@pytest.fixture
def hr() -> Iterator[FrappeSite]:
    with frappe_site(employees={"E-1": "Active", "E-2": "Active"}, shift_types={"Day": None}) as site:
        yield site


def settings_for(hr: FrappeSite, **changes: object) -> FrappeSettings:
    values: dict[str, object] = {
        "site": hr.url,
        "api_key": SecretStr("key-1"),
        "api_secret": SecretStr("secret-1"),
        "shift_types": ("Day",),
    }
    return FrappeSettings(**(values | changes))


@pytest.fixture
def sync(factory: SessionFactory, settings: DashboardSettings, hr: FrappeSite) -> FrappeSync:
    """Connected, with everything settled until nine o'clock in Jakarta."""
    with factory.begin() as session:
        frappe_sync.connect(session, now_ms(), now_ms())
    return FrappeSync(factory, settings, settings_for(hr), lambda: CAPTURED_MS + 2 * HOUR_MS)


@pytest.fixture
def punch(
    factory: SessionFactory, settings: DashboardSettings, make_decision: Callable[..., Decision]
) -> Callable[..., str]:
    """punch(code, captured_ms): recorded as the recorder does it, and shared out; returns the event id."""
    people: dict[str, str] = {}

    def make(code: str = "E-1", captured_ms: int = CAPTURED_MS + 345, kiosk: str = "front-door") -> str:
        with factory.begin() as session:
            if code not in people:
                people[code] = create_employee(session, code, f"Name of {code}", now_ms=now_ms()).id
            decision = make_decision(people[code], captured_ms=captured_ms, kiosk=kiosk)
            record(session, decision, captured_ms + 900, settings)
        share_out(factory)
        return decision.event_id

    return make


def states(factory: SessionFactory) -> list[str]:
    with reading(factory) as session:
        return list(session.scalars(select(Push.state).order_by(Push.id)))


def connector(factory: SessionFactory) -> Connector:
    with reading(factory) as session:
        return session.get_one(Connector, "frappe")


def go_on(factory: SessionFactory) -> None:
    """As when the pause is over."""
    with factory.begin() as session:
        session.execute(update(Connector).values(next_try_ms=0))


def test_a_punch_arrives_in_frappes_own_words(
    factory: SessionFactory, sync: FrappeSync, hr: FrappeSite, punch: Callable[..., str]
) -> None:
    punch()
    punch(captured_ms=CAPTURED_MS + HOUR_MS)
    assert sync.step() == 2
    assert hr.bodies[0] == {
        "employee_field_value": "E-1",
        "timestamp": "2026-11-24 07:00:00.345000",
        "device_id": "front-door",
        "log_type": "IN",
        "skip_auto_attendance": 0,
        "employee_fieldname": "attendance_device_id",
    }
    assert [log["log_type"] for log in hr.logs] == ["IN", "OUT"]
    assert states(factory) == ["done", "done"]
    assert hr.shift_types == {"Day": "2026-11-24 09:00:00.000000"}
    assert sync.step() == 0
    assert len(hr.bodies) == 2


def test_a_lost_answer_leads_to_no_second_log(
    factory: SessionFactory, sync: FrappeSync, hr: FrappeSite, punch: Callable[..., str]
) -> None:
    punch()
    hr.lose_answers = 1
    sync.step()
    assert (states(factory), len(hr.logs)) == (["pending"], 1)
    go_on(factory)
    sync.step()
    assert (states(factory), len(hr.logs), len(hr.bodies)) == (["done"], 1, 2)


def test_people_whom_frappe_does_not_know_hold_up_nobody(
    factory: SessionFactory, sync: FrappeSync, hr: FrappeSite, punch: Callable[..., str]
) -> None:
    hr.employees["E-9"] = "Inactive"
    punch("E-7")
    punch("E-9")
    punch("E-1")
    sync.step()
    assert states(factory) == ["unknown_employee", "inactive_employee", "done"]
    assert hr.shift_types["Day"] is not None  # they have no shift there that could be marked wrongly
    hr.employees |= {"E-7": "Active", "E-9": "Active"}
    with factory.begin() as session:
        assert frappe_sync.retry(session) == 2
    sync.step()
    assert states(factory) == ["done"] * 3


def test_what_frappe_refuses_otherwise_keeps_it_from_marking_attendance(
    factory: SessionFactory, settings: DashboardSettings, sync: FrappeSync, hr: FrappeSite, punch: Callable[..., str]
) -> None:
    hr.strict_log_type = True
    silent = FrappeSync(factory, settings, settings_for(hr, send_log_type=False), sync.settled)
    punch()
    silent.step()
    assert states(factory) == ["refused"]
    with reading(factory) as session:
        assert "Log Type is required" in session.scalars(select(Push.words)).one()
    assert hr.shift_types["Day"] is None
    with factory.begin() as session:
        frappe_sync.retry(session)
    sync.step()
    assert states(factory) == ["done"]
    assert hr.shift_types["Day"] is not None


def test_frappe_that_is_away_is_waited_for(
    factory: SessionFactory, sync: FrappeSync, hr: FrappeSite, punch: Callable[..., str]
) -> None:
    punch()
    hr.down = 1
    assert sync.step() == 0
    row = connector(factory)
    assert (row.failures, states(factory)) == (1, ["pending"])
    assert "503" in row.trouble
    assert sync.step() == 0  # the pause isn't over
    assert hr.bodies == []
    go_on(factory)
    assert sync.step() == 1
    assert (connector(factory).failures, connector(factory).trouble) == (0, "")


@pytest.mark.parametrize(
    ("changes", "said"),
    [({"token": "another:token"}, "check the API key"), ({"has_hrms": False}, "is Frappe HR .* installed")],
)
def test_a_wrong_key_or_site_stops_everything_with_words(
    factory: SessionFactory,
    sync: FrappeSync,
    hr: FrappeSite,
    punch: Callable[..., str],
    changes: dict[str, object],
    said: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    for name, value in changes.items():
        setattr(hr, name, value)
    punch()
    with caplog.at_level(logging.DEBUG):
        sync.step()
    assert re.search(said, connector(factory).trouble)
    assert states(factory) == ["pending"]
    assert "secret-1" not in caplog.text + connector(factory).trouble + repr(sync.settings)


def test_frappe_is_told_only_of_what_is_whole(
    factory: SessionFactory, settings: DashboardSettings, hr: FrappeSite, sync: FrappeSync, punch: Callable[..., str]
) -> None:
    unknown = FrappeSync(factory, settings, sync.settings, lambda: None)
    punch()
    unknown.step()
    assert hr.shift_types["Day"] is None
    sync.step()
    told = hr.shift_types["Day"]
    assert told is not None
    FrappeSync(factory, settings, sync.settings, lambda: CAPTURED_MS + HOUR_MS).step()  # a door fell silent before
    assert hr.shift_types["Day"] == told


def test_earlier_punches_are_queued_once(
    factory: SessionFactory, sync: FrappeSync, hr: FrappeSite, punch: Callable[..., str]
) -> None:
    punch()
    with factory.begin() as session:
        session.delete(session.get_one(Connector, "frappe"))
    punch(captured_ms=CAPTURED_MS + HOUR_MS)  # while nothing is connected
    with factory.begin() as session:
        assert frappe_sync.connect(session, CAPTURED_MS + 1_000, now_ms()) == 1
        assert frappe_sync.connect(session, CAPTURED_MS, now_ms()) == 1
    sync.step()
    assert sorted(log["time"] for log in hr.logs) == ["2026-11-24 07:00:00", "2026-11-24 08:00:00"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<html>",
        "[]",
        "null",
        '{"_server_messages": "x"}',
        '{"_server_messages": "[1]"}',
        '{"exception": 1}',
        "[" * 20_000,
        "\x1b[2J",
    ],
)
def test_hostile_answers_have_words_all_the_same(text: str) -> None:
    words = words_of(text)
    assert words
    assert words.isprintable()
    assert len(words) <= 300
    assert meaning(417, text)[0] == "refused"
    with pytest.raises(Trouble):
        meaning(400, text)


def test_a_site_that_hides_tracebacks_is_understood() -> None:
    hidden = {
        k: v for k, v in refusal("This employee already has a log with the same timestamp.").items() if k[0] == "_"
    }
    assert meaning(417, json.dumps(hidden))[0] == "done"


def test_checks_name_what_is_wrong(hr: FrappeSite) -> None:
    assert Frappe(settings_for(hr)).who_am_i() == "attendance@example.com"
    Frappe(settings_for(hr)).require_shift_type("Day")
    with pytest.raises(Trouble, match="'Night/7': Frappe has none"):
        Frappe(settings_for(hr)).require_shift_type("Night/7")
    with pytest.raises(Trouble, match="refused"):
        Frappe(settings_for(hr, site="http://127.0.0.1:9")).who_am_i()


@pytest.mark.parametrize(
    "url", ["hr.example.com", "https://hr.example.com/app", "https://u:p@hr.example.com", "ftp://x"]
)
def test_an_address_that_is_no_site_is_refused(url: str) -> None:
    with pytest.raises(ValidationError):
        FrappeSettings(site=url)
    assert FrappeSettings().missing() == [f"ATTENDANCE_FRAPPE_{name}" for name in ("URL", "API_KEY", "API_SECRET")]
