"""`attendance evaluate`: how good a recogniser is, by published protocols. Options only; the work is the training room's."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from deploy.errors import clear_errors
from deploy.query_cli import Device, OnDevice
from worker.named_models import DEFAULT, HELP


class Protocol(StrEnum):
    LFW_VIEW2, LFW_ALL, THESIS, PAIRS30 = "lfw-view2", "lfw-all", "thesis", "pairs30"
    PAIRS_FILE, IDENTIFY, GROUPS = "pairs-file", "identify", "groups"
    TAKES, QUALITY = "takes", "quality"


class Precision(StrEnum):
    F32, BF16, INT8 = "f32", "bf16", "int8"


def evaluate(
    model: Annotated[
        str, typer.Option(envvar="ATTENDANCE_MODEL", help=f"{HELP}; to compare: dlib, resnet50-random")
    ] = DEFAULT,
    protocol: Annotated[
        Protocol | None, typer.Option(help="what is compared with what; docs/training.md tells them apart")
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(
            help="faces: LFW's folder, or a folder per person; for groups a folder per group; for takes PERSON/TAKE/frames"
        ),
    ] = None,
    pairs: Annotated[
        Path | None, typer.Option(help="list of pairs: CSV (first, second, label) or LFW's format")
    ] = None,
    distances: Annotated[
        Path | None, typer.Option(help="judge distances that are there already: CSV (distance, label); needs no model")
    ] = None,
    layers: Annotated[
        Path | None, typer.Option(help="draw what each layer of a bundle makes of this photograph")
    ] = None,
    speed: Annotated[
        bool, typer.Option("--speed", help="measure evaluation and drawing of triplets against the published way")
    ] = False,
    cost: Annotated[
        bool, typer.Option("--cost", help="measure milliseconds a face, size and precisions of the model on this CPU")
    ] = False,
    precision: Annotated[
        Precision | None,
        typer.Option(help="compute in it, on the CPU, instead of as the model serves; int8 needs nncf"),
    ] = None,
    int8_faces: Annotated[
        Path | None,
        typer.Option(help="folder per person by which int8 finds its ranges; with --cost, int8 is measured too"),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="folder for result.json, ROC and DET pictures and tables")] = None,
    triplets: Annotated[int, typer.Option(min=100, max=1_000_000, help="drawn by the thesis protocol")] = 10_000,
    folds: Annotated[
        int | None, typer.Option(min=2, max=1000, help="for lists of pairs; 10 unless their file says")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="of everything that is drawn")] = 0,
    cache: Annotated[Path | None, typer.Option(help="folder for computed templates; ATTENDANCE_HOME/cache")] = None,
    threads: Annotated[int, typer.Option(min=0, max=256, help="of the networks on a CPU; 0 takes every core")] = 0,
    device: OnDevice = Device.AUTO,
    json: Annotated[bool, typer.Option("--json", help="print one JSON object as the last line")] = False,
) -> None:
    """Measure a recogniser: accuracy, true accept rates at given false accept rates, 1:N, strangers of one group."""
    with clear_errors("training"):
        from deploy import evaluation as room

        options = room.EvaluateOptions(
            model,
            protocol and protocol.value,
            data,
            pairs,
            distances,
            layers,
            speed,
            cost,
            precision and precision.value,
            int8_faces,
            out,
            triplets,
            folds,
            seed,
            cache,
            threads,
            device.value,
            json,
        )
        raise typer.Exit(room.run(options))
