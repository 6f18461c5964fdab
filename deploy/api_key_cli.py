"""`attendance api-key`: keys that payroll and HR systems use the API with."""

import getpass
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from deploy.errors import Problem, clear_errors
from deploy.operator import plain
from deploy.site_database import site_database
from deploy.times import utc_words

app = typer.Typer(
    help="Keys that payroll and HR systems use the API with. Each is shown once, when it is made.", no_args_is_help=True
)


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="whom it is for, such as payroll")],
    scope: Annotated[list[str], typer.Option(help="what it may do, such as events:read; repeat it")],
    expires: Annotated[
        int | None, typer.Option(min=1, max=3650, help="days until it opens nothing; unset: never")
    ] = None,
) -> None:
    """Make a key and show it, this once."""
    with clear_errors("dashboard"), site_database() as sessions:
        from dashboard.api import keys
        from dashboard.database import now_ms

        try:
            with sessions.begin() as session:
                key, text = keys.create(
                    session, name, scope, days=expires, by=f"{getpass.getuser()}@cli", now_ms=now_ms()
                )
        except keys.KeyProblem as error:
            raise Problem(plain(error, 500)) from None
        typer.echo(f"key {key.id} for {key.name}: {key.scopes}; shown this once", err=True)
        typer.echo(text)


@app.command("list")
def list_all() -> None:
    """Every key there ever was, without its secret."""
    with clear_errors("dashboard"), site_database() as sessions:
        from dashboard.api import keys
        from dashboard.database import now_ms, reading

        with reading(sessions) as session:
            found = keys.all_keys(session)
        table = Table("key", "for", "may", "made (UTC)", "last used", "state", title=f"{len(found)} keys")
        for key in found:
            expires = f"until {utc_words(key.expires_ms)}" if key.expires_ms else "in force"
            state = "revoked" if key.revoked_ms else expires if keys.in_force(key, now_ms()) else "expired"
            row = (key.id, key.name, key.scopes, utc_words(key.created_ms), utc_words(key.last_used_ms), state)
            table.add_row(*(escape(plain(cell)) for cell in row))
        Console().print(table)


@app.command()
def revoke(key: Annotated[str, typer.Argument(help="as `attendance api-key list` shows it")]) -> None:
    """From now on the key opens nothing."""
    with clear_errors("dashboard"), site_database() as sessions:
        from dashboard.api import keys
        from dashboard.database import now_ms

        try:
            with sessions.begin() as session:
                revoked = keys.revoke(session, key, now_ms())
        except keys.KeyProblem as error:
            raise Problem(plain(error, 500)) from None
        typer.echo(f"key {revoked.id} for {plain(revoked.name)} is revoked")
