"""The charts' figures, worked out by hand, from the database of both kinds; and that they go through indices."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from dashboard.charts import arrivals, lateness, occupancy, outcomes, scope
from dashboard.charts.chart_filter import NO_SITE, ChartFilter
from dashboard.charts.occupancy import AtTime
from dashboard.charts.outcomes import MOST_DOORS
from dashboard.charts.quarters import clock, offsets_ms, place
from dashboard.charts.scope import Scope
from dashboard.correcting.corrections import ask, ask_to_add, decide
from dashboard.database import reading
from dashboard.days.policy import Policy, weekly
from dashboard.log.log_query import known_kiosks
from dashboard.models import AttendanceEvent, Employee, Holiday, Kiosk
from dashboard.models import Site as SiteRow
from dashboard.people.employees import create_employee
from dashboard.planning.patterns import assign, save_pattern
from tests.dashboard.days.sheet import BERLIN, JAKARTA, MONDAY, OFFICE, at
from tests.dashboard.site import Site
from tests.dashboard.test_log_walk import BIG, fill, plans, pretend_full_size

pytest_plugins = ["tests.dashboard.pages"]

TUESDAY, WEDNESDAY = MONDAY + timedelta(days=1), MONDAY + timedelta(days=2)
NOW_MS = at("12:00", WEDNESDAY)
THREE_DAYS = ChartFilter(MONDAY, WEDNESDAY)


def quarter(words: str) -> int:
    """Of the clock: `07:45` is 31."""
    hours, minutes = words.split(":")
    return int(hours) * 4 + int(minutes) // 15


def come_and_go(site: Site, person: str, words: str, day: date = MONDAY, zone: ZoneInfo = JAKARTA, **more: Any) -> None:
    """`in 08:00, out 17:00`."""
    for word in words.split(", "):
        direction, time = word.split()
        site.punch(person, at(time, day, zone), direction=direction, **more)


@pytest.fixture
def people(any_site: Site) -> dict[str, str]:
    """Ann, Ben and Cy of the Dock, who is there at night; Dee of the Lab. Their Monday and Tuesday."""
    with any_site.sessions.begin() as session:
        found = {
            name: create_employee(session, name, name, department, now_ms=1).id
            for name, department in (("Ann", "Dock"), ("Ben", "Dock"), ("Cy", "Dock"), ("Dee", "Lab"))
        }
    come_and_go(any_site, found["Ann"], "in 07:50, out 12:00, in 12:30, out 17:05")
    come_and_go(any_site, found["Ben"], "in 08:10, in 08:12, out 17:00")
    come_and_go(any_site, found["Cy"], "in 22:00, out 06:00+1")
    come_and_go(any_site, found["Ann"], "in 07:59:30", TUESDAY)  # and forgot to punch out
    come_and_go(any_site, found["Dee"], "in 09:00, out 10:00", TUESDAY, kiosk="lab")
    return found


@pytest.fixture
def dock(any_site: Site, people: dict[str, str]) -> Iterator[tuple[Any, Scope]]:
    """A session, and the three days of the Dock."""
    with reading(any_site.sessions) as session:
        chosen = ChartFilter(MONDAY, WEDNESDAY, "Dock")
        yield session, scope.scope_of(session, chosen, None, JAKARTA)


def test_arrivals_are_first_punches_in_by_quarter(dock: tuple[Any, Scope]) -> None:
    session, asked = dock
    found = arrivals.by_time(arrivals.read(session, asked), JAKARTA)
    assert {clock(one): count for one, count in found.items() if count} == {"07:45": 2, "08:00": 1, "22:00": 1}
    assert list(found) == list(range(quarter("07:45"), quarter("22:00") + 1)), "without gaps"
    assert arrivals.by_time({}, JAKARTA) == {}


def test_occupancy_of_each_quarter(dock: tuple[Any, Scope]) -> None:
    session, asked = dock
    stays = occupancy.read(session, asked, NOW_MS)
    days = occupancy.by_day(stays, asked, NOW_MS)
    monday = days[MONDAY]
    steps = {clock(one): count for one, count in monday.items() if count != monday.get(one - 1, 0)}
    assert steps == {"08:00": 1, "08:15": 2, "12:00": 1, "12:30": 2, "17:00": 1, "17:15": 0, "22:00": 1}
    assert [days[TUESDAY][quarter(one)] for one in ("00:00", "05:45", "06:00", "08:00")] == [1, 1, 0, 0]
    assert max(days[WEDNESDAY]) == quarter("12:00"), "what isn't over isn't counted"
    assert occupancy.forgotten(stays, asked) == 1
    assert occupancy.fullest(days) == (2, MONDAY, quarter("08:15"))
    times = occupancy.by_time(days)
    assert times[quarter("05:45")] == AtTime(0.5, 1), "Wednesday, when nobody was in, is no part of the mean"
    assert times[quarter("08:15")] == AtTime(1.0, 2)
    assert (min(times), max(times)) == (0, 95)


def test_who_came_in_a_while_ago_is_in_until_now(any_site: Site, people: dict[str, str]) -> None:
    come_and_go(any_site, people["Dee"], "in 09:00", WEDNESDAY)
    with reading(any_site.sessions) as session:
        asked = scope.scope_of(session, ChartFilter(WEDNESDAY, WEDNESDAY), None, JAKARTA)
        for now, in_at_nine, forgotten in (("09:01", 1, 0), ("23:00", 1, 0), ("01:01+1", 0, 1)):
            stays = occupancy.read(session, asked, at(now, WEDNESDAY))
            days = occupancy.by_day(stays, asked, at(now, WEDNESDAY))
            assert (days[WEDNESDAY][quarter("09:00")], occupancy.forgotten(stays, asked)) == (in_at_nine, forgotten)


def test_lateness_by_the_rules(any_site: Site, people: dict[str, str]) -> None:
    """08:00 with 5 minutes of grace: Ben is 10 minutes late on Monday; Tuesday is a holiday; Ben has left by Wednesday."""
    with any_site.sessions.begin() as session:
        rules = weekly(OFFICE, policy=Policy(grace_in_min=5))
        version = save_pattern(session, "Office", rules, date(2025, 1, 1), by="hr", now_ms=1)
        for name in ("Ann", "Ben"):
            own = {"employee_id": people[name], "pattern_id": version.pattern_id}
            assign(session, date(2025, 1, 1), **own, by="hr", now_ms=1)
        session.add(Holiday(day=TUESDAY, name="Feast", source="entered", entered_ms=1, entered_by="hr"))
        session.get_one(Employee, people["Ben"]).deactivated_ms = at("07:00", WEDNESDAY)
    chosen = ChartFilter(MONDAY, WEDNESDAY + timedelta(days=1))
    with reading(any_site.sessions) as session:
        asked = scope.scope_of(session, chosen, None, JAKARTA)
        planned = lateness.read(session, chosen, asked, NOW_MS, JAKARTA)
        nobody = scope.scope_of(session, chosen, ["Lab"], JAKARTA)
        assert lateness.read(session, chosen, nobody, NOW_MS, JAKARTA) == {}
    assert planned is not None
    found = lateness.by_day(chosen.days, planned)
    assert [(one.planned, one.late, one.median_min) for one in found] == [
        *[(2, 1, 10), (0, 0, None), (1, 0, None)],
        (0, 0, None),  # Thursday's shift hasn't begun
    ]
    assert [one.share for one in found] == [0.5, None, 0.0, None]
    assert lateness.whole_median(planned) == 10


def test_corrections_count_for_lateness(any_site: Site, people: dict[str, str]) -> None:
    """Dee came at 09:00 on Tuesday, an hour late; HR says that it was 08:20, and adds 08:30 on Wednesday."""
    with any_site.sessions.begin() as session:
        version = save_pattern(session, "Office", weekly(OFFICE), date(2025, 1, 1), by="hr", now_ms=1)
        assign(session, date(2025, 1, 1), department="Lab", pattern_id=version.pattern_id, by="hr", now_ms=1)
    chosen, found = ChartFilter(MONDAY, WEDNESDAY, "Lab"), list[Any]()
    for corrected in (False, True):
        if corrected:
            with any_site.sessions.begin() as session:
                about: dict[str, Any] = {"reason": "badge", "by": "dee", "now_ms": NOW_MS}
                came = select(AttendanceEvent.event_id).where(AttendanceEvent.captured_ms == at("09:00", TUESDAY))
                change = ask(session, "change", event_id=session.scalar(came), new_ms=at("08:20", TUESDAY), **about)
                added = ask_to_add(session, people["Dee"], at("08:30", WEDNESDAY), "in", **about)
                for one in (change, added):
                    decide(session, one.id, "approved", by="hr", now_ms=NOW_MS)
        with reading(any_site.sessions) as session:
            asked = scope.scope_of(session, chosen, None, JAKARTA)
            planned = lateness.read(session, chosen, asked, NOW_MS, JAKARTA)
            found.append([planned[day] for day in chosen.days] if planned else None)
    assert found == [[[0], [60], [0]], [[0], [20], [30]]]


def test_the_median_is_of_those_who_came_late() -> None:
    late = {MONDAY: [0, 0, 0, 7, 10, 40, 61], TUESDAY: [0, 0]}
    assert lateness.by_day([MONDAY], late) == [lateness.LateDay(MONDAY, 7, 4, 25.0)]
    assert lateness.whole_median(late) == 25.0
    assert lateness.whole_median({TUESDAY: [0, 0]}) is None


def test_more_people_than_can_be_waited_for(
    any_site: Site, people: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lateness, "MOST_PERSON_DAYS", 11)  # three days of three people, not of four
    monkeypatch.setattr(scope, "MOST_PUNCHES", 10)
    with reading(any_site.sessions) as session:
        for department, few in (("Dock", True), ("", False)):
            chosen = ChartFilter(MONDAY, WEDNESDAY, department)
            asked = scope.scope_of(session, chosen, None, JAKARTA)
            assert (lateness.read(session, chosen, asked, NOW_MS, JAKARTA) is not None) is few
            assert scope.too_many(session, asked) is not few


def test_outcomes_at_each_door(any_site: Site, people: dict[str, str]) -> None:
    any_site.punch(people["Dee"], at("09:01", TUESDAY), status="duplicate", kiosk="lab")
    any_site.punch(people["Dee"], at("09:02", TUESDAY), status="inactive", kiosk="lab")
    for outcome in ("unknown", "ambiguous", "spoof_suspected", "not_live", "no_such_code"):
        any_site.punch(None, at("10:00"), status="not_a_punch", outcome=outcome)
    any_site.punch(None, at("10:00", MONDAY - timedelta(days=1)), status="not_a_punch")
    with reading(any_site.sessions) as session:
        everybody = scope.scope_of(session, THREE_DAYS, None, JAKARTA)
        front, lab = outcomes.by_door(outcomes.read(session, everybody, known_kiosks(session)))
        assert (front.name, front.total, front.refused) == ("front-door", 15, 5)
        assert front.counts == {"recorded": 10, "unrecognised": 2, "alike": 1, "picture": 2}
        assert (lab.name, lab.counts) == ("lab", {"recorded": 2, "repeated": 1, "inactive": 1})
        of_lab = scope.scope_of(session, THREE_DAYS, ["Lab"], JAKARTA)
        assert outcomes.by_door(outcomes.read(session, of_lab, known_kiosks(session))) == [lab]


def test_the_busiest_doors_have_a_line_each() -> None:
    doors = outcomes.by_door((f"door-{n:02}", "recorded", "", n) for n in range(1, MOST_DOORS + 3))
    assert len(doors) == MOST_DOORS + 1
    assert (doors[0].name, doors[0].total) == (f"door-{MOST_DOORS + 2}", MOST_DOORS + 2)
    assert (doors[-1].name, doors[-1].total) == ("", 1 + 2)


def test_a_site_has_its_doors_and_its_clock(any_site: Site, people: dict[str, str]) -> None:
    """The lab is in Makassar, an hour ahead; out through another door is out."""
    with any_site.sessions.begin() as session:
        plant = SiteRow(name="Plant", time_zone="Asia/Makassar", country="ID", subdivision="")
        session.add(plant)
        session.flush()
        session.get_one(Kiosk, "lab").site_id = number = plant.id
        version = save_pattern(session, "Office", weekly(OFFICE), date(2025, 1, 1), by="hr", now_ms=1)
        for who, where in (("Dee", number), ("Ann", None)):
            own = {"employee_id": people[who], "pattern_id": version.pattern_id, "site_id": where}
            assign(session, date(2025, 1, 1), **own, by="hr", now_ms=1)
    come_and_go(any_site, people["Ann"], "in 13:00", TUESDAY, kiosk="lab")
    come_and_go(any_site, people["Ann"], "out 14:00", TUESDAY)
    with reading(any_site.sessions) as session:
        for department in ("", "Dock"):
            chosen = ChartFilter(MONDAY, WEDNESDAY, department, str(number))
            asked = scope.scope_of(session, chosen, None, JAKARTA)
            found = {
                clock(one): n for one, n in arrivals.by_time(arrivals.read(session, asked), asked.zone).items() if n
            }
            assert found == {"14:00": 1} | ({} if department else {"10:00": 1})
            days = occupancy.by_day(occupancy.read(session, asked, NOW_MS), asked, NOW_MS)
            assert [days[TUESDAY][quarter(one)] for one in ("13:45", "14:00", "14:45", "15:00")] == [0, 1, 1, 0]
            planned = lateness.read(session, chosen, asked, NOW_MS, JAKARTA)
            assert planned is not None
            assert {one for late in planned.values() for one in late} == (set() if department else {0, 120}), (
                "10:00 for 08:00 at the lab"
            )
        elsewhere = scope.scope_of(session, ChartFilter(MONDAY, WEDNESDAY, site=NO_SITE), None, JAKARTA)
        doors = outcomes.by_door(outcomes.read(session, elsewhere, known_kiosks(session)))
        assert [door.name for door in doors] == ["front-door"]


@pytest.mark.parametrize(("day", "hours"), [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25)])
def test_days_on_which_clocks_change(any_site: Site, day: date, hours: int) -> None:
    """First in after midnight and once more before the next: one arrival, whatever the offset is by then."""
    with any_site.sessions.begin() as session:
        one, other = (create_employee(session, name, name, "", now_ms=1).id for name in ("One", "Other"))
    come_and_go(any_site, one, "in 00:30, out 08:00, in 23:50", day, BERLIN)
    come_and_go(any_site, one, "out 00:10+1", day, BERLIN)
    come_and_go(any_site, other, "in 23:50", day - timedelta(days=1), BERLIN)
    come_and_go(any_site, other, "out 06:00, in 23:40, out 23:59", day, BERLIN)
    with reading(any_site.sessions) as session:
        asked = scope.scope_of(session, ChartFilter(day, day), None, BERLIN)
        assert (asked.end_ms - asked.start_ms) // 3_600_000 == hours
        assert len(offsets_ms(asked.start_ms, asked.end_ms, BERLIN)) == 2
        found = arrivals.by_time(arrivals.read(session, asked), BERLIN)
        assert {clock(at): count for at, count in found.items() if count} == {"00:30": 1, "23:30": 1}
        counts = occupancy.by_day(occupancy.read(session, asked, NOW_MS), asked, NOW_MS)[day]
    assert len(counts) == min(hours, 24) * 4, "an hour that comes twice has one place"
    assert {counts.get(quarter(at)) for at in ("01:00", "03:00", "05:45")} == {2}
    assert (quarter("02:00") in counts, counts[quarter("06:00")]) == (hours == 25, 1)


def test_quarters_of_clocks_between_the_hours() -> None:
    kathmandu, lord_howe = ZoneInfo("Asia/Kathmandu"), ZoneInfo("Australia/Lord_Howe")
    midnight = at("00:00", MONDAY, kathmandu) // (15 * 60_000)
    assert place(midnight, kathmandu) == (MONDAY, 0)
    start_ms, end_ms = at("00:00", date(2026, 4, 5), lord_howe), at("00:00", date(2026, 4, 6), lord_howe)
    assert [ahead // 60_000 for _, ahead in offsets_ms(start_ms, end_ms, lord_howe)] == [660, 630]


@pytest.mark.parametrize("counted", [False, True])
def test_no_chart_reads_whole_tables(site: Site, counted: bool) -> None:
    """People's punches through their own index, everybody's by door or by time; whether SQLite knows the sizes or not."""
    fill(site, 60)
    with site.sessions.begin() as session:
        session.add(SiteRow(name="Plant", time_zone="Asia/Makassar", country="ID", subdivision=""))
        session.flush()
        session.get_one(Kiosk, "lab").site_id = 1
    if counted:
        pretend_full_size(site)
    with plans(site) as told, reading(site.sessions) as session:
        for department, number in [("", ""), ("A", ""), ("", "1"), ("A", "1")]:
            for only in (None, ["A", "C"]):
                chosen = ChartFilter(date(2026, 2, 1), date(2026, 4, 30), department, number)
                asked = scope.scope_of(session, chosen, only, JAKARTA)
                scope.too_many(session, asked)
                arrivals.read(session, asked)
                occupancy.read(session, asked, NOW_MS)
                outcomes.read(session, asked, known_kiosks(session))
                assert lateness.read(session, chosen, asked, NOW_MS, JAKARTA) is not None
    used = set()
    for statement, line in told:
        words = line.split()
        assert not (words[0] == "SCAN" and words[1] in BIG), (line, statement)
        if words[0] == "SEARCH" and words[1] in ("decisions", "attendance_events"):
            used.add(line.split(" INDEX ")[1].split(" (")[0])
            assert "captured_ms>?" in line or "event_id=?" in line, (line, statement)
            if "employee_id IN" in statement and "kiosk IN" not in statement:
                assert "_by_employee (employee_id=?" in line, (line, statement)
    assert {"event_by_employee", "event_by_kiosk", "decision_by_employee", "decision_by_kiosk"} <= used
