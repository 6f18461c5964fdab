"""What a worker's decision becomes: a record, and, where it counts as a punch, an attendance event. One transaction each."""

from dataclasses import dataclass
from typing import Literal, cast
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from dashboard.log import event_pictures
from dashboard.models import AttendanceEvent, DecisionRecord, Employee, Kiosk, Site
from dashboard.planning.plans import day_begins_ms
from dashboard.recording.attendance_rules import (
    KioskDirection,
    day_bounds_ms,
    direction_for,
    is_duplicate,
    local_date,
    local_datetime,
    local_time,
    zone_named,
)
from dashboard.settings import DashboardSettings
from dashboard.webhooks import changes
from worker.protocol.entries import Arrival, BadEntry, Decision, Recorded
from worker.protocol.outcomes import Direction, Outcome

FUTURE_MS = 5_000
"""A capture farther ahead of the server's clock than this has a clock that can't be trusted."""

LONGEST_DAY_MS = 48 * 3_600_000
"""No person's day is longer (dashboard/days/calendar.py)."""

Status = Literal["recorded", "duplicate", "inactive", "not_a_punch"]
OUTCOME_OF: dict[Status, Outcome] = {
    "recorded": Outcome.RECORDED,
    "duplicate": Outcome.DUPLICATE,
    "inactive": Outcome.INACTIVE,
}


@dataclass(frozen=True)
class Result:
    """What the database holds about a decision after its transaction."""

    status: Status
    redelivered: bool
    """The event id was known already: nothing was written."""
    record: DecisionRecord
    event: AttendanceEvent | None
    """The punch; for a duplicate the one it repeats."""
    employee: Employee | None
    direction: Direction
    zone: ZoneInfo
    """The clock at the door."""


def record(session: Session, decision: Decision, received_ms: int, settings: DashboardSettings) -> Result:
    """Write `decision` down in the caller's transaction; `received_ms` is the ledger's time of its entry.

    Raises BadEntry for a decision that contradicts itself. Decisions on one employee follow each other: the employee's
    row is locked on PostgreSQL, and on SQLite the transaction has the database to itself.
    """
    if decision.outcome is Outcome.ACCEPTED and decision.employee_id is None:
        raise BadEntry("employee_id: missing, but the outcome is accepted")
    known = session.get(DecisionRecord, decision.event_id)
    if known is not None:
        return _as_stored(session, known, settings)
    kiosk = session.get(Kiosk, decision.kiosk)
    if kiosk is None:
        kiosk = Kiosk(name=decision.kiosk, label="", direction="alternate")
        session.add(kiosk)
    zone = _zone(session, kiosk, settings)
    row = _row(decision, received_ms)
    session.add(row)
    if decision.outcome is not Outcome.ACCEPTED or decision.employee_id is None:
        return Result("not_a_punch", False, row, None, None, direction_for(_setting(kiosk), None), zone)

    employee = session.get(Employee, decision.employee_id, with_for_update=True)
    if employee is None or not _is_active(employee, decision.captured_ms):
        row.status = "inactive"
        return Result("inactive", False, row, None, employee, direction_for(_setting(kiosk), None), zone)
    earlier = _same_presence(session, decision, settings.presence_gap_s)
    if earlier is not None:
        row.status, row.duplicate_of = "duplicate", earlier.event_id
        return Result("duplicate", False, row, earlier, employee, Direction(earlier.direction), zone)
    row.status = "recorded"
    session.flush()  # the event refers to the decision
    last = None
    if kiosk.direction == "alternate":
        last = _last_direction_today(session, employee.id, decision.captured_ms, zone, settings)
    event = AttendanceEvent(
        event_id=decision.event_id,
        employee_id=employee.id,
        kiosk=decision.kiosk,
        captured_ms=decision.captured_ms,
        direction=direction_for(_setting(kiosk), last).value,
        time_zone=zone.key,
    )
    session.add(event)
    event_pictures.keep(session, decision, settings)
    changes.queue_change(session, changes.PUNCH_RECORDED, event.event_id)
    return Result("recorded", False, row, event, employee, Direction(event.direction), zone)


def _row(decision: Decision, received_ms: int) -> DecisionRecord:
    return DecisionRecord(
        event_id=decision.event_id,
        kiosk=decision.kiosk,
        presence=decision.presence,
        outcome=decision.outcome.value,
        status="not_a_punch",
        employee_id=decision.employee_id,
        captured_ms=decision.captured_ms,
        received_ms=received_ms,
        distance=decision.distance,
        threshold=decision.threshold,
        runner_up_distance=decision.runner_up_distance,
        good_frames=decision.good_frames,
        model_id=decision.model_id,
        liveness=decision.liveness.value,
        late=decision.late,
        time_uncertain=decision.time_uncertain or decision.captured_ms > received_ms + FUTURE_MS,
        worker=decision.worker,
    )


def _as_stored(session: Session, row: DecisionRecord, settings: DashboardSettings) -> Result:
    event = session.get(AttendanceEvent, row.duplicate_of or row.event_id)
    employee = session.get(Employee, row.employee_id) if row.employee_id else None
    kiosk = session.get_one(Kiosk, row.kiosk)
    direction = Direction(event.direction) if event else direction_for(_setting(kiosk), None)
    return Result(cast(Status, row.status), True, row, event, employee, direction, _zone(session, kiosk, settings))


def _setting(kiosk: Kiosk) -> KioskDirection:
    return cast(KioskDirection, kiosk.direction)


def _zone(session: Session, kiosk: Kiosk, settings: DashboardSettings) -> ZoneInfo:
    """That of the kiosk's site; the settings' where none is chosen, or this machine doesn't know it."""
    site = session.get(Site, kiosk.site_id) if kiosk.site_id is not None else None
    return zone_named(site.time_zone if site is not None else None, settings.zone)


def _is_active(employee: Employee, captured_ms: int) -> bool:
    """Of somebody erased nothing is a punch any more, whenever it was captured: it would bring a face crop back."""
    if employee.erased_ms is not None:
        return False
    return employee.deactivated_ms is None or captured_ms < employee.deactivated_ms


def _same_presence(session: Session, decision: Decision, gap_s: float) -> AttendanceEvent | None:
    """The punch of the presence that this decision goes on with.

    That is the punch of the decision that it repeats, else of the nearest one on this employee at this kiosk within the
    gap, before or after. That may itself be a repetition: somebody who stays longer than the gap is decided on again and
    again, and is one punch.
    """
    named = session.get(DecisionRecord, decision.repeats) if decision.repeats is not None else None
    if named is not None and named.employee_id == decision.employee_id and named.kiosk == decision.kiosk:
        return session.get(AttendanceEvent, named.duplicate_of or named.event_id)
    reach_ms = round(gap_s * 1000) + 1
    near = session.scalars(
        select(DecisionRecord)
        .where(
            DecisionRecord.employee_id == decision.employee_id,
            DecisionRecord.kiosk == decision.kiosk,
            DecisionRecord.status.in_(("recorded", "duplicate")),
            DecisionRecord.event_id != decision.event_id,
            DecisionRecord.captured_ms.between(decision.captured_ms - reach_ms, decision.captured_ms + reach_ms),
        )
        .order_by(func.abs(DecisionRecord.captured_ms - decision.captured_ms), DecisionRecord.captured_ms)
    )
    before = next((one for one in near if is_duplicate(decision.captured_ms, one.captured_ms, gap_s)), None)
    return session.get(AttendanceEvent, before.duplicate_of or before.event_id) if before is not None else None


def _last_direction_today(
    session: Session, employee_id: str, captured_ms: int, zone: ZoneInfo, settings: DashboardSettings
) -> Direction | None:
    """Of the employee's last punch before this one at any door, in the same day of theirs; a night shift's has two dates.

    Only an in makes a difference, so only then it is asked where the day began.
    """
    last = session.execute(
        select(AttendanceEvent.direction, AttendanceEvent.captured_ms)
        .where(
            AttendanceEvent.employee_id == employee_id,
            AttendanceEvent.captured_ms >= captured_ms - LONGEST_DAY_MS,
            AttendanceEvent.captured_ms < captured_ms,
        )
        .order_by(AttendanceEvent.captured_ms.desc())
        .limit(1)
    ).first()
    if last is None or last.direction != Direction.IN:
        return Direction.OUT if last else None
    try:
        begins_ms = day_begins_ms(session, employee_id, captured_ms, settings.zone)
    except ValueError:  # rules that a newer version wrote: a punch must be kept all the same
        begins_ms, _ = day_bounds_ms(local_date(captured_ms, zone), zone)
    return Direction.IN if last.captured_ms >= begins_ms else None


def recorded_for(result: Result) -> Recorded | None:
    """What the kiosk is told; None for what isn't a punch. A duplicate names the time and direction of the first."""
    if result.status == "not_a_punch" or result.record.employee_id is None:
        return None
    captured_ms = result.event.captured_ms if result.event else result.record.captured_ms
    return Recorded(
        event_id=result.event.event_id if result.event else result.record.event_id,
        decision_id=result.record.event_id,
        outcome=OUTCOME_OF[result.status],
        employee_id=result.record.employee_id,
        name=result.employee.name if result.employee else "",
        direction=result.direction,
        captured_ms=captured_ms,
        local_time=local_time(captured_ms, result.zone),
        local_date=local_date(captured_ms, result.zone).isoformat(),
    )


def arrival_for(result: Result) -> Arrival:
    """What the live board shows; nobody is named whom the system didn't recognise."""
    row, who = result.record, result.employee
    local = local_datetime(row.captured_ms, result.zone)
    return Arrival(
        event_id=row.event_id,
        outcome=OUTCOME_OF.get(result.status, Outcome(row.outcome)),
        kiosk=row.kiosk,
        captured_ms=row.captured_ms,
        local_time=f"{local:%H:%M}",
        local_date=local.date().isoformat(),
        employee_id=who.id if who else None,
        code=who.code if who else None,
        name=who.name if who else None,
        department=who.department if who else None,
        direction=result.direction if result.event else None,
    )
