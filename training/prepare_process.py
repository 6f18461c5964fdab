"""A process of `attendance train prepare`: ends with its parent, whatever ended that."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Sequence
from pathlib import Path

import cv2

from training.face_cropper import CropRule, FaceCropper, Prepared

_cropper: FaceCropper | None = None


def start(source: Path, destination: Path, rule: CropRule, cache: Path) -> None:
    """Called once in the new process."""
    global _cropper
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all; the parent ends us when our pictures are done
    threading.Thread(target=_end_with_parent, daemon=True).start()
    cv2.setNumThreads(0)
    _cropper = FaceCropper(source, destination, rule, cache)


def work(files: Sequence[str]) -> list[Prepared]:
    assert _cropper is not None
    return [_cropper.prepare(file) for file in files]


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()  # returns when it has gone, by kill -9 too
        os._exit(1)
