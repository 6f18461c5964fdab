"""The log's walk: the same records in the same order by every way, and no way that reads whole tables."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import event, text

from dashboard.database import reading
from dashboard.log.log_query import LogFilter
from dashboard.log.log_walk import LogWalk, last_arrivals
from dashboard.models import AttendanceEvent, Kiosk
from dashboard.models import Site as Place
from dashboard.people.employees import create_employee
from dashboard.people.people_list import SORTS, STATES, PeopleFilter, count, page
from dashboard.recording.attendance_rules import local_date, zone_named
from dashboard.web import cursors
from tests.dashboard.site import Site

pytest_plugins = ["tests.dashboard.pages"]

ZONE = ZoneInfo("Asia/Jakarta")
START = round(datetime(2026, 1, 1, tzinfo=UTC).timestamp() * 1000)
HOUR = 3_600_000
BIG = ("decisions", "attendance_events", "event_pictures", "enrolment_pictures")
FILTERS = [
    LogFilter(),
    LogFilter(kind="all"),
    LogFilter(kind="inactive"),
    LogFilter(kiosk="lab"),
    LogFilter(kiosk="lab", kind="all"),
    LogFilter(person="name-1"),
    LogFilter(person="name", department="A"),
    LogFilter(department="B", kind="all", kiosk="lab"),
    LogFilter(department="A", start=date(2026, 2, 1), end=date(2026, 6, 30)),
    LogFilter(start=date(2026, 2, 1), end=date(2026, 6, 30), kind="unrecognised"),
    LogFilter(as_of_ms=START + 3000 * HOUR, kind="all"),
    LogFilter(person="nobody"),
]


def fill(site: Site, rows: int) -> list[tuple[int, str, dict[str, Any]]]:
    """Records over most of a year; what each is about, newest first."""
    chance = random.Random(7)
    people = {}
    with site.sessions.begin() as session:
        for n in range(4):
            code = f"name-{n}"
            people[code] = create_employee(session, code, f"Name {n}", "AB"[n % 2], now_ms=START).id
    made = []
    for _ in range(rows):
        at = START + chance.randrange(0, 8000 * HOUR, HOUR * 40)  # with ties
        code = chance.choice([*people, None])
        status = chance.choice(["recorded", "recorded", "duplicate", "inactive"]) if code else "not_a_punch"
        kiosk = chance.choice(["front-door", "lab"])
        event_id = site.punch(people[code] if code else None, at, status=status, kiosk=kiosk)
        made.append((at, event_id, {"code": code, "status": status, "kiosk": kiosk}))
    return sorted(made, key=lambda one: one[:2], reverse=True)


def expected(made: list[tuple[int, str, dict[str, Any]]], chosen: LogFilter) -> list[str]:
    def fits(at: int, about: dict[str, Any]) -> bool:
        day = datetime.fromtimestamp(at / 1000, ZONE).date()
        code = about["code"]
        return (
            (chosen.status is None or about["status"] == chosen.status)
            and (not chosen.kiosk or about["kiosk"] == chosen.kiosk)
            and (chosen.start is None or day >= chosen.start)
            and (chosen.end is None or day <= chosen.end)
            and (chosen.as_of_ms is None or at + 900 <= chosen.as_of_ms)
            and (not chosen.person or (code is not None and chosen.person in code))
            and (not chosen.department or (code is not None and "AB"[int(code[-1]) % 2] == chosen.department))
        )

    return [event_id for at, event_id, about in made if fits(at, about)]


def test_every_filter_finds_all_in_order_and_pages_back(any_site: Site) -> None:
    made = fill(any_site, 90)
    for chosen in FILTERS:
        want = expected(made, chosen)
        with reading(any_site.sessions) as session:
            walk = LogWalk(session, chosen, ZONE)
            assert [row.event_id for row in walk.all()] == want, chosen
            assert walk.count() == len(want)
            forwards, place = [], None
            while True:
                rows, newer, older = walk.page(place, 7)
                forwards.append(([row.event_id for row in rows], newer))
                if older is None:
                    break
                place = cursors.Place(older)
            assert [one for ids, _ in forwards for one in ids] == want, chosen
            for (ids, _), (_, newer) in pairwise(forwards):
                assert newer is not None
                assert [row.event_id for row in walk.page(cursors.Place(newer, backwards=True), 7)[0]] == ids, chosen


@pytest.mark.parametrize("few", [0, 100])
def test_days_are_those_of_each_door(any_site: Site, few: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of one moment the date differs from door to door; a punch keeps the clock that it was recorded by."""
    monkeypatch.setattr("dashboard.log.log_walk.FEW_PEOPLE", few)
    turn = round(datetime(2026, 3, 1, tzinfo=UTC).timestamp() * 1000)
    places = {"suva": "Pacific/Fiji", "pago": "Pacific/Pago_Pago", "mars": "Mars/Olympus"}
    with any_site.sessions.begin() as session:
        person = create_employee(session, "E-1", "Grace", "A", now_ms=START).id
        for number, (kiosk, zone) in enumerate(places.items(), 1):
            session.add(Place(id=number, name=kiosk, time_zone=zone))
            session.flush()
            session.add(Kiosk(name=kiosk, site_id=number))
    for kiosk, zone in [*places.items(), ("front-door", "Asia/Jakarta"), ("suva", "America/Lima")]:
        for hours in range(-16, 15):
            event_id = any_site.punch(person, turn + hours * HOUR, kiosk=kiosk)
            any_site.punch(None, turn + hours * HOUR, kiosk=kiosk, status="not_a_punch")
            with any_site.sessions.begin() as session:
                session.get_one(AttendanceEvent, event_id).time_zone = zone
    day = date(2026, 3, 1)
    for about in ({}, {"person": "grace"}, {"kiosk": "suva"}, {"kind": "unrecognised"}, {"kind": "all"}):
        with reading(any_site.sessions) as session:
            every = list(LogWalk(session, LogFilter(**about), ZONE).all())
            for edges in ({"start": day}, {"end": day}, {"start": day, "end": day}):
                first, last = edges.get("start", date.min), edges.get("end", date.max)
                walk = LogWalk(session, LogFilter(**about, **edges), ZONE)
                dates = {row.event_id: local_date(row.captured_ms, zone_named(row.time_zone, ZONE)) for row in every}
                want = [row.event_id for row in every if first <= dates[row.event_id] <= last]
                assert [row.event_id for row in walk.all()] == want, (about, edges)
                assert walk.count() == len(want)
                assert 0 < len(want) < len(every)


def test_departments_bound_every_walk(any_site: Site) -> None:
    made = fill(any_site, 60)
    with reading(any_site.sessions) as session:
        for chosen in FILTERS:
            want = [
                one
                for one in expected(made, chosen)
                if one in set(expected(made, LogFilter(department="B", kind="all")))
            ]
            walk = LogWalk(session, chosen, ZONE, ["B", "C"])
            assert [row.event_id for row in walk.all()] == want, chosen
            assert walk.count() == len(want)
            assert list(LogWalk(session, chosen, ZONE, []).all()) == [], "who looks after nobody sees nobody"
        arrived = {event_id for _, event_id, about in made if about["status"] in ("recorded", "inactive")}
        want = [one for one in expected(made, LogFilter(department="B", kind="all")) if one in arrived]
        assert [row.event_id for row in last_arrivals(session, 100, ["B"])] == want
        assert last_arrivals(session, 100, []) == []


def test_more_than_the_limit_are_not_counted(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(site, 12)
    monkeypatch.setattr("dashboard.log.log_walk.COUNTED", 11)
    with reading(site.sessions) as session:
        assert LogWalk(session, LogFilter(kind="all"), ZONE).count() is None
    assert "more than 10,000 records" in site.browser().get("/attendance?kind=all").text


@contextmanager
def plans(site: Site) -> Iterator[list[tuple[str, str]]]:
    """Every statement that is read meanwhile, once for each line of its plan, and the line as SQLite tells it."""
    engine, told, explaining = site.sessions.kw["bind"], [], []

    def explain(connection: Any, cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if statement.startswith("SELECT") and not explaining:
            explaining.append(True)
            lines = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            told.extend((statement, line[3]) for line in lines)
            explaining.clear()

    event.listen(engine, "before_cursor_execute", explain)
    try:
        yield told
    finally:
        event.remove(engine, "before_cursor_execute", explain)


def pretend_full_size(site: Site) -> None:
    """What ANALYZE would tell SQLite about 10,000 people and 5 million records: it plans by that, not by what is there."""
    counts = {
        ("decisions", "sqlite_autoindex_decisions_1"): "5000000 1",
        ("decisions", "ix_decisions_captured_ms"): "5000000 1",
        ("decisions", "decision_by_status"): "5000000 1250000 1",
        ("decisions", "decision_by_kiosk"): "5000000 250000 62500 1",
        ("decisions", "decision_by_employee"): "5000000 500 1 1",
        ("employees", "sqlite_autoindex_employees_1"): "10000 1",
        ("employees", "employee_by_department"): "10000 250 1 1",
        ("employees", "employee_by_name"): "10000 1 1",
    }
    with site.sessions.begin() as session:
        session.execute(text("ANALYZE"))
        session.execute(text("DELETE FROM sqlite_stat1"))
        rows = [{"table": table, "index": index, "stat": stat} for (table, index), stat in counts.items()]
        session.execute(text("INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES (:table, :index, :stat)"), rows)
    site.sessions.kw["bind"].dispose()  # read when a connection opens


@pytest.mark.parametrize("few", [0, 100])
@pytest.mark.parametrize("counted", [False, True])
def test_no_page_reads_whole_tables(site: Site, counted: bool, few: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether SQLite knows how much is in the tables or not, and for few people as for many."""
    monkeypatch.setattr("dashboard.log.log_walk.FEW_PEOPLE", few)
    made = fill(site, 60)
    with site.sessions.begin() as session:
        session.add(Place(name="Tokyo", time_zone="Asia/Tokyo"))
    if counted:
        pretend_full_size(site)
    place = cursors.Place(made[30][:2])
    with plans(site) as told, reading(site.sessions) as session:
        for chosen, departments in [(one, seen) for one in FILTERS for seen in (None, ["A", "C"])]:
            walk = LogWalk(session, chosen, ZONE, departments)
            walk.page(None, 5), walk.page(place, 5), walk.page(cursors.Place(place.values, backwards=True), 5)
            assert chosen.as_of_ms or walk.count() is not None  # pages beyond the first, which have it, count nothing
        last_arrivals(session, 20), last_arrivals(session, 20, ["A", "C"])
        for state in STATES:
            for sort in SORTS:
                chosen_people = PeopleFilter("name", "A" if sort == "name" else "", state, sort=sort)
                page(session, chosen_people, datetime.now(ZONE), None, 5)
                page(session, chosen_people, datetime.now(ZONE), None, 5, ["A", "C"])
                count(session, chosen_people, datetime.now(ZONE))
    assert len(told) > 100
    for statement, line in told:
        words = line.split()
        if words[0] == "SCAN" and words[1] in BIG:  # in order along an index, and stopped by its limit
            assert line.endswith("INDEX ix_decisions_captured_ms"), (line, statement)
            assert "LIMIT" in statement or "min(" in statement or "max(" in statement, statement
        if line == "USE TEMP B-TREE FOR ORDER BY" and "FROM decisions" in statement:
            assert "decisions.employee_id IN" in statement, "only a window of some people's records is sorted"
        if words[:2] == ["SEARCH", "decisions"] and "decisions.employee_id IN" in statement:
            assert "decision_by_employee (employee_id=?" in line, statement
