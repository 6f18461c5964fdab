"""Reading and writing people's tables on the command line: the dashboard's own functions, and words for a terminal."""

import os
import shutil
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from dashboard.auditing import audit
from dashboard.auditing.audit_actions import Action
from dashboard.database import SessionFactory, now_ms, reading
from dashboard.people import people_export, people_import, people_import_apply, people_list
from dashboard.people.people_list import PeopleFilter
from dashboard.settings import DashboardSettings
from dashboard.tables import csv_export, table_reader, xlsx_export
from dashboard.tables.tables import BadTable
from deploy.errors import Problem, settings_from
from deploy.operator import plain
from deploy.site_database import site_database

BY = "attendance people import"
SHOWN = 200
"""Lines of a report on the terminal."""


def import_file(path: Path, dry_run: bool) -> int:
    """0 when done (or, dry, when it could be); 1 when a row has a problem. Raises Problem for a file that is no table."""
    if not path.is_file():
        raise Problem(f"{path}: there is no such file")
    with site_database() as sessions:
        try:
            with reading(sessions) if dry_run else sessions.begin() as session:
                plan = people_import.plan(session, table_reader.read(path))
                ready = plan.applicable and not dry_run
                if ready:
                    people_import_apply.apply(session, plan.digest, plan, BY, now_ms())
        except (BadTable, OSError) as error:
            raise Problem(f"{path}: {error}") from None
    _show(plan)
    counts = ", ".join(f"{plan.count(kind):,} {kind}" for kind in ("new", "changed", "unchanged"))
    if plan.count("problem"):
        print(f"Nothing was imported: {plan.count('problem'):,} rows have a problem. Otherwise: {counts}.")
        return 1
    print(f"{'Imported' if ready else 'It would do' if dry_run else 'Nothing to do'}: {counts}.")
    return 0


def _show(plan: people_import.Plan) -> None:
    """Problems alone while there are any, else what changes."""
    console = Console(highlight=False)
    print(f"Read as {plan.how}." + (f" Not read: {', '.join(plan.unread)}." if plan.unread else ""))
    kinds = ("problem",) if plan.count("problem") else ("new", "changed")
    lines = list(people_import.report([row for row in plan.rows if row.kind in kinds]))
    table = Table(*lines[0])
    for line in lines[1 : SHOWN + 1]:
        table.add_row(*(escape(plain(text, 60)) for text in line))
    if len(lines) > 1:
        console.print(table)
    if len(lines) > SHOWN + 1:
        print(f"… and {len(lines) - 1 - SHOWN:,} more lines")


def export_file(path: Path) -> int:
    """Everybody, by name; the file appears when it is whole, and the audit trail tells of it. Raises Problem."""
    if path.suffix.lower() not in (".csv", ".xlsx"):
        raise Problem(f"{path}: the name must end in .csv or .xlsx")
    zone = settings_from(DashboardSettings).zone
    draft = path.with_name(f".{path.name}-{os.getpid()}")
    try:
        with site_database() as sessions:
            with sessions.begin() as session:
                told = {"format": path.suffix.lower()[1:]}
                audit.add(session, audit.COMMAND, Action.PEOPLE_EXPORTED, after=told)
            _write(sessions, draft, path.suffix.lower(), zone)
            draft.replace(path)
    except (OSError, xlsx_export.TooManyRows) as error:
        raise Problem(f"{path}: {error}") from None
    finally:
        draft.unlink(missing_ok=True)
    print(f"{path}: everybody is written")
    return 0


def _write(sessions: SessionFactory, draft: Path, suffix: str, zone: ZoneInfo) -> None:
    with reading(sessions) as session:
        rows = people_list.everybody(session, PeopleFilter(), datetime.now(zone))
        if suffix == ".csv":
            with draft.open("w", encoding="utf-8", newline="") as file:
                file.writelines(csv_export.lines(people_export.texts(rows, zone)))
        else:
            values = (people_export.values(row, zone) for row in rows)
            with xlsx_export.write("People", people_export.COLUMNS, values) as book, draft.open("wb") as file:
                shutil.copyfileobj(book, file)
