"""What `attendance train prepare` has done so far, so that it can be stopped in any way and goes on where it was.

One JSON object a line: first how the pictures are prepared, then one line for each picture that is done. A line that a
kill cut short is dropped.
"""

import fcntl
import json
import os
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO

from training.dataset import BadData
from training.face_cropper import CropRule, Outcome, Prepared, output

NAME = "prepared.jsonl"
VERSION = 1


class Journal:
    """The file in the destination, read once and appended to."""

    def __init__(self, destination: Path, source: Path, rule: CropRule) -> None:
        """Raises BadData when the folder was prepared in another way or from other pictures, or can't be written."""
        self.path = destination / NAME
        self.destination = destination
        self.done: dict[str, Prepared] = {}
        head = {"version": VERSION, "source": str(source), "rule": asdict(rule)}
        try:
            self._file = self.path.open("a+b")
            _lock(self._file, destination)
            whole = self._read(head)
            self._file.truncate(whole)
            if not whole:
                self._append(head)
        except OSError as error:
            raise BadData(f"{self.path}: can't be written ({error.strerror})") from None

    def _read(self, head: dict[str, Any]) -> int:
        """Take in what was done; returns the length of the lines that are whole."""
        data = self.path.read_bytes()
        whole = data.rfind(b"\n") + 1
        lines = data[:whole].splitlines()
        try:
            parsed = [json.loads(line) for line in lines]
            before = parsed[0] if parsed else head
            records = [Prepared(**{**line, "outcome": Outcome(line["outcome"])}) for line in parsed[1:]]
        except (ValueError, TypeError, KeyError) as error:
            raise BadData(
                f"{self.path}: damaged ({error}); delete it to have every picture prepared anew, or take another folder"
            ) from None
        if before != head:
            raise BadData(
                f"{self.destination}: was prepared in another way ({_difference(before, head)}); "
                "take the same settings again, or another folder"
            )
        self.done = {record.file: record for record in records}
        return whole

    def is_done(self, file: str) -> bool:
        """Whether the picture needs no more work: it is in the journal, and the face that it says was written is there.

        One that couldn't be read is tried again: somebody may have put it right.
        """
        record = self.done.get(file)
        if record is None or record.outcome is Outcome.CORRUPT:
            return False
        if not record.output_bytes:
            return True
        try:
            return os.stat(self.destination / output(file)).st_size == record.output_bytes
        except OSError:
            return False

    def add(self, records: Iterable[Prepared]) -> None:
        """Note pictures as done; the last line about a picture counts."""
        for record in records:
            self._append(asdict(record))
            self.done[record.file] = record
        self._file.flush()

    def _append(self, line: dict[str, Any]) -> None:
        self._file.write(json.dumps(line).encode() + b"\n")

    def close(self) -> None:
        self._file.close()


def _lock(file: BinaryIO, destination: Path) -> None:
    """Held until the file is closed or its process ends, however that may be."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise BadData(f"{destination}: another run prepares pictures into it; wait for it, or end it") from None


def _difference(before: Any, now: dict[str, Any]) -> str:
    before = before if isinstance(before, dict) else {}
    old, new = {**before, **before.get("rule", {})}, {**now, **now["rule"]}
    changed = [key for key in new if key != "rule" and old.get(key) != new[key]]
    return "; ".join(f"{key} was {old.get(key)}, now {new[key]}" for key in changed) or "another version"
