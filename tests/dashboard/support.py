"""What several tests of the dashboard need."""

import time
from collections.abc import Callable
from datetime import date

from sqlalchemy.orm import Session

from dashboard.days.policy import weekly
from dashboard.planning.patterns import assign, save_pattern
from tests.dashboard.days.sheet import OFFICE


def until(done: Callable[[], bool], seconds: float = 20) -> None:
    """Poll `done` until it is true; an AssertionError after `seconds`."""
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.01)


def dock_in_office_hours(session: Session) -> None:
    """The department “Dock” works OFFICE from Monday to Friday, from 2026 on."""
    version = save_pattern(session, "Office", weekly(OFFICE), date(2026, 1, 1), by="hr", now_ms=1)
    assign(session, date(2026, 1, 1), department="Dock", pattern_id=version.pattern_id, by="hr", now_ms=1)
