"""Whatever is killed, the site goes on: nothing is lost, nothing is written twice, and nobody sees an old name.

One site of real processes for all of it; the launcher is killed last.
"""

import threading
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
import redis
from sqlalchemy import func, select

from dashboard.database import now_ms, reading
from dashboard.models import AttendanceEvent, DecisionRecord, Employee
from dashboard.settings import DashboardSettings
from deploy.demo_scene import ENROLLED, STRANGER, portrait_jpeg
from deploy.enrol_folder import read_plan
from deploy.enroll import enrol_people
from kiosk.settings import KioskSettings
from tests.end_to_end.conftest import SiteMaker
from tests.end_to_end.processes import alive, descendants, wait_for
from tests.end_to_end.running_site import DOOR, SHARD, RunningSite
from tests.end_to_end.screen_log import ScreenLog
from worker.protocol import keys
from worker.protocol.connection import FAILURES, Client
from worker.protocol.entries import Decision, as_any, new_id
from worker.protocol.outcomes import Outcome

pytestmark = [pytest.mark.end_to_end, pytest.mark.timeout(240)]
GAP_S = 600
"""Presence gap of this site: longer than all of these tests, so everybody is one presence at the door, whatever is killed."""
NAME_SHOWN_S, SLACK_S = KioskSettings.model_fields["name_shown_s"].default, 1.0
PAUSE_S = 0.005
"""Between decisions, so that a fast machine isn't done with them before anything is killed."""
CODES = {"C1": ENROLLED, "C2": STRANGER}


@pytest.fixture(scope="module")
def broken_site(make_site: SiteMaker, tmp_path_factory: pytest.TempPathFactory) -> RunningSite:
    """A site where both people of the scene are enrolled."""
    site = make_site(ATTENDANCE_DASHBOARD_PRESENCE_GAP_S=str(GAP_S))
    people = tmp_path_factory.mktemp("people")
    for code, name in CODES.items():
        (people / f"{code}_{name.replace(' ', '_')}.jpg").write_bytes(portrait_jpeg(name))
    live = site.client("live")
    reports = enrol_people(read_plan(people), site.sessions, live, DashboardSettings(home=site.home, shard=SHARD))
    live.close()
    assert [report.enrolled for report in reports] == [1, 1]
    return site


@pytest.fixture(scope="module")
def screen(broken_site: RunningSite) -> Iterator[ScreenLog]:
    log = ScreenLog(broken_site.screen_url)
    log.start()
    yield log
    log.stop()


@pytest.fixture(autouse=True)
def _nobody_at_the_door(broken_site: RunningSite) -> Iterator[None]:
    yield
    broken_site.stage.leave()
    wait_for(lambda: broken_site.stage.in_view is None, 10, "the stage is empty")


def shown(screen: ScreenLog, name: str, within_s: float) -> None:
    wait_for(lambda: screen.now.name == name, within_s, f"{name} on the screen, which says {screen.now.mode}")


def events_of(site: RunningSite, code: str) -> list[str]:
    """Event ids of somebody's punches at the kiosk's door."""
    query = select(AttendanceEvent.event_id).join(Employee).where(Employee.code == code, AttendanceEvent.kiosk == DOOR)
    with reading(site.sessions) as session:
        return list(session.scalars(query))


def assert_no_stale_name(site: RunningSite, screen: ScreenLog) -> None:
    """Each name on the screen was that of somebody in the picture then, or within the time that a name stays."""
    seen = list(screen.seen)
    for one, following in pairwise(seen):
        if one.name is not None:
            for at_s in (one.at_s, following.at_s):
                assert site.stage.was_in_view(one.name, at_s - NAME_SHOWN_S - SLACK_S, at_s), one


def test_the_live_redis_is_killed_while_somebody_stands_there(broken_site: RunningSite, screen: ScreenLog) -> None:
    broken_site.stage.enter(ENROLLED)
    shown(screen, ENROLLED, 30)
    wait_for(lambda: len(events_of(broken_site, "C1")) == 1, 10, "the punch is recorded")
    began = len(screen.seen)
    broken_site.kill("live")
    wait_for(lambda: any(s.name is None for s in screen.seen[began:]), 5, "the name is taken from the screen")
    shown(screen, ENROLLED, 30)
    assert "the live Redis ended; starting it again" in broken_site.hear()
    broken_site.stage.enter(STRANGER)
    shown(screen, STRANGER, 30)
    wait_for(lambda: len(events_of(broken_site, "C2")) == 1, 10, "who came later is recorded")
    assert len(events_of(broken_site, "C1")) == 1
    assert_no_stale_name(broken_site, screen)


def test_the_worker_is_killed_while_somebody_stands_there(broken_site: RunningSite, screen: ScreenLog) -> None:
    broken_site.stage.enter(ENROLLED)
    shown(screen, ENROLLED, 30)
    before = broken_site.kill("worker")
    wait_for(lambda: screen.now.name is None, NAME_SHOWN_S + 4, "the name goes when no answers come")
    shown(screen, ENROLLED, 60)
    assert broken_site.pid("worker") not in (0, before)
    wait_for(lambda: screen.now.mode == "duplicate", 10, "the new worker's decision is known as a repetition")
    assert len(events_of(broken_site, "C1")) == 1
    assert_no_stale_name(broken_site, screen)


class Decisions(threading.Thread):
    """Sends decisions as a worker does: each again until the ledger has answered, so one may come twice."""

    def __init__(self, site: RunningSite, door: str, number: int) -> None:
        super().__init__(name="decisions", daemon=True)
        with reading(site.sessions) as session:
            employee_id = session.scalars(select(Employee.id).where(Employee.code == "C1")).one()
        began_ms = now_ms() - (number + 1) * (GAP_S + 1) * 1_000
        self.site, self.door = site, door
        self.waiting = [
            Decision(
                event_id=new_id(), kiosk=door, presence=new_id(), outcome=Outcome.ACCEPTED, employee_id=employee_id,
                captured_ms=began_ms + n * (GAP_S + 1) * 1_000, distance=5.0, threshold=8.5, good_frames=3,
                model_id="test", worker="test",
            )
            for n in range(number)
        ]  # fmt: skip
        self.ids = {decision.event_id for decision in self.waiting}
        self.sent = 0

    def run(self) -> None:
        ledger = self.site.client("ledger")
        while self.waiting:
            try:
                ledger.xadd(keys.decisions(SHARD), as_any(self.waiting[0].to_fields()))
            except (*FAILURES, redis.exceptions.RedisError):
                time.sleep(0.05)
                continue
            self.waiting.pop(0)
            self.sent += 1
            time.sleep(PAUSE_S)
        ledger.close()

    def recorded(self) -> int:
        query = select(func.count()).select_from(DecisionRecord).where(DecisionRecord.kiosk == self.door)
        with reading(self.site.sessions) as session:
            return session.scalar(query) or 0

    def assert_each_recorded_once(self, ledger: Client) -> None:
        def drained() -> bool:
            try:
                return not self.waiting and ledger.xlen(keys.decisions(SHARD)) == 0
            except FAILURES:
                return False

        wait_for(drained, 40, f"the ledger is empty: {self.recorded()} of {len(self.ids)} recorded")
        with reading(self.site.sessions) as session:
            records = session.scalars(select(DecisionRecord.event_id).where(DecisionRecord.kiosk == self.door)).all()
            punches = session.scalars(select(AttendanceEvent.event_id).where(AttendanceEvent.kiosk == self.door)).all()
        assert len(records) == len(punches) == len(self.ids)
        assert set(records) == set(punches) == self.ids
        assert ledger.xlen(keys.dead(SHARD)) == 0


def test_the_recorder_is_killed_between_decisions(broken_site: RunningSite) -> None:
    decisions, ledger = Decisions(broken_site, "recorder-door", 400), broken_site.client("ledger")
    decisions.start()
    for part in (40, 150):
        wait_for(lambda part=part: decisions.recorded() >= part, 30, f"{part} are recorded")  # type: ignore[misc]
        broken_site.kill("recorder")
        assert decisions.recorded() < len(decisions.ids), "it was killed too late to prove anything"
    decisions.assert_each_recorded_once(ledger)
    ledger.close()


def test_the_ledger_is_killed_between_decisions(broken_site: RunningSite, screen: ScreenLog) -> None:
    decisions, ledger = Decisions(broken_site, "ledger-door", 300), broken_site.client("ledger")
    decisions.start()
    wait_for(lambda: decisions.sent >= 60, 30, "60 are sent")
    broken_site.kill("ledger")
    assert decisions.sent < len(decisions.ids), "it was killed too late to prove anything"
    broken_site.stage.enter(STRANGER)
    decisions.assert_each_recorded_once(ledger)
    ledger.close()
    assert "the ledger Redis ended; starting it again" in broken_site.hear()
    shown(screen, STRANGER, 30)
    wait_for(lambda: len(events_of(broken_site, "C2")) == 1, 10, "that person has one punch")
    assert_no_stale_name(broken_site, screen)


def test_the_launcher_is_killed_and_leaves_nothing_running(broken_site: RunningSite) -> None:
    assert broken_site.up is not None
    names = ("live", "ledger", "worker", "recorder", "dashboard", "kiosk")
    wait_for(lambda: all(broken_site.pid(name) for name in names), 20, "everything runs")
    family = set(descendants(broken_site.up.pid))
    assert len(family) >= len(names) + 1, "gunicorn has a worker of its own"
    broken_site.up.kill()
    broken_site.up.wait()
    wait_for(lambda: not alive(family), 20, f"all children have ended: {alive(family)}")
    broken_site.assert_nothing_runs()
    assert Path(broken_site.home / "attendance.db").exists()
