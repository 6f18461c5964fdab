"""`attendance dead`: look at decisions that could not be recorded, put them back, or drop them."""

import json as to_json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from deploy.dead_letters import DeadLetter, DeadLetters, NoSuchLetter
from deploy.errors import Problem, clear_errors
from deploy.operator import plain, site_clients

app = typer.Typer(
    help="Decisions that the recorder could not record: look, put back, drop. Names and pictures are never shown. "
    "Those of the shard in ATTENDANCE_SHARD.",
    no_args_is_help=True,
)
Id = Annotated[str, typer.Argument(help="as `attendance dead list` shows it")]
Json = Annotated[bool, typer.Option("--json", help="print JSON")]


@contextmanager
def letters() -> Iterator[DeadLetters]:
    with clear_errors(), site_clients("dead") as (site,):
        try:
            yield DeadLetters(site.ledger, site.shard)
        except NoSuchLetter as error:
            raise Problem(plain(error)) from None


@app.command("list")
def list_all(json: Json = False) -> None:
    """All of them, oldest first."""
    with letters() as dead:
        found = list(dead.all())
    if json:
        print(to_json.dumps([asdict(letter) for letter in found]))
        return
    table = Table("id", "parked (UTC)", "kiosk", "event", "why", title=f"{len(found)} dead letters")
    for letter in found:
        about = (letter.about.get("kiosk", "?"), letter.about.get("event_id", "?"))
        table.add_row(letter.id, _when(letter.parked_ms), *(escape(plain(x, 64)) for x in (*about, letter.reason)))
    Console().print(table)


@app.command()
def show(id: Id, json: Json = False) -> None:
    """One of them in full: why, about what, and how large its parts are."""
    with letters() as dead:
        letter = dead.one(id)
    print(to_json.dumps(asdict(letter)) if json else _in_words(letter))


@app.command()
def replay(
    id: Annotated[str | None, typer.Argument(help="as `attendance dead list` shows it")] = None,
    all: Annotated[bool, typer.Option("--all", help="every one that is there now")] = False,
) -> None:
    """Put it back among the decisions, once the cause is gone: the recorder tries again, and records nothing twice."""
    with letters() as dead:
        ids = _chosen(dead, id, all)
        done = _each(ids, dead.replay, skip_gone=all)
    print(f"{done} put back; what still can't be recorded will be parked again")


@app.command()
def drop(
    id: Annotated[str | None, typer.Argument(help="as `attendance dead list` shows it")] = None,
    all: Annotated[bool, typer.Option("--all", help="every one that is there now")] = False,
) -> None:
    """Delete it for good. Nothing of it is kept."""
    with letters() as dead:
        done = _each(_chosen(dead, id, all), dead.drop, skip_gone=all)
    print(f"{done} deleted")


def _chosen(dead: DeadLetters, id: str | None, all: bool) -> list[str]:
    if (id is None) != all:
        raise Problem("name one letter by its id, or all of them by --all")
    return [letter.id for letter in dead.all()] if id is None else [id]


def _each(ids: list[str], step: Callable[[str], object], skip_gone: bool) -> int:
    done = 0
    for id in ids:
        try:
            step(id)
            done += 1
        except NoSuchLetter:
            if not skip_gone:
                raise
    return done


def _when(ms: int) -> str:
    return datetime.fromtimestamp(min(ms, 4_102_444_800_000) / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")


def _in_words(letter: DeadLetter) -> str:
    lines = [
        f"id        {letter.id}",
        f"parked    {_when(letter.parked_ms)} UTC, was {plain(letter.entry_id, 64)}",
        f"why       {plain(letter.reason, 1_000)}",
        *(f"{name:<12}  {plain(value)}" for name, value in letter.about.items()),
        *(f"field {plain(name, 32)}: {size} bytes" for name, size in letter.sizes.items()),
    ]
    return "\n".join(lines)
