"""`attendance train adopt`: options only; deploy/train_adopt.py does the rest."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from deploy.errors import clear_errors


class Crop(StrEnum):
    FIVE_POINTS, MTCNN_MARGIN = "five-points", "mtcnn-margin"


class Channels(StrEnum):
    RGB, BGR = "RGB", "BGR"


To = Annotated[Path, typer.Option(help="folder for the bundle; a new or empty one")]
People = Annotated[
    list[Path],
    typer.Option(help="prepared faces of people by whom thresholds are measured; repeat it for several sets"),
]
Strangers = Annotated[
    Path | None,
    typer.Option(help="prepared faces of strangers by group (GROUP/picture); the worst group sets the thresholds"),
]


def adopt(
    model: Annotated[
        Path, typer.Argument(metavar="MODEL.onnx", help="one input (n, 3, px, px), one output (n, numbers)")
    ],
    to: To,
    input_px: Annotated[int, typer.Option(min=32, max=512, help="side of the face's picture that it takes")],
    crop: Annotated[Crop, typer.Option(help="aligned by five landmarks (ArcFace), or the box with a margin (facenet)")],
    channels: Annotated[Channels, typer.Option(help="order of the colours", case_sensitive=False)],
    mean: Annotated[
        list[float], typer.Option(help="(value 0 … 255 − mean) / std; once, or three times for the channels")
    ],
    std: Annotated[list[float], typer.Option(help="once, or three times for the channels")],
    people: People,
    licence: Annotated[str, typer.Option(help="under which terms the network may be used")],
    strangers: Strangers = None,
) -> None:
    """Make a bundle of a network of your own in ONNX: its thresholds are measured, then it can serve."""
    with clear_errors("training"):
        from deploy import train_adopt as room
        from training.adopt import Form, Terms

        form = Form(input_px, crop.value, channels.value, mean, std)
        terms = Terms(licence, f"Made by `attendance train adopt` of a file called {model.name}")
        room.run(model, form, room.Where(to, people, strangers), terms)
