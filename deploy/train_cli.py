"""`attendance train`: from photographs to a model bundle. Options only; the work is the training room's."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from deploy import train_accuracy_cli, train_run_cli
from deploy.errors import clear_errors

app = typer.Typer(
    help="Train a recogniser: prepare faces, train, compare, export a bundle that workers load.", no_args_is_help=True
)
train_run_cli.add_to(app)
app.command()(train_accuracy_cli.accuracy)


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


@app.command("fairface")
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


@app.command("clean")
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
