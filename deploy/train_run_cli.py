"""`attendance train run`, `solve`, `export` and `compare`: options only; deploy/train_run.py does what is around it."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from deploy.errors import clear_errors


class Resume(StrEnum):
    BEST, LAST = "best", "last"


class Kept(StrEnum):
    BEST, LAST, SOLVED = "best", "last", "solved"


def run(
    recipe: Annotated[str, typer.Argument(help="a recipe's file, or the name of a shipped one: thesis, small, modern")],
    data: Annotated[
        Path, typer.Option(help="faces to train on: a prepared folder (a folder per person) or a packed file")
    ],
    out: Annotated[Path, typer.Option(help="folder of the run: logs, checkpoints, plots, report")],
    valid: Annotated[
        Path | None, typer.Option(help="faces of other people to validate on; without it people are held out of --data")
    ] = None,
    init: Annotated[
        str | None,
        typer.Option(help="first weights: random, imagenet, a file (torchvision's layout, a checkpoint), a bundle"),
    ] = None,
    triplets: Annotated[
        int | None, typer.Option(min=10, help="random triplets an epoch, of training and of validation")
    ] = None,
    epochs: Annotated[int | None, typer.Option(min=1, help="epochs of each stage")] = None,
    resume: Annotated[Resume | None, typer.Option(help="go on from the run's best or last checkpoint")] = None,
    continue_step: Annotated[
        bool,
        typer.Option(
            "--continue-step/--new-step",
            help="on resuming, the learning rate goes on where it was, or its schedule begins anew",
        ),
    ] = True,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set", help="any value of the recipe: section.key=value, stages.0.lr=1e-4, stages.*.epochs=2; repeat it"
        ),
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="no bar and no lines while it runs")] = False,
) -> None:
    """Train by a recipe. Ctrl-C saves; with several GPUs: torchrun --nproc-per-node N -m deploy.cli train run …"""
    with clear_errors("training"):
        from deploy import train_run as room
        from training.train import TrainOptions

        options = TrainOptions(
            recipe,
            data,
            out,
            valid,
            init,
            triplets,
            epochs,
            None if resume is None else resume.value,
            continue_step,
            tuple(settings or ()),
            quiet=quiet,
        )
        raise typer.Exit(room.run(options))


def solve(
    run: Annotated[Path, typer.Argument(help="folder of a run whose last stages imitated (loss.kind=imitate)")],
    checkpoint: Annotated[Resume, typer.Option(help="which of the run's checkpoints")] = Resume.LAST,
    faces: Annotated[
        int, typer.Option(min=100, help="training pictures that are looked at; each takes 200 kB of memory")
    ] = 16_384,
    ridge: Annotated[
        float, typer.Option(min=1e-6, help="how small the change stays: a share of the features' mean squared length")
    ] = 1.0,
) -> None:
    """Solve an imitation's linear layer in closed form, its trunk as it is: RUN/checkpoints/solved.pt, for `export`."""
    with clear_errors("training"):
        from deploy import train_run as room

        room.solve(run, checkpoint.value, faces, ridge)


def export(
    run: Annotated[Path, typer.Argument(help="folder of a run")],
    to: Annotated[Path, typer.Option(help="folder for the bundle: model.safetensors, model.json, MODEL_CARD.md")],
    checkpoint: Annotated[Kept, typer.Option(help="which of the run's checkpoints")] = Kept.BEST,
    calibrate: Annotated[
        list[Path] | None,
        typer.Option(
            help="faces of people whom the run never saw, to measure thresholds on; repeat it for groups: the strictest counts. "
            "Without it: the run's validation. Never LFW where LFW is the test"
        ),
    ] = None,
    strangers: Annotated[
        Path | None,
        typer.Option(
            help="prepared faces of strangers by group (GROUP/picture), such as FairFace's: the worst group sets the thresholds"
        ),
    ] = None,
    licence: Annotated[str, typer.Option(help="under which terms the weights may be used")] = "not stated",
    onnx: Annotated[Path | None, typer.Option(help="write the network as ONNX too, checked against torch")] = None,
) -> None:
    """Write the bundle that workers load, with thresholds measured on people whom training never saw."""
    with clear_errors("training"):
        from deploy import train_run as room

        raise typer.Exit(room.export(run, to, checkpoint.value, calibrate or [], strangers, licence, onnx))


def compare(
    comparison: Annotated[str, typer.Argument(help="a comparison's file, or the name of a shipped one: compare")],
    data: Annotated[
        Path,
        typer.Option(
            help="prepared faces; or a folder with mtcnn-margin/ and five-points/, the same faces cut both ways"
        ),
    ],
    out: Annotated[
        Path, typer.Option(help="folder for the variants' runs and the table; what is done is not done again")
    ],
    valid: Annotated[Path | None, typer.Option(help="faces to validate on, laid out as --data")] = None,
    only: Annotated[list[str] | None, typer.Option(help="name of a variant; repeat it. Without it all run")] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="a value of every variant's recipe: section.key=value; repeat it")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="no bar and no lines while it runs")] = False,
) -> None:
    """Train several variants of a recipe on as many pictures each, and set them side by side."""
    with clear_errors("training"):
        from deploy import train_run as room

        raise typer.Exit(room.compare(comparison, data, out, valid, only or [], settings or [], quiet))


def add_to(app: typer.Typer) -> None:
    for command in (run, solve, export, compare):
        app.command()(command)
