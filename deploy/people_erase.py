"""Erasing a person from a shell: the dashboard's own rules, and the code asked for once more."""

import typer

from dashboard import wiping
from dashboard.database import reading
from dashboard.people import employees, erasing
from dashboard.settings import DashboardSettings
from deploy.errors import Problem, settings_from
from deploy.operator import plain
from deploy.site_database import site_database

BY = "attendance people erase"


def erase(code: str, reason: str, yes: bool) -> None:
    """Raises Problem where there is nobody of that code, where it isn't typed again, and where the rules refuse it."""
    if reason not in erasing.REASONS:
        raise Problem(f"--reason {plain(reason, 40)!r}: use one of {', '.join(erasing.REASONS)}")
    with site_database() as sessions:
        with reading(sessions) as session:
            person = employees.find_by_code(session, code)
        if person is None:
            raise Problem(f"nobody has the code {plain(code, 64)!r} (any more)")
        if not yes:
            print(f"{plain(person.name)} ({plain(person.code)}) is erased for good: nothing brings them back.")
            code = typer.prompt("Type the code once more", default="", show_default=False)
        try:
            settings: DashboardSettings = settings_from(DashboardSettings)
            name, wiped = erasing.erase_for_good(sessions, settings, person.id, code, reason, by=BY)
        except (erasing.ErasingError, employees.EmployeeError) as error:
            raise Problem(plain(error, 400)) from None
    print(f"erased; the records are those of {name!r} now")
    if not wiped:
        print("free pages of the database's file may still hold traces: run `attendance people wipe` in a quiet moment")


def wipe() -> None:
    """Raises Problem where something is left."""
    with site_database() as sessions:
        if not wiping.wipe(sessions, however_large=True):
            raise Problem("somebody works on the database, or its disk is full: try again in a quiet moment")
    print("done: nothing of what was erased is left in the file of an SQLite database")
