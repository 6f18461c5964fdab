"""What a run leaves to read: train.csv and valid.csv, TensorBoard, and a bar that shows where it is."""

import csv
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

TRAIN_COLUMNS = (
    *("epoch", "stage", "lr", "loss", "loss_thesis", "accuracy", "accuracy_text"),
    *("kept_share", "batches", "views", "seconds", "pictures_per_s", "waiting_share"),
)
VALID_COLUMNS = (
    *(
        "epoch",
        "stage",
        "loss",
        "loss_thesis",
        "accuracy",
        "accuracy_std",
        "threshold",
        "accuracy_text",
        "threshold_text",
    ),
    *("auc", "eer", "val_at_far_0.001", "tar_at_far_0.01", "tar_at_far_0.001", "triplets", "seconds", "pictures_per_s"),
)
FILES = {"train": TRAIN_COLUMNS, "valid": VALID_COLUMNS}


class RunLog:
    """A context: the bar is drawn on standard error where that is a terminal, else a line an epoch is printed."""

    def __init__(self, run: Path, first_epoch: int, quiet: bool = False) -> None:
        """Rows of `first_epoch` and later are dropped: a resumed run writes them again."""
        self.run = run
        for name, columns in FILES.items():
            _keep_before(run / f"{name}.csv", columns, first_epoch)
        from torch.utils.tensorboard import SummaryWriter

        self._board = SummaryWriter(str(run / "tensorboard"), purge_step=first_epoch or None)
        self._console = Console(stderr=True, quiet=quiet, width=None if sys.stderr.isatty() else 160)
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            TextColumn("{task.fields[words]}"),
            TimeRemainingColumn(),
            console=self._console,
            disable=quiet or not sys.stderr.isatty(),
        )
        self._task = self._bar.add_task("", total=None, words="")

    def __enter__(self) -> "RunLog":
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()
        self._board.close()

    def say(self, words: str) -> None:
        self._console.print(words, highlight=False, markup=False)

    def begin_epoch(self, words: str, batches: int, done: int) -> None:
        self._bar.reset(self._task, description=words, total=batches, completed=done, words="")

    def step(self, done: int, loss: float, pictures_per_s: float) -> None:
        self._bar.update(self._task, completed=done, words=f"loss {loss:.4f}, {pictures_per_s:.0f} pictures/s")

    def row(self, name: str, values: Mapping[str, Any]) -> None:
        """One line of train.csv or valid.csv, on disk when this returns, and its numbers on TensorBoard."""
        columns = FILES[name]
        strange = set(values) - set(columns)
        assert not strange, strange
        with (self.run / f"{name}.csv").open("a", newline="", encoding="utf-8") as file:
            csv.writer(file).writerow([_text(values.get(column)) for column in columns])
            file.flush()
            os.fsync(file.fileno())
        for column, value in values.items():
            if column not in ("epoch", "stage") and value is not None:
                self._board.add_scalar(f"{column}/{name}", value, values["epoch"])


def read_rows(run: Path, name: str) -> list[dict[str, str]]:
    """Rows of train.csv or valid.csv as text; empty where the file isn't there."""
    path = run / f"{name}.csv"
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _text(value: Any) -> str:
    if value is None:
        return ""
    return repr(float(value)) if isinstance(value, float) else str(value)


def _keep_before(path: Path, columns: Sequence[str], first_epoch: int) -> None:
    rows = read_rows(path.parent, path.stem)
    kept = [row for row in rows if (row.get("epoch") or "").isdigit() and int(row["epoch"]) < first_epoch]
    draft = path.with_suffix(".draft")
    with draft.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows([row.get(column, "") for column in columns] for row in kept)
    os.replace(draft, path)
