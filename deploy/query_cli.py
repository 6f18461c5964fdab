"""`attendance query`, `verify` and `classify`: photographs compared by the recogniser, without a site around it."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from deploy.errors import clear_errors
from worker.named_models import DEFAULT, HELP

Model = Annotated[str, typer.Option(envvar="ATTENDANCE_MODEL", help=HELP)]
Gallery = Annotated[Path, typer.Option(help="known people: a folder per person (IDENTITY/picture.jpg)")]
Fpir = Annotated[
    float, typer.Option(min=1e-6, max=0.05, help="wanted chance that a stranger is taken for anybody in the gallery")
]
Json = Annotated[bool, typer.Option("--json", help="print one JSON object")]


class Device(StrEnum):
    AUTO, CPU, CUDA = "auto", "cpu", "cuda"


class Method(StrEnum):
    NEAREST, SVM = "nearest", "svm"


OnDevice = Annotated[Device, typer.Option(help="auto takes CUDA where there is some")]


def query(
    photo: Annotated[Path, typer.Argument(help="a photograph of one person")],
    gallery: Gallery,
    model: Model = DEFAULT,
    top: Annotated[int, typer.Option(min=1, max=1000, help="people to name")] = 10,
    fpir: Fpir = 1e-3,
    picture: Annotated[Path | None, typer.Option(help="write a contact sheet, as .png or .jpg")] = None,
    device: OnDevice = Device.AUTO,
    json: Json = False,
) -> None:
    """Rank the known people by their likeness to a photograph."""
    with clear_errors("training"):
        from deploy import face_search as room

        raise typer.Exit(room.query(room.Model(model, device.value), photo, gallery, top, fpir, picture, json))


def verify(
    a: Annotated[Path, typer.Argument(help="a photograph of one person")],
    b: Annotated[Path, typer.Argument(help="another photograph")],
    model: Model = DEFAULT,
    far: Annotated[
        float, typer.Option(min=1e-6, max=0.5, help="wanted share of strangers that are taken for one person")
    ] = 1e-3,
    picture: Annotated[Path | None, typer.Option(help="write both faces, as .png or .jpg")] = None,
    device: OnDevice = Device.AUTO,
    json: Json = False,
) -> None:
    """Say whether two photographs show the same person."""
    with clear_errors("training"):
        from deploy import face_search as room

        raise typer.Exit(room.verify(room.Model(model, device.value), a, b, far, picture, json))


def classify(
    photos: Annotated[list[Path], typer.Argument(help="photographs of one person each")],
    gallery: Gallery,
    method: Annotated[
        Method, typer.Option(help="the nearest picture's person, or a linear SVM trained on the gallery")
    ] = Method.NEAREST,
    model: Model = DEFAULT,
    fpir: Fpir = 1e-3,
    device: OnDevice = Device.AUTO,
    json: Json = False,
) -> None:
    """Name the known person in each photograph, or say that it is none of them."""
    with clear_errors("training"):
        from deploy import face_search as room

        raise typer.Exit(room.classify(room.Model(model, device.value), photos, gallery, method.value, fpir, json))


def register(app: typer.Typer) -> None:
    for command in (query, verify, classify):
        app.command()(command)
