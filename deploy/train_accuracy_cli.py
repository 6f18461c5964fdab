"""`attendance train accuracy`: options only; deploy/train_accuracy.py does the work."""

from pathlib import Path
from typing import Annotated

import typer

from deploy.errors import clear_errors
from deploy.query_cli import Device, OnDevice


def accuracy(
    model: Annotated[
        list[str], typer.Option(help="a column: sface, a bundle's folder, dlib, resnet50-random; repeat it")
    ],
    out: Annotated[Path, typer.Option(help="folder for MODEL/ROW/result.json and accuracy.md")],
    lfw: Annotated[Path | None, typer.Option(help="LFW, with pairs.txt")] = None,
    nuaa: Annotated[Path | None, typer.Option(help="NUAA's live part: PERSON/TAKE/frames")] = None,
    fairface: Annotated[Path | None, typer.Option(help="FairFace's adults by group: GROUP/picture")] = None,
    only: Annotated[
        list[str] | None, typer.Option(help="a row, by its protocol's name, or cost; repeat it. Without it all run")
    ] = None,
    again: Annotated[bool, typer.Option("--again", help="run rows anew whose result is in OUT already")] = False,
    note: Annotated[
        bool, typer.Option("--note", help="write the main figures into each bundle's model.json, for the Models page")
    ] = False,
    seed: Annotated[int, typer.Option(min=0, help="of everything that is drawn")] = 0,
    cache: Annotated[Path | None, typer.Option(help="folder for computed templates; ATTENDANCE_HOME/cache")] = None,
    threads: Annotated[int, typer.Option(min=0, max=256, help="of the networks on a CPU; 0 takes every core")] = 0,
    device: OnDevice = Device.AUTO,
) -> None:
    """Run every evaluation of docs/accuracy.md, for one model or several side by side, and write its tables."""
    with clear_errors("training"):
        from deploy import train_accuracy as room

        options = room.AccuracyOptions(
            model,
            {"lfw": lfw, "nuaa": nuaa, "fairface": fairface},
            out,
            only or [],
            again,
            note,
            seed,
            cache,
            threads,
            device.value,
        )
        raise typer.Exit(room.run(options))
