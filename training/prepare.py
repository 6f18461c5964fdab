"""`attendance train prepare`: a folder of photographs becomes a folder of faces, all cut out by one rule.

The work is done by processes of one thread each. What is done is in a journal, so that a run that ended in any way goes
on where it was; pictures appear whole or not at all.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from multiprocessing import get_context
from pathlib import Path

from training import prepare_process
from training.dataset import BadData, FaceFolder, find_duplicates, read_folder
from training.face_cropper import CropRule, FaceCropper, Outcome, Prepared, output
from training.prepare_journal import Journal
from training.prepare_report import Report

CHUNK = 16
"""Pictures that a process takes at a time."""
CHUNKS_AHEAD = 3
"""Of each process, waiting: a million pictures mustn't mean a million waiting tasks."""


def prepare(
    source: Path,
    destination: Path,
    rule: CropRule,
    *,
    cache: Path,
    processes: int = 0,
    drop_duplicates: bool = False,
    on_progress: Callable[[int, int], object] = lambda done, total: None,
) -> Report:
    """Prepare every picture of `source` (IDENTITY/picture.*) into the same places below `destination`.

    `processes` 0 takes every core, 1 works in this process. `on_progress` hears (done, all). Raises BadData when there
    is nothing to prepare, the destination can't be one, or a process was killed; running it again goes on.
    """
    folder = read_folder(source)
    check_destination(source, destination)
    check_outputs(folder)
    journal = Journal(destination, source.resolve(), rule)
    try:
        files = [file for file in folder.files if not journal.is_done(file)]
        total, already = len(folder), len(folder) - len(files)
        on_progress(already, total)
        done = already
        for records in _prepared(source, destination, rule, cache, files, processes or os.cpu_count() or 1):
            journal.add(records)
            done += len(records)
            on_progress(done, total)
        if drop_duplicates:
            _drop_duplicates(destination, journal)
        return Report.of(folder, [journal.done[file] for file in folder.files], already)
    finally:
        journal.close()


def check_destination(source: Path, destination: Path) -> None:
    """Make the destination where it isn't there; raises BadData when it can't take pictures or lies in the source."""
    inner, outer = destination.resolve(), source.resolve()
    if inner.is_relative_to(outer) or outer.is_relative_to(inner):
        raise BadData(
            f"{destination}: source and destination lie in each other; a folder outside of {source} is needed, "
            "so that prepared faces are never taken for photographs"
        )
    try:
        destination.mkdir(parents=True, exist_ok=True)
        probe = destination / f".probe.{os.getpid()}"
        probe.touch()
        probe.unlink()
        os.listdir(destination)
    except OSError as error:
        raise BadData(f"{destination}: can't be the destination ({error.strerror})") from None


def check_outputs(folder: FaceFolder) -> None:
    """Raise BadData when two sources would be written to one file (a.png beside a.png.jpg)."""
    places: dict[str, str] = {}
    for file in folder.files:
        other = places.setdefault(output(file), file)
        if other != file:
            raise BadData(f"{folder.root}: {other} and {file} would both become {output(file)}: rename one of them")


def _prepared(
    source: Path, destination: Path, rule: CropRule, cache: Path, files: list[str], processes: int
) -> Iterator[list[Prepared]]:
    if not files:
        return
    # made here first: it converts the detector's networks once, so that the processes find them in the cache
    cropper = FaceCropper(source, destination, rule, cache)
    chunks = (files[i : i + CHUNK] for i in range(0, len(files), CHUNK))
    try:
        if processes == 1 or len(files) <= CHUNK:
            for chunk in chunks:
                yield [cropper.prepare(file) for file in chunk]
            return
        with ProcessPoolExecutor(
            processes,
            mp_context=get_context("spawn"),  # a fork would inherit the locks of threads that it hasn't got
            initializer=prepare_process.start,
            initargs=(source, destination, rule, cache),
        ) as pool:
            yield from _in_pool(pool, chunks, processes * CHUNKS_AHEAD)
    except BrokenProcessPool:
        raise BadData(
            "a process that prepared pictures was killed, perhaps for want of memory; run it again, with fewer --processes, "
            "and it goes on where it was"
        ) from None
    except OSError as error:
        raise BadData(f"{error.filename or destination}: can't be written ({error.strerror or error})") from None


def _in_pool(pool: ProcessPoolExecutor, chunks: Iterator[Sequence[str]], ahead: int) -> Iterator[list[Prepared]]:
    """Results as they come. Whatever ends this early, Ctrl-C too, cancels what hasn't begun."""
    waiting: set[Future[list[Prepared]]] = set()
    try:
        while True:
            waiting |= {pool.submit(prepare_process.work, chunk) for chunk in islice(chunks, ahead - len(waiting))}
            if not waiting:
                return
            finished, waiting = wait(waiting, return_when=FIRST_COMPLETED)
            for future in finished:
                yield future.result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _drop_duplicates(destination: Path, journal: Journal) -> None:
    """Leave one of equal pictures of a person, and none of those that are several people's: nobody knows whose they are."""
    faces = [record for record in journal.done.values() if record.output_bytes]
    duplicates = find_duplicates([record.file for record in faces], [record.sha256 for record in faces])
    surplus = [file for group in duplicates.within for file in group[1:]]
    surplus += [file for group in duplicates.across for file in group]
    for file in surplus:
        try:
            (destination / output(file)).unlink(missing_ok=True)
        except OSError as error:
            raise BadData(f"{destination / output(file)}: can't be deleted ({error.strerror})") from None
        record = journal.done[file]
        journal.add([Prepared(file, Outcome.DUPLICATE, record.sha256, 0, record.faces)])
