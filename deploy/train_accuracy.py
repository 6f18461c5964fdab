"""What `attendance train accuracy` does: every row of docs/accuracy.md for every model, one result.json each, one page."""

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer

from deploy import evaluation
from deploy.errors import Problem, settings_from
from deploy.evaluation import EvaluateOptions
from training.accuracy_table import ROWS, Data, Row, markdown
from training.evaluated_model import open_evaluated
from training.noting import note
from worker.named_models import folder_of
from worker.protocol.bundle import BadBundle
from worker.settings import WorkerSettings

PAGE = "accuracy.md"


@dataclass(frozen=True)
class AccuracyOptions:
    models: list[str]
    data: Mapping[Data, Path | None]
    out: Path
    only: list[str]
    again: bool
    note: bool
    seed: int
    cache: Path | None
    threads: int
    device: str


def run(options: AccuracyOptions) -> int:
    """0 when every row that could be run has a result, 1 when one failed; raises Problem before anything has run."""
    rows = _rows(options)
    models = _models(options)
    results: dict[str, dict[str, Any]] = {name: {} for name in models}
    failed = 0
    for name, (model, model_id) in models.items():
        for row in rows:
            folder = options.out / name / row.name
            kept = None if options.again else read_result(row, folder / "result.json", model_id, options.seed)
            try:
                results[name][row.name] = kept or _run(row, model, folder, options)
                words = "kept" if kept else f"{results[name][row.name]['seconds']:.0f} s"
            except Problem as error:
                failed += 1
                words = f"failed: {error}"
            typer.echo(f"{name}, {row.name}: {words}", err=True)
            _write(options.out / PAGE, markdown(results))
    typer.echo(str(options.out / PAGE))
    if options.note:
        _note(models, results)
    return 1 if failed else 0


def read_result(row: Row, path: Path, model_id: str, seed: int) -> dict[str, Any] | None:
    """A result that is there already, of this model and seed, with all that the row shows; None for any other file.

    The data's folder isn't compared.
    """
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
    if not isinstance(found, dict) or found.get("model_id") != model_id or found.get("seed", seed) != seed:
        return None
    try:
        list(row.lines(found))
    except (KeyError, TypeError, AttributeError, IndexError, ValueError):  # of an older version, or damaged
        return None
    return found


def _rows(options: AccuracyOptions) -> list[Row]:
    """Those that were asked for and have their data; the others are named."""
    names = [row.name for row in ROWS]
    if unknown := [name for name in options.only if name not in names]:
        raise Problem(f"--only {unknown[0]}: there is no such row; there are {', '.join(names)}")
    wanted = [row for row in ROWS if not options.only or row.name in options.only]
    ready = [row for row in wanted if row.data is None or options.data[row.data] is not None]
    for row in wanted:
        if row not in ready:
            typer.echo(f"{row.name}: left out, since --{row.data} isn't given", err=True)
    if not ready:
        raise Problem("no row can be run: give --lfw, --nuaa or --fairface, the folders with the faces")
    return ready


def _models(options: AccuracyOptions) -> dict[str, tuple[str, str]]:
    """Column → what --model says, and the model's id. All are opened once, so that a mistake shows at once."""
    cache = options.cache or settings_from(WorkerSettings).cache
    models: dict[str, tuple[str, str]] = {}
    for model in options.models:
        name = Path(model).resolve().name if Path(model).is_dir() else model
        if name in models:
            raise Problem(f"--model {model}: there is a {name} already; models need folders of different names")
        try:
            opened = open_evaluated(model, cache=cache, threads=options.threads, device=options.device)
        except BadBundle as error:
            raise Problem(str(error)) from None
        models[name] = (model, opened.info.id)
    return models


def _note(models: Mapping[str, tuple[str, str]], results: Mapping[str, Mapping[str, Any]]) -> None:
    """Into the model.json of each bundle; what has no folder (sface, dlib) is left alone."""
    for name, (model, model_id) in models.items():
        try:
            bundle = folder_of(model)
        except BadBundle:  # dlib, random weights
            continue
        if bundle is None:
            continue
        try:
            noted = note(bundle, model_id, results[name])
        except BadBundle as error:
            raise Problem(str(error)) from None
        typer.echo(f"{bundle}: noted {', '.join(noted.model_dump(exclude_none=True)) or 'nothing'}", err=True)


def _run(row: Row, model: str, folder: Path, options: AccuracyOptions) -> dict[str, Any]:
    data = None if row.data is None else options.data[row.data]
    asked = EvaluateOptions(
        model=model,
        protocol=None if row.data is None else row.name,
        data=data,
        pairs=None,
        distances=None,
        layers=None,
        speed=False,
        cost=row.data is None,
        precision=None,
        int8_faces=None,
        out=folder,
        triplets=10_000,
        folds=None,
        seed=options.seed,
        cache=options.cache,
        threads=options.threads,
        device=options.device,
        json=True,
    )
    typer.echo(f"… {row.command.replace('MODEL', shlex.quote(model), 1)}", err=True)
    return evaluation.evaluate(asked)[0].figures


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise Problem(f"{path}: can't be written ({error.strerror})") from None
