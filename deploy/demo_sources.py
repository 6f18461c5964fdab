"""What the demo's kiosks look at: the sources that were given, else a webcam, else the played scene."""

from dataclasses import dataclass
from pathlib import Path

import cv2

from deploy.errors import Problem
from kiosk.sources import SourceError, is_webcam, make_source

WEBCAM = Path("/dev/video0")
PICTURES_TRIED = 10
"""Some webcams begin with empty pictures."""
MAX_SOURCES = 32


@dataclass(frozen=True)
class Source:
    """`opened` is what the kiosk gets, `given` what the results call it."""

    opened: str
    given: str


def choose_sources(given: tuple[str, ...], headless: bool) -> list[Source]:
    """The sources, or an empty list for the scene; raises Problem for a source that can't work."""
    if len(given) > MAX_SOURCES:
        raise Problem(f"--source: {len(given)} sources, at most {MAX_SOURCES}")
    for text in given:
        if not is_webcam(text):
            try:
                make_source(text, folder_fps=2.0).close()
            except SourceError as error:
                raise Problem(f"--source: {error}") from None
    if given:
        return [Source(text, text) for text in given]
    return [Source("0", "webcam")] if not headless and webcam_works() else []


def webcam_works() -> bool:
    """Whether there is a webcam that opens and delivers a picture."""
    if not WEBCAM.exists():
        return False
    capture = cv2.VideoCapture(str(WEBCAM), cv2.CAP_V4L2)
    try:
        return capture.isOpened() and any(capture.read()[0] for _ in range(PICTURES_TRIED))
    finally:
        capture.release()
