"""`attendance audit`: check that the audit trail is whole, and read it."""

import json as to_json
import re
from datetime import UTC, datetime
from typing import Annotated

import typer

from deploy.errors import Problem, clear_errors
from deploy.operator import plain
from deploy.site_database import site_database

app = typer.Typer(help="The audit trail: who changed what, in rows that hang together.", no_args_is_help=True)
HASH = re.compile(r"[0-9a-f]{64}")
BROKEN = 1
"""Exit code of a trail that isn't whole."""
Json = Annotated[bool, typer.Option("--json", help="print JSON")]


@app.command()
def verify(
    expect: Annotated[
        str | None, typer.Option(help="a head that was kept elsewhere: it must be in the trail, or its end was cut off")
    ] = None,
    json: Json = False,
) -> None:
    """Follow the trail from its first row; 1, and the first broken row, when it isn't whole. Tells the head to keep."""
    with clear_errors("dashboard"):
        if expect is not None and not HASH.fullmatch(expect.strip().lower()):
            raise Problem(f"--expect {plain(expect, 80)!r}: a head has 64 hex digits, as this command prints it")
        with site_database() as factory:
            from dashboard.auditing import audit
            from dashboard.database import reading

            with reading(factory) as session:
                found = audit.verify(session, expect.strip().lower() if expect else None)
    if json:
        body = {"whole": found.whole, "rows": found.rows, "head": found.head, "broken_row": found.broken_id}
        print(to_json.dumps(body | {"expected_found": found.expected_found, "why": found.words}))
    elif found.broken_id is not None:
        print(f"broken at row {found.broken_id}: {found.words}; the {found.rows} rows before it are whole")
    elif not found.expected_found:
        print(
            f"{found.rows} rows hang together, but the expected head is not among them: rows were cut off or replaced"
        )
    else:
        print(f"{found.rows} rows, whole; keep the head elsewhere: {found.head}")
    raise typer.Exit(0 if found.whole else BROKEN)


@app.command("list")
def list_rows(
    who: Annotated[str, typer.Option(help="name of the account, or of the API key, that did it")] = "",
    what: Annotated[str, typer.Option(help="code of the action, such as person.changed")] = "",
    whom: Annotated[str, typer.Option(help="a person's code, or the name of an account, kiosk or model")] = "",
    since: Annotated[str, typer.Option("--from", help="first day, such as 2026-11-23")] = "",
    until: Annotated[str, typer.Option("--to", help="last day")] = "",
    limit: Annotated[int, typer.Option(min=1, max=1_000_000, help="rows, newest first")] = 50,
    json: Json = False,
) -> None:
    """What was done, newest first."""
    with clear_errors("dashboard"), site_database() as factory:
        from dashboard.auditing import audit_query
        from dashboard.database import reading
        from dashboard.settings import DashboardSettings

        texts = {"who": who, "action": what, "whom": whom, "from": since, "to": until}
        chosen, problems = audit_query.read_filter(texts)
        if problems:
            raise Problem(" ".join(problems))
        query = audit_query.rows(chosen, DashboardSettings().zone).limit(limit).execution_options(yield_per=500)
        with reading(factory) as session:
            for row in session.execute(query):
                if json:
                    print(to_json.dumps(dict(row._mapping)))
                    continue
                by = row.actor_name or (f"account {row.actor_id}" if row.actor_id else row.via)
                of = row.person_code or row.subject_name or row.subject_id
                at = datetime.fromtimestamp(row.at_ms // 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")
                words = "; ".join(audit_query.details_words(row.details, audit_query.codes_in(session, [row.details])))
                print(plain(f"{row.id}  {at} UTC  {by}  {row.action}  {row.subject_type} {of}  {words}", 400).rstrip())
