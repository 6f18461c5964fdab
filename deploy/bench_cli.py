"""`attendance bench`: the recogniser and its site; `attendance bench dashboard`: the pages on a large site's database."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from deploy.errors import clear_errors

app = typer.Typer(invoke_without_command=True)


class BenchPart(StrEnum):
    DETECT, EMBED, STREAM, GALLERY, KIOSKS = "detect", "embed", "stream", "gallery", "kiosks"


class BenchDevice(StrEnum):
    CPU, CUDA = "cpu", "cuda"


@app.callback()
def bench(
    context: typer.Context,
    only: Annotated[BenchPart | None, typer.Option(help="run one part; all parts take about ten minutes")] = None,
    json: Annotated[bool, typer.Option("--json", help="print one JSON object as the last line")] = False,
    device: Annotated[BenchDevice, typer.Option(help="cpu or cuda")] = BenchDevice.CPU,
    data: Annotated[
        Path | None,
        typer.Option(help="folder with nuaa/ and clips/crowd_1080p.mp4; without it the demo's scene serves"),
    ] = None,
    every: Annotated[int, typer.Option(min=1, max=100, help="look at each nth research picture only")] = 1,
    threads: Annotated[int, typer.Option(min=0, max=256, help="threads of every network; 0 takes every core")] = 0,
    tables: Annotated[
        Path | None, typer.Option(help="write the tables into this Markdown file, between its bench marks")
    ] = None,
    plots: Annotated[Path | None, typer.Option(help="write the plots, as SVG, into this folder")] = None,
    figures: Annotated[
        list[Path] | None,
        typer.Option(help="measure nothing: take the figures from a file with an earlier run's JSON; repeat for parts"),
    ] = None,
) -> None:
    """Measure this machine: detection against the obvious stack, latency, many kiosks, search in the gallery."""
    if context.invoked_subcommand:
        return
    with clear_errors("demo"):
        from deploy.bench import run as room

        options = room.BenchOptions(only, json, device.value, data, every, threads, tables, plots, tuple(figures or ()))
        raise typer.Exit(room.run(options))


@app.command()
def dashboard(
    people: Annotated[int, typer.Option(min=50, max=100_000, help="people in the database")] = 10_000,
    events: Annotated[int, typer.Option(min=1_000, max=50_000_000, help="punches over one year")] = 5_000_000,
    rounds: Annotated[int, typer.Option(min=5, max=10_000, help="how often each page is asked for")] = 30,
    database_url: Annotated[
        str | None, typer.Option(help="postgresql+psycopg://…, empty or filled by an earlier run; otherwise SQLite")
    ] = None,
    home: Annotated[
        Path | None, typer.Option(help="keep the SQLite database in this folder and use it the next time")
    ] = None,
    plans: Annotated[bool, typer.Option("--plans", help="print how the database goes about each statement")] = False,
    json: Annotated[bool, typer.Option("--json", help="print one JSON object as the last line")] = False,
) -> None:
    """Measure the dashboard's pages and exports with many people and events; 1 where a page's p95 is over 150 ms.

    Filling a database of the default size takes about three minutes and 4 GB; the pages are asked for one after the
    other, by one browser.
    """
    with clear_errors("demo"):
        from deploy.bench import dashboard as room

        raise typer.Exit(room.run(room.Options(people, events, rounds, database_url, home, plans, json)))
