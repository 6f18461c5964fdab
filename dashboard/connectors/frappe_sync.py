"""Pushes punches to Frappe HR one by one, and tells it until when it has all of them.

Each punch is a row that says whether it is there, so a stop at any place costs at most one that is sent twice, which Frappe
refuses as a duplicate. People whom Frappe doesn't know are put aside for HR and hold up nobody.
"""

import logging
from collections.abc import Callable, Sequence

from sqlalchemy import exists, select, update
from sqlalchemy.orm import Session

from dashboard.auditing import audit
from dashboard.auditing.audit_actions import Action
from dashboard.connectors.frappe import Frappe, Punch, State, Trouble
from dashboard.connectors.settings import FrappeSettings
from dashboard.database import SessionFactory, now_ms, reading
from dashboard.models import AttendanceEvent, Connector, Employee, Push
from dashboard.recording.attendance_rules import local_datetime
from dashboard.settings import DashboardSettings
from dashboard.web import words
from dashboard.webhooks import changes
from dashboard.webhooks.deliveries import pause_ms

log = logging.getLogger(__name__)

NAME = "frappe"
BATCH = 200
PUT_ASIDE: tuple[State, ...] = ("unknown_employee", "inactive_employee", "refused")
SUBJECT = audit.Subject("connector", NAME)
Settled = Callable[[], int | None]


def connect(session: Session, since_ms: int, now: int, actor: audit.Actor = audit.COMMAND) -> int:
    """Connect, and queue every punch captured since then that isn't queued; returns how many. In the caller's transaction."""
    if session.get(Connector, NAME) is None:
        session.add(Connector(name=NAME, connected_ms=now))
        session.flush()
    known = select(Push.event_id).where(Push.connector == NAME)
    missing = (
        select(AttendanceEvent.event_id)
        .where(AttendanceEvent.captured_ms >= since_ms, AttendanceEvent.event_id.not_in(known))
        .order_by(AttendanceEvent.captured_ms, AttendanceEvent.event_id)
    )
    found = list(session.scalars(missing))
    session.add_all(Push(connector=NAME, event_id=event_id, changed_ms=now) for event_id in found)
    audit.add(session, actor, Action.FRAPPE_CONNECTED, SUBJECT, after={"since_ms": since_ms, "punches": len(found)})
    return len(found)


def retry(session: Session, states: Sequence[str] = PUT_ASIDE, actor: audit.Actor = audit.COMMAND) -> int:
    """Try again what was put aside; returns how many. In the caller's transaction."""
    rows = (
        update(Push).where(Push.connector == NAME, Push.state.in_(states)).values(state="pending", changed_ms=now_ms())
    )
    done = session.execute(rows, execution_options={"synchronize_session": False})
    number = int(done.rowcount)  # type: ignore[attr-defined]
    if number:
        audit.add(session, actor, Action.FRAPPE_RETRIED, SUBJECT, after={"punches": number})
    return number


def remove(session: Session, actor: audit.Actor = audit.COMMAND) -> None:
    """Push nothing any more, and forget what was pushed. In the caller's transaction."""
    session.delete(session.get_one(Connector, NAME))
    audit.add(session, actor, Action.FRAPPE_REMOVED, SUBJECT)


class FrappeSync:
    """Call `step` in a loop. `settled` says until when all punches are in the database."""

    def __init__(
        self, factory: SessionFactory, site: DashboardSettings, settings: FrappeSettings, settled: Settled
    ) -> None:
        self.factory, self.site, self.settings, self.settled = factory, site, settings, settled
        self.frappe = Frappe(settings)

    def step(self) -> int:
        """Push what waits, then tell Frappe how far it is; returns how many punches were settled."""
        with reading(self.factory) as session:
            connector = session.get(Connector, NAME)
        if connector is None or self.settings.missing() or connector.next_try_ms > now_ms():
            return 0
        try:
            settled_ms = self.settled()  # before looking for what waits: what comes later is not covered by it
            pushed = self._push()
            if settled_ms is not None and self._is_complete():
                self._tell(connector, settled_ms)
        except Trouble as error:
            self._wait(str(error), error.retry_after_s)
            return 0
        if connector.failures:
            self._write(failures=0, trouble="", next_try_ms=0)
            log.info("frappe: goes on")
        return pushed

    def _push(self) -> int:
        with reading(self.factory) as session:
            rows = session.execute(
                select(Push.id, AttendanceEvent, Employee.code)
                .join(AttendanceEvent, AttendanceEvent.event_id == Push.event_id)
                .join(Employee, Employee.id == AttendanceEvent.employee_id)
                .where(Push.connector == NAME, Push.state == "pending")
                .order_by(Push.id)
                .limit(BATCH)
            ).all()
        for push_id, event, code in rows:
            local = words.local(event.captured_ms, event.time_zone, self.site.zone).replace(tzinfo=None)
            state, said = self.frappe.add(Punch(code, local, event.kiosk, event.direction))
            with self.factory.begin() as session:
                person = select(Employee.erased_ms).where(Employee.id == event.employee_id)
                kept = "" if session.scalar(person) is not None else said[:500]  # it may name who was erased meanwhile
                values = {"state": state, "words": kept, "changed_ms": now_ms()}
                session.execute(update(Push).where(Push.id == push_id).values(**values))
            if state != "done":
                log.warning("frappe: event %s put aside: %s", event.event_id, state)
        return len(rows)

    def _is_complete(self) -> bool:
        """Nothing waits and nothing was refused for a reason that somebody must look at."""
        open_ = exists().where(Push.connector == NAME, Push.state.in_(("pending", "refused")))
        with reading(self.factory) as session:
            return not changes.waiting(session) and not session.scalar(select(open_))

    def _tell(self, connector: Connector, settled_ms: int) -> None:
        told = connector.synced_until_ms or 0
        if not self.settings.shift_types or settled_ms < told + self.settings.sync_every_s * 1000:
            return
        local = local_datetime(settled_ms, self.site.zone).replace(tzinfo=None)
        for name in self.settings.shift_types:
            self.frappe.set_last_sync(name, local)
        self._write(synced_until_ms=settled_ms)
        log.info("frappe: told that all punches until %s are there", local.isoformat(sep=" ", timespec="seconds"))

    def _wait(self, trouble: str, retry_after_s: int | None) -> None:
        with self.factory.begin() as session:
            connector = session.get(Connector, NAME, with_for_update=True)
            if connector is None:
                return
            if not connector.failures:
                log.warning("frappe: %s; punches wait", trouble)
            connector.next_try_ms = now_ms() + min(pause_ms(connector.failures, retry_after_s), 900_000)
            connector.failures += 1
            connector.trouble = trouble[:500]

    def _write(self, **values: object) -> None:
        with self.factory.begin() as session:
            session.execute(update(Connector).where(Connector.name == NAME).values(**values))
