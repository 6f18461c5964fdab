"""`attendance connect`: other HR products that punches are pushed to."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from deploy.errors import Problem, clear_errors, settings_from
from deploy.operator import plain
from deploy.site_database import site_database
from deploy.times import utc_words

app = typer.Typer(
    help="HR products that punches are pushed to; `attendance webhooks deliver` does the pushing.", no_args_is_help=True
)
SHOWN = 200


@contextmanager
def _connected() -> Iterator[Any]:
    """Sessions of a site that is connected to Frappe; raises Problem otherwise."""
    with clear_errors("dashboard"), site_database() as sessions:
        from dashboard.connectors.frappe_sync import NAME
        from dashboard.database import reading
        from dashboard.models import Connector

        with reading(sessions) as session:
            if session.get(Connector, NAME) is None:
                raise Problem("Frappe HR is not connected: `attendance connect frappe` does it")
        yield sessions


@app.command()
def frappe(
    since: Annotated[
        str | None, typer.Option(help="push punches from this day on, such as 2026-11-01; unset: from now on")
    ] = None,
) -> None:
    """Check address, key and Shift Types of Frappe HR (ATTENDANCE_FRAPPE_…), and push punches there from now on."""
    with clear_errors("dashboard"):
        from dashboard.connectors import frappe_sync
        from dashboard.connectors.frappe import Frappe, Trouble
        from dashboard.connectors.settings import FrappeSettings
        from dashboard.database import now_ms
        from dashboard.recording.attendance_rules import day_bounds_ms
        from dashboard.settings import DashboardSettings

        settings: FrappeSettings = settings_from(FrappeSettings)
        if settings.missing():
            raise Problem(f"set {', '.join(settings.missing())}")
        site: DashboardSettings = settings_from(DashboardSettings)
        now = now_ms()
        since_ms = day_bounds_ms(_day(since), site.zone)[0] if since else now
        try:
            user = Frappe(settings).who_am_i()
            for name in settings.shift_types:
                Frappe(settings).require_shift_type(name)
        except Trouble as error:
            raise Problem(plain(error, 500)) from None
        with site_database() as sessions, sessions.begin() as session:
            queued = frappe_sync.connect(session, since_ms, now)
        typer.echo(f"connected to {settings.site} as {plain(user)}; {queued} earlier punches wait to be pushed")
        if not settings.shift_types:
            typer.echo("ATTENDANCE_FRAPPE_SHIFT_TYPES is empty: set Last Sync of Checkin in Frappe yourself")


@app.command()
def status() -> None:
    """How far Frappe HR is, and what holds it up."""
    with _connected() as sessions:
        from sqlalchemy import func, select

        from dashboard.connectors.frappe_sync import NAME
        from dashboard.database import reading
        from dashboard.models import Connector, Push

        with reading(sessions) as session:
            connector = session.get_one(Connector, NAME)
            rows = select(Push.state, func.count()).where(Push.connector == NAME).group_by(Push.state)
            counts = dict(session.execute(rows).all())
        typer.echo(f"connected        {utc_words(connector.connected_ms)} UTC")
        typer.echo(f"told it is whole until {utc_words(connector.synced_until_ms)} UTC")
        for state in ("pending", "done", "unknown_employee", "inactive_employee", "refused"):
            typer.echo(f"{state:<18} {counts.get(state, 0)}")
        if connector.trouble:
            typer.echo(f"trouble: {plain(connector.trouble, 500)}")


@app.command()
def problems() -> None:
    """Punches that were put aside: employees that Frappe doesn't know or has inactive, and what it refused."""
    with _connected() as sessions:
        from sqlalchemy import select

        from dashboard.connectors.frappe_sync import NAME, PUT_ASIDE
        from dashboard.database import reading
        from dashboard.models import AttendanceEvent, Employee, Push

        rows = (
            select(Employee.code, Push.state, AttendanceEvent.captured_ms, AttendanceEvent.kiosk, Push.words)
            .join(AttendanceEvent, AttendanceEvent.event_id == Push.event_id)
            .join(Employee, Employee.id == AttendanceEvent.employee_id)
            .where(Push.connector == NAME, Push.state.in_(PUT_ASIDE))
            .order_by(Employee.code, AttendanceEvent.captured_ms)
            .limit(SHOWN)
        )
        with reading(sessions) as session:
            found = session.execute(rows).all()
        table = Table(
            "code", "why", "captured (UTC)", "kiosk", "words", title=f"{len(found)} put aside (at most {SHOWN})"
        )
        for code, state, captured_ms, kiosk, said in found:
            row = (code, state.replace("_", " "), utc_words(captured_ms), kiosk, said)
            table.add_row(*(escape(plain(cell)) for cell in row))
        Console().print(table)


@app.command()
def retry() -> None:
    """Push again what was put aside, once its cause is gone."""
    with _connected() as sessions:
        from dashboard.connectors import frappe_sync

        with sessions.begin() as session:
            number = frappe_sync.retry(session)
        typer.echo(f"{number} are pushed again")


@app.command()
def remove() -> None:
    """Push nothing any more, and forget what was pushed. In Frappe everything stays."""
    with _connected() as sessions:
        from dashboard.connectors import frappe_sync

        with sessions.begin() as session:
            frappe_sync.remove(session)
        typer.echo("Frappe HR is no longer connected")


def _day(text: str) -> date:
    try:
        return datetime.strptime(text, "%Y-%m-%d").date()
    except ValueError:
        raise Problem(f"--since {text[:40]!r}: write the day as 2026-11-01") from None
