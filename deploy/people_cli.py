"""`attendance people`: people in and out as tables, and erased, with the same rules as the dashboard's pages."""

from pathlib import Path
from typing import Annotated

import typer

from deploy.errors import clear_errors

app = typer.Typer(help="People as tables, in and out; and erasing one for good.", no_args_is_help=True)


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="CSV or XLSX; the first row holds the titles, see docs/people.md")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="say what it would do, and do nothing")] = False,
) -> None:
    """Add and change people: all rows or none. 1 when a row has a problem."""
    with clear_errors("dashboard"):
        from deploy import people_table as room

        raise typer.Exit(room.import_file(file, dry_run))


@app.command()
def export(
    file: Annotated[Path, typer.Argument(help="where to write it: a name that ends in .csv or .xlsx")],
) -> None:
    """Write everybody into a file that the import reads again."""
    with clear_errors("dashboard"):
        from deploy import people_table as room

        raise typer.Exit(room.export_file(file))


@app.command()
def erase(
    code: Annotated[str, typer.Argument(help="of the person, as the dashboard shows it")],
    reason: Annotated[str, typer.Option(help="asked: by the person; left: and the time is over; or mistake")],
    yes: Annotated[bool, typer.Option("--yes", help="don't ask back")] = False,
) -> None:
    """Erase a person for good; punches stay for payroll, without a name (docs/privacy.md). Asks for the code once more."""
    with clear_errors("dashboard"):
        from deploy import people_erase as room

        room.erase(code, reason, yes)


@app.command()
def wipe() -> None:
    """Write an SQLite database anew, so that no gap in its file holds what was erased; others wait meanwhile."""
    with clear_errors("dashboard"):
        from deploy import people_erase as room

        room.wipe()
