"""What `attendance train prepare`, `reading` and `steps` do around the training room: progress, words, exit codes."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from deploy.errors import STOPPED, Problem, settings_from
from training import decode_figures
from training.dataset import BadData, read_folder
from training.face_cropper import CropRule
from training.packing import write_pack
from training.pictures import BadPicture, decode, open_faces
from training.prepare import prepare
from training.prepare_report import NAME as REPORT_NAME
from worker.settings import WorkerSettings


@dataclass(frozen=True)
class PrepareOptions:
    """As on the command line; see deploy/train_cli.py."""

    source: Path
    destination: Path
    size_px: int = 182
    crop: str = "mtcnn-margin"
    min_face_px: int = 20
    keep_faceless: bool = False
    drop_duplicates: bool = False
    processes: int = 0
    report: Path | None = None
    pack: Path | None = None
    json: bool = False


def run(options: PrepareOptions) -> int:
    """0 when all is done, whatever the pictures were like; 130 after Ctrl-C. Raises Problem when it can't be done."""
    rule = CropRule(options.size_px, options.crop, options.min_face_px, options.keep_faceless)
    cache = settings_from(WorkerSettings).cache
    try:
        with _data_problems(), progress_bar("finding faces") as (progress, task):
            report = prepare(
                options.source,
                options.destination,
                rule,
                cache=cache,
                processes=options.processes,
                drop_duplicates=options.drop_duplicates,
                on_progress=lambda done, total: progress.update(task, completed=done, total=total),
            )
    except KeyboardInterrupt:
        print("stopped; the same command goes on from here", file=sys.stderr)
        return STOPPED
    with _data_problems():
        path = options.report or options.destination / REPORT_NAME
        report.write(path)
        print(json.dumps(asdict(report)) if options.json else "\n".join([*report.words(), f"report: {path}"]))
    if options.pack is not None:
        _pack(options.destination, options.pack, quiet=options.json)
    return 0


def _pack(faces: Path, path: Path, quiet: bool) -> None:
    with _data_problems(), progress_bar("packing") as (progress, task):
        folder = read_folder(faces)
        progress.update(task, total=len(folder))
        size = write_pack(folder, path, lambda done: progress.update(task, completed=done))
    if not quiet:
        print(f"packed: {path}, {size / 1e6:.1f} MB")


def reading(data: list[Path], size_px: int, processes: int, seconds: float, as_json: bool) -> int:
    """Print pictures a second of each folder or packed file; raises Problem."""
    rates = []
    with _data_problems():
        for path in data:
            folder = open_faces(path)
            found = decode_figures.decode_rates(folder, seconds=seconds)
            found.append(decode_figures.loader_rate(folder, size_px, processes, seconds=seconds))
            rates += [(path, len(folder), rate) for rate in found]
    if as_json:
        rows = [{"data": str(p), "what": r.what, "pictures_a_second": round(r.a_second, 1)} for p, _, r in rates]
        print(json.dumps({"rates": rows}))
        return 0
    table = Table("data", "pictures", "what", "pictures/s", title="Reading")
    for path, pictures, rate in rates:
        table.add_row(path.name, str(pictures), rate.what, f"{rate.a_second:,.0f}")
    Console().print(table)
    return 0


def steps(photograph: Path, to: Path, seed: int) -> int:
    """Write the pictures of the steps; raises Problem."""
    from training.embedding import read_bytes
    from training.preprocessing_pictures import write_preprocessing
    from worker.detector import Detector

    with _data_problems():
        picture = decode(read_bytes(photograph), str(photograph))
        detector = Detector(settings_from(WorkerSettings).cache)
        for path in write_preprocessing(picture, detector, to, seed):
            print(path)
    return 0


@contextmanager
def _data_problems() -> Iterator[None]:
    try:
        yield
    except (BadData, BadPicture) as error:
        raise Problem(str(error)) from None


@contextmanager
def progress_bar(what: str) -> Iterator[tuple[Progress, TaskID]]:
    console = Console(stderr=True)
    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=not console.is_terminal) as progress:
        yield progress, progress.add_task("", total=None)
