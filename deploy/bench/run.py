"""`attendance bench`: each part in turn, one JSON object at the end."""

import json
import os
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.bench import machine, report
from deploy.errors import Problem, settings_from
from deploy.launcher import NotReady
from deploy.redis_server import NoRedis
from worker import recogniser
from worker.protocol.bundle import BadBundle
from worker.settings import WorkerSettings

PARTS = ("detect", "embed", "gallery", "stream", "kiosks")


@dataclass(frozen=True)
class BenchOptions:
    """As on the command line; see deploy/cli.py."""

    only: str | None = None
    json: bool = False
    device: str = "cpu"
    data: Path | None = None
    every: int = 1
    threads: int = 0
    tables: Path | None = None
    plots: Path | None = None
    figures: tuple[Path, ...] = ()


def run(options: BenchOptions) -> int:
    """0 when everything was measured. Raises Problem where something is missing."""
    figures = merged([read_figures(path) for path in options.figures]) if options.figures else _measure(options)
    if options.tables:
        report.write_tables(options.tables, figures)
    if options.plots:
        report.write_plots(options.plots, figures)
    if options.json:
        print(json.dumps(figures), flush=True)
    else:
        print(report.markdown(figures))
    return 0


def read_figures(path: Path) -> dict[str, Any]:
    """The JSON object in a file's last line, as `--json` printed it."""
    try:
        lines = path.read_text().strip().splitlines()
        figures = json.loads(lines[-1]) if lines else None
    except (OSError, ValueError) as error:
        raise Problem(f"--figures {path}: no JSON object in its last line ({error})") from None
    if not isinstance(figures, dict) or not isinstance(figures.get("machine"), dict):
        raise Problem(f"--figures {path}: this isn't what `attendance bench --json` printed")
    return figures


def merged(runs: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Parts measured one by one as one object: what a later run has takes the place of an earlier one's.

    Raises Problem when they come from different machines or models.
    """
    for key in ("cpu", "cores", "os"):
        if len({str(figures["machine"].get(key)) for figures in runs}) > 1:
            raise Problem(f"--figures: the files come from different machines ({key}); give those of one machine")
    if len({figures.get("model_id") for figures in runs}) > 1:
        raise Problem("--figures: the files come from different models; give those of one model")
    whole: dict[str, Any] = {}
    for figures in runs:
        whole |= figures
    loads = [figures["machine"].get("load_average", []) for figures in runs]
    whole["machine"] = {**whole["machine"], "load_average": max(loads, key=lambda load: load[:1])}
    return {**whole, "command": ", ".join(dict.fromkeys(str(figures.get("command")) for figures in runs))}


def _measure(options: BenchOptions) -> dict[str, Any]:
    settings: WorkerSettings = settings_from(WorkerSettings, device=options.device)
    try:
        recogniser.device(settings.device)
        model = recogniser.describe(settings)
    except (ValueError, BadBundle) as error:
        raise Problem(str(error)) from None
    threads = options.threads or os.cpu_count() or 1
    figures: dict[str, Any] = {"command": _command(options), **machine.describe(options.device)}
    figures |= {"device": options.device, "threads": threads}
    figures |= {"model_id": model["model_id"], "recogniser": model["recogniser"]}
    with tempfile.TemporaryDirectory(prefix="attendance-bench-") as folder:
        for part in PARTS if options.only is None else (options.only,):
            print(f"bench: {part}", file=sys.stderr, flush=True)
            try:
                figures |= _part(part, Path(folder), options, threads)
            except (NotReady, NoRedis) as error:
                raise Problem(str(error)) from None
    figures["load_average_at_end"] = [round(value, 2) for value in os.getloadavg()]
    return figures


def _part(part: str, home: Path, options: BenchOptions, threads: int) -> dict[str, Any]:
    if part == "detect":
        from deploy.bench import detect, found

        speed = detect.measure(home, options.device, threads)
        return speed | found.measure(home, options.device, threads, options.data, options.every)
    if part == "embed":
        from deploy.bench import embed

        return embed.measure(home, options.device, threads)
    if part == "gallery":
        from deploy.bench import gallery

        return gallery.measure()
    from deploy.bench import kiosks, site, stream, workers

    with site.running(home / part, threads, options.device) as running:
        figures = stream.measure(running) if part == "stream" else kiosks.measure(running)
    return figures | (workers.measure(home, threads, options.device) if part == "kiosks" else {})


def _command(options: BenchOptions) -> str:
    words = ["attendance bench"]
    words += [f"--only {options.only}"] if options.only else []
    words += ["--device cuda"] if options.device == "cuda" else []
    words += ["--data DIR"] if options.data else []
    words += [f"--every {options.every}"] if options.every > 1 else []
    words += [f"--threads {options.threads}"] if options.threads else []
    return " ".join([*words, "--json"])
