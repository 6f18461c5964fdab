"""What `attendance train run`, `solve`, `export` and `compare` do around the training room: words and exit codes."""

import dataclasses
import os
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import typer

from deploy.errors import STOPPED, Problem, settings_from
from deploy.looking_bar import looking_bar
from training import checkpoint, comparison, export_run, recipe_file, solving, train
from training.comparison import BadComparison
from training.dataset import BadData
from training.export_run import BadExport
from training.initial import BadWeights
from training.loop import BadLoss, Stopped
from training.pictures import BadPicture
from training.recipe_file import BadRecipe
from training.solving import BadSolve
from training.template_cache import BadCache
from training.train import BadRun, TrainOptions
from worker.protocol.bundle import BadBundle
from worker.settings import WorkerSettings

PROBLEMS = (
    *(BadRecipe, BadData, BadRun, BadWeights, BadPicture, BadLoss, BadCache, BadBundle, BadExport, BadComparison),
    *(BadSolve, checkpoint.BadCheckpoint, checkpoint.NotSaved),
)


@contextmanager
def _problems() -> Iterator[None]:
    try:
        yield
    except PROBLEMS as error:
        raise Problem(str(error)) from None
    except OSError as error:  # a full disk, a folder that may not be written
        raise Problem(f"{error.filename or 'the run'}: {error.strerror or error}") from None


def run(options: TrainOptions) -> int:
    """0 when the run is complete, 130 when it was stopped and saved; raises Problem."""
    options = dataclasses.replace(options, cache=settings_from(WorkerSettings).cache)
    try:
        with _problems():
            folder = train.run(options)
    except Stopped as stopped:
        if _first():
            typer.echo(f"stopped: {stopped}. Go on with:\n  {_resume_command()}", err=True)
        return STOPPED
    if _first():
        typer.echo(f"{folder / 'report.md'}")
    return 0


def solve(run_folder: Path, which: str, faces: int, ridge: float) -> None:
    cache = settings_from(WorkerSettings).cache
    typer.echo(f"looks at {faces:,} faces, then solves: 13 minutes for 16,384 on two cores", err=True)
    with _problems(), looking_bar("looking at faces") as progress:
        done = solving.solve(run_folder, which, faces=faces, ridge=ridge, cache=cache, on_progress=progress)
    typer.echo(f"{done.path}: the linear layer solved on {done.faces:,} faces")
    for name in ("accuracy", "auc", "eer", "tar_at_far_0.01"):
        typer.echo(f"  {name} on the validation: {done.before[name]:.4f} before, {done.after[name]:.4f} after")
    if done.after["auc"] < done.before["auc"]:
        typer.echo(f"  it got worse: export {which}, or solve it again with more --faces or a larger --ridge", err=True)


def export(
    run_folder: Path,
    to: Path,
    which: str,
    calibrate: list[Path],
    strangers: Path | None,
    licence: str,
    onnx: Path | None,
) -> int:
    cache = settings_from(WorkerSettings).cache
    with _problems():
        done = export_run.export(
            run_folder,
            to,
            which=which,
            calibrate=calibrate,
            strangers=strangers,
            cache=cache,
            licence=licence,
            onnx=onnx,
        )
    typer.echo(f"{to}: {done.info.id}")
    for threshold in done.info.thresholds:
        typer.echo(
            f"  false match rate {threshold.false_match_rate:g}: distance {threshold.distance:.3f}, "
            f"true accept rate {threshold.true_accept_rate:.1%}"
        )
    if onnx is not None:
        typer.echo(f"{onnx}: differs from torch by at most {done.onnx_difference:.1e}")
    return 0


def compare(
    name: str, data: Path, out: Path, valid: Path | None, only: list[str], settings: list[str], quiet: bool
) -> int:
    cache = settings_from(WorkerSettings).cache
    try:
        with _problems():
            plan = comparison.read(recipe_file.find(name), settings)
            table = comparison.run(plan, data, out, valid=valid, only=only, cache=cache, quiet=quiet)
    except Stopped as stopped:
        typer.echo(f"stopped: {stopped}. The same command goes on from there", err=True)
        return STOPPED
    typer.echo(table.read_text(encoding="utf-8"))
    return 0


def _first() -> bool:
    return os.environ.get("RANK", "0") == "0"


def _resume_command() -> str:
    """This command again, with --resume last."""
    words = [word for i, word in enumerate(sys.argv[1:]) if not _says_resume(sys.argv[1:], i)]
    return shlex.join(["attendance", *words, "--resume", "last"])


def _says_resume(words: list[str], i: int) -> bool:
    return words[i].startswith("--resume") or (i > 0 and words[i - 1] == "--resume")
