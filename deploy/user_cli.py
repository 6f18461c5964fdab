"""`attendance user`: accounts of the dashboard from a shell, for when nobody can log in to look after them any more."""

import json as to_json
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from deploy.errors import Problem, clear_errors
from deploy.operator import plain
from deploy.site_database import site_database

app = typer.Typer(help="Accounts of the dashboard: who may log in, as what.", no_args_is_help=True)
Name = Annotated[str, typer.Argument(help="as it is typed to log in")]
Roles = Annotated[
    list[str], typer.Option("--role", help="employee, supervisor, hr, operator or auditor; repeat it for more")
]
Departments = Annotated[
    list[str] | None, typer.Option("--department", help="one that a supervisor looks after; repeat it for more")
]
Code = Annotated[str, typer.Option("--person", help="code of the person that it belongs to")]


@app.command("list")
def list_all(json: Annotated[bool, typer.Option("--json", help="print JSON")] = False) -> None:
    """All accounts, by name."""
    with clear_errors("dashboard"), site_database() as factory:
        from sqlalchemy import select

        from dashboard.access import account_rights, second_factor
        from dashboard.database import reading
        from dashboard.models import User

        with reading(factory) as session:
            found: list[dict[str, Any]] = [
                {
                    "name": user.name,
                    **account_rights.read(session, user).shown(),
                    "second_factor": second_factor.is_on(session, user.id),
                    "disabled": user.disabled_ms is not None,
                }
                for user in session.scalars(select(User).order_by(User.name))
            ]
    if json:
        print(to_json.dumps(found))
        return
    table = Table("name", "roles", "departments", "person", "second factor", "state", title=f"{len(found)} accounts")
    for one in found:
        table.add_row(
            escape(plain(one["name"])),
            one["roles"],
            escape(plain(", ".join(one["departments"]))),
            escape(plain(one["person"])),
            "on" if one["second_factor"] else "off",
            "disabled" if one["disabled"] else "active",
        )
    Console().print(table)


@app.command()
def add(name: Name, role: Roles, department: Departments = None, person: Code = "") -> None:
    """Make an account; prints its one-time password."""
    with clear_errors("dashboard"), site_database() as factory:
        from dashboard.access import account_rights, accounts
        from dashboard.auditing import audit
        from dashboard.auditing.audit_actions import Action

        try:
            with factory.begin() as session:
                wanted = account_rights.parse(role, department or [], person)
                password = accounts.create_user(session, name, wanted.roles)
                user = accounts.named(session, name.strip())
                account_rights.change(session, user, wanted)
                told = account_rights.noted(session, wanted)
                audit.add(session, audit.COMMAND, Action.ACCOUNT_CREATED, audit.account(user), after=told)
        except accounts.AccountError as error:
            raise Problem(str(error)) from None
    print(f"{plain(name)}: log in with the one-time password {password}")


@app.command()
def change(name: Name, role: Roles, department: Departments = None, person: Code = "") -> None:
    """Give an account these roles, departments and person instead of those it has."""
    with clear_errors("dashboard"), site_database() as factory:
        from dashboard.access import account_rights, accounts
        from dashboard.auditing import audit
        from dashboard.auditing.audit_actions import Action

        try:
            with factory.begin() as session:
                user = accounts.named(session, name)
                before = account_rights.noted(session, account_rights.read(session, user))
                account_rights.change(session, user, account_rights.parse(role, department or [], person))
                after = account_rights.noted(session, account_rights.read(session, user))
                was, now = audit.changes(before, after)
                if now:
                    audit.add(session, audit.COMMAND, Action.ACCOUNT_CHANGED, audit.account(user), was, now)
        except accounts.AccountError as error:
            raise Problem(str(error)) from None
    print(f"{plain(name)}: {', '.join(sorted(role))}")


@app.command()
def reset(
    name: Name,
    factor: Annotated[
        bool, typer.Option("--factor", help="the second factor instead of the password, for a lost phone")
    ] = False,
) -> None:
    """Replace a lost password by a one-time password; the account is enabled, and logged out everywhere."""
    with clear_errors("dashboard"), site_database() as factory:
        from dashboard.access import accounts, login_sessions, second_factor
        from dashboard.auditing import audit
        from dashboard.auditing.audit_actions import Action

        try:
            with factory.begin() as session:
                user = accounts.named(session, name)
                if factor:
                    second_factor.remove(session, user.id)
                    login_sessions.end(session, user.id)
                    action, words = Action.FACTOR_RESET, "the password alone opens it until a second factor is set up"
                else:
                    password = accounts.reset_password(session, name)
                    user.disabled_ms = None
                    action, words = Action.PASSWORD_RESET, f"log in with the one-time password {password}"
                audit.add(session, audit.COMMAND, action, audit.account(user))
        except accounts.AccountError as error:
            raise Problem(str(error)) from None
    print(f"{plain(name)}: {words}")
