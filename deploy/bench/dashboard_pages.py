"""The pages that are measured: each with a name, and its address for what is in the database."""

from datetime import date, timedelta
from urllib.parse import urlencode

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from dashboard.models import DecisionRecord, Employee, Kiosk
from dashboard.recording.attendance_rules import local_date
from dashboard.web.cursors import pack
from deploy.bench.dashboard_data import ZONE


def _at(path: str, **query: str) -> str:
    return f"{path}?{urlencode(query)}" if query else path


def _crowded(session: Session) -> list[str]:
    """Departments, the largest first."""
    people = (
        select(Employee.department).group_by(Employee.department).order_by(func.count().desc(), Employee.department)
    )
    return [name for name in session.scalars(people) if name]


def _about(session: Session, people: int) -> str:
    """The department whose size is nearest to `people`."""
    sizes = session.execute(select(Employee.department, func.count()).group_by(Employee.department)).all()
    return min(sizes, key=lambda row: (abs(row[1] - people), row[0]))[0]


def _edges(session: Session) -> tuple[int, int]:
    oldest = session.scalar(select(func.min(DecisionRecord.captured_ms))) or 0
    return oldest, session.scalar(select(func.max(DecisionRecord.captured_ms))) or 0


def month(session: Session) -> tuple[date, date]:
    """First and last day of the last whole month."""
    last = local_date(_edges(session)[1], ZONE).replace(day=1) - timedelta(days=1)
    return last.replace(day=1), last


def pages(session: Session) -> dict[str, str]:
    """Name → address."""
    oldest, newest = _edges(session)
    departments = _crowded(session)
    somebody = session.scalars(
        select(Employee).where(Employee.deactivated_ms.is_(None)).order_by(Employee.code)
    ).first()
    kiosk = session.scalars(select(Kiosk.name).order_by(Kiosk.name)).first() or ""
    assert somebody is not None, "nobody is in the database"
    day = local_date(newest - 5 * 86_400_000, ZONE).isoformat()
    deep = pack(((oldest + newest) // 2, "0"))
    name = somebody.name.split()[0]
    first, last = month(session)
    days = {"from": first.isoformat(), "to": last.isoformat()}
    return {
        "live board": "/live",
        "log": "/attendance",
        "log, deep page": _at("/attendance", after=deep),
        "log, everything": _at("/attendance", kind="all"),
        "log, deactivated people": _at("/attendance", kind="inactive"),
        "log, one person": _at("/attendance", person=somebody.code),
        "log, one person, deep page": _at("/attendance", person=somebody.code, after=deep),
        "log, a common first name": _at("/attendance", person=name),
        "log, largest department": _at("/attendance", department=departments[0]),
        "log, smallest department": _at("/attendance", department=departments[-1]),
        "log, kiosk and day": _at("/attendance", kiosk=kiosk, **{"from": day, "to": day}),
        "log, kiosk, everything": _at("/attendance", kiosk=kiosk, kind="all"),
        "people": "/people",
        "people, deep page": _at("/people", after=pack((somebody.name_key, somebody.id))),
        "people, searched": _at("/people", q=somebody.name.lower()),
        "people, a department": _at("/people", department=departments[0], sort="created"),
        "people, without pictures": _at("/people", state="no_pictures"),
        "people, to re-enrol": _at("/people", state="old_pictures", months="18"),
        "departments": "/people/departments",
        "months, a department": _at("/months", department=departments[0], month=day[:7]),
        "week, a department": _at("/week", department=departments[0], day=day),
        "day, a department": _at("/day", department=departments[0], day=day),
        "charts, a month of 200 people": _at("/charts", department=_about(session, 200), **days),
        "a person": f"/people/{somebody.id}",
    }


def exports(session: Session) -> dict[str, str]:
    """Name → address of the files; the first holds everybody's month."""
    first, last = month(session)
    days = {"from": first.isoformat(), "to": last.isoformat()}
    return {
        "a month of everybody, CSV": _at("/attendance.csv", **days),
        "a month of a department, XLSX": _at("/attendance.xlsx", department=_crowded(session)[-1], **days),
        "people, CSV": "/people.csv",
        "people, XLSX": "/people.xlsx",
    }
