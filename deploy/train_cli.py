"""`attendance train`: from photographs to a model bundle. Options only; the work is the training room's."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from deploy import train_accuracy_cli, train_adopt_cli, train_run_cli, train_sets_cli
from deploy.errors import clear_errors

app = typer.Typer(
    help="Train a recogniser: prepare faces, train, compare, export a bundle that workers load.", no_args_is_help=True
)
train_run_cli.add_to(app)
train_sets_cli.add_to(app)
app.command()(train_accuracy_cli.accuracy)
app.command()(train_adopt_cli.adopt)


class Crop(StrEnum):
    MTCNN_MARGIN, FIVE_POINTS = "mtcnn-margin", "five-points"


@app.command()
def prepare(
    source: Annotated[Path, typer.Argument(help="photographs: a folder per person (IDENTITY/picture.jpg)")],
    destination: Annotated[Path, typer.Argument(help="folder for the faces; made where it isn't there")],
    size: Annotated[int, typer.Option(min=32, max=1024, help="side of the faces, in pixels")] = 182,
    crop: Annotated[
        Crop, typer.Option(help="the box with a margin, as the thesis has it, or aligned by the five landmarks")
    ] = Crop.MTCNN_MARGIN,
    min_face: Annotated[
        int, typer.Option(min=20, max=400, help="smallest face that is looked for, in pixels of a picture 1024 wide")
    ] = 20,
    keep_faceless: Annotated[
        bool, typer.Option("--keep-faceless", help="take the centre of a picture without a face instead of none of it")
    ] = False,
    drop_duplicates: Annotated[
        bool,
        typer.Option(
            "--drop-duplicates", help="leave one of a person's equal pictures, and none that several people have"
        ),
    ] = False,
    processes: Annotated[int, typer.Option(min=0, max=256, help="0 takes every core")] = 0,
    report: Annotated[
        Path | None, typer.Option(help="where the report goes, as .json or .csv; prepare-report.json in DESTINATION")
    ] = None,
    pack: Annotated[
        Path | None, typer.Option(help="write all faces into this one file too; training reads it faster")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="print the report as JSON instead of words")] = False,
) -> None:
    """Find the face in every photograph and cut it out. A run that ended early goes on where it was."""
    with clear_errors("training"):
        from deploy import train_prepare as room

        options = room.PrepareOptions(
            source,
            destination,
            size,
            crop.value,
            min_face,
            keep_faceless,
            drop_duplicates,
            processes,
            report,
            pack,
            json,
        )
        raise typer.Exit(room.run(options))


@app.command("reading")
def reading(
    data: Annotated[list[Path], typer.Argument(help="folders of faces or packed files")],
    size: Annotated[int, typer.Option(min=32, max=512, help="side of the pictures that the network would see")] = 224,
    processes: Annotated[
        int, typer.Option(min=0, max=256, help="loader processes; 0 loads in the training's own process")
    ] = 2,
    seconds: Annotated[float, typer.Option(min=0.1, max=60, help="time for each figure")] = 3.0,
    json: Annotated[bool, typer.Option("--json", help="print one JSON object")] = False,
) -> None:
    """Measure how fast pictures are read, decoded and made into batches on this machine."""
    with clear_errors("training"):
        from deploy import train_prepare as room

        raise typer.Exit(room.reading(data, size, processes, seconds, json))


@app.command("steps")
def steps(
    photograph: Annotated[Path, typer.Argument(help="a photograph with a face")],
    to: Annotated[Path, typer.Option(help="folder for preprocessing-train.png and preprocessing-test.png")],
    seed: Annotated[int, typer.Option(min=0, help="of the random steps")] = 1,
) -> None:
    """Draw a photograph after each step of its preparation, for training and for the test."""
    with clear_errors("training"):
        from deploy import train_prepare as room

        raise typer.Exit(room.steps(photograph, to, seed))
