"""`attendance train fairface`, `clean` and `fuse`: options only; deploy/train_sets.py and train_fuse.py do the rest."""

from pathlib import Path
from typing import Annotated

import typer

from deploy.errors import clear_errors
from worker.named_models import HELP


def fairface(
    source: Annotated[Path, typer.Argument(help="FairFace's pictures as {train,test}/AGE/GROUP/picture.jpg")],
    destination: Annotated[
        Path, typer.Argument(help="folder for train/, calibrate/ and test/, a folder per group in each")
    ],
) -> None:
    """Sort FairFace out: faces to train on, and adult strangers of seven groups to calibrate and to test by."""
    with clear_errors("training"):
        from deploy import train_sets as room

        room.sort_fairface(source, destination)


def clean(
    faces: Annotated[Path, typer.Argument(help="a folder that `prepare` made")],
    pack: Annotated[Path, typer.Option(help="packed file for what is left; FILE.left-out.json says who went and why")],
    apart_from: Annotated[
        list[Path], typer.Option(help="photographs of people who must not be trained on, such as LFW's; repeat it")
    ],
    cosine: Annotated[
        float, typer.Option(min=0.1, max=1, help="likeness to one of them from which a face goes")
    ] = 0.55,
    copy_cosine: Annotated[float, typer.Option(min=0.5, max=1, help="likeness from which a picture is a copy")] = 0.95,
) -> None:
    """Leave the test set's people out of faces to train on, by name and by SFace's likeness, and copies."""
    with clear_errors("training"):
        from deploy import train_sets as room

        room.clean(faces, apart_from, pack, cosine, copy_cosine)


def fuse(
    first: Annotated[str, typer.Option(help=HELP)],
    second: Annotated[str, typer.Option(help=HELP)],
    fit: Annotated[Path, typer.Option(help="prepared faces of people on whom the weight is fitted")],
    people: Annotated[Path, typer.Option(help="prepared faces of other people, on whom the table is measured")],
    strangers: Annotated[Path, typer.Option(help="prepared faces of strangers by group (GROUP/picture)")],
    to: Annotated[Path | None, typer.Option(help="folder for the fusion: model.json, MODEL_CARD.md")] = None,
    licence: Annotated[str, typer.Option(help="under which terms both may be used")] = "not stated",
    json: Annotated[bool, typer.Option("--json", help="print one JSON object")] = False,
) -> None:
    """Weigh two recognisers against each other and together, and write the fusion of both."""
    with clear_errors("training"):
        from deploy import train_fuse as room

        room.run(room.FuseOptions(first, second, fit, people, strangers, to, licence, json))


def add_to(app: typer.Typer) -> None:
    for command in (fairface, clean, fuse):
        app.command()(command)
