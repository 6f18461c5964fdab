"""`attendance model fetch`: options only; deploy/model_fetch.py does the rest."""

from enum import StrEnum
from typing import Annotated

import typer

from deploy.errors import Problem, clear_errors
from deploy.train_adopt_cli import People, Strangers, To

HEX = frozenset("0123456789abcdef")


class Fetched(StrEnum):
    FACENET = "facenet"


def fetch(
    model: Annotated[Fetched, typer.Argument(help="facenet-pytorch's InceptionResnetV1, trained on VGGFace2")],
    to: To,
    people: People,
    strangers: Strangers = None,
    url: Annotated[
        str | None, typer.Option(help="where its weights are; else where the installed facenet-pytorch says")
    ] = None,
    sha256: Annotated[
        str | None,
        typer.Option(
            help="digest that the file must have. None is published with the package: without it, what is checked is that "
            "the file holds exactly this network's tensors, and none of it is run as code"
        ),
    ] = None,
    accept_licence: Annotated[
        bool, typer.Option("--accept-licence", help="say yes to the terms, which are shown, without being asked")
    ] = False,
) -> None:
    """Fetch a network whose weights are for research and non-commercial use, and make a bundle of it.

    What is fetched and under which terms is shown before anything is. Thresholds are measured as by `attendance train adopt`.
    """
    with clear_errors("training"):
        digest = None if sha256 is None else sha256.strip().lower()
        if digest is not None and (len(digest) != 64 or not set(digest) <= HEX):
            raise Problem("--sha256: 64 hexadecimal digits are needed, as `sha256sum FILE` prints them")
        from deploy import model_fetch as room
        from deploy.train_adopt import Where

        room.run(room.FetchOptions(Where(to, people, strangers), url, digest, accept_licence))
