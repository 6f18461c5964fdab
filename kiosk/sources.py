"""Where pictures come from: webcam, network stream, video file, folder of pictures. One class each, one interface.

A source is opened, read until it raises `SourceError`, and closed; camera.py does that and comes back after a failure.
"""

import itertools
import logging
import math
import re
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np

log = logging.getLogger(__name__)

Picture = np.ndarray[Any, np.dtype[np.uint8]]
"""Height × width × 3, blue-green-red."""

STREAM_TIMEOUT_MS = 4_000
"""For opening a network stream and for each read of it."""
WEBCAM_PX = (1280, 720)
MIN_SIDE_PX = 16
PICTURE_ENDINGS = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp"})
USUAL_FPS = 25.0
"""Of a video file that doesn't say."""


class SourceError(Exception):
    """A source that can't be opened or stopped giving pictures; the message says what to do, without passwords."""


class Source(Protocol):
    """What the camera reads. `read` waits for the next picture; the flag says that a new pass begins with it."""

    def open(self) -> None: ...
    def read(self) -> tuple[Picture, bool]: ...
    def close(self) -> None: ...


def shown_source(text: str) -> str:
    """The source as logs, screen and heartbeats may show it: without user and password."""
    return re.sub(r"(?<=://)[^/@\s]*@", "***@", text)


def is_webcam(text: str) -> bool:
    return text.isdigit() or text.startswith("/dev/")


def make_source(text: str, folder_fps: float, stopped: Callable[[], bool] = lambda: False) -> Source:
    """The source that `text` names. Raises SourceError at once for a file or folder that isn't there or holds nothing.

    `stopped` ends the waiting between the pictures of a file or folder.
    """
    if is_webcam(text):
        return Webcam(text)
    if "://" in text:
        scheme = text.split("://", 1)[0].lower()
        if scheme not in ("rtsp", "rtsps", "http", "https"):
            raise SourceError(
                f"source {shown_source(text)}: {scheme}:// is not known; use rtsp://, http:// or https://"
            )
        return Stream(text)
    path = Path(text)
    if path.is_dir():
        return Folder(path, folder_fps, stopped)
    if path.is_file():
        video = VideoFile(path, stopped)
        video.open()  # a file that is no video must be known now, not at the door
        video.close()
        return video
    raise SourceError(f"source {text}: no such file or folder; or give a webcam's number, or an rtsp:// address")


class Webcam:
    """A local camera by index or device (`/dev/video2`, `/dev/v4l/by-id/…`); only its newest picture is buffered."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._capture: Any = None

    def open(self) -> None:
        device = Path(f"/dev/video{self.text}" if self.text.isdigit() else self.text).resolve()
        backend = cv2.CAP_ANY
        if sys.platform == "linux":
            if not device.exists():
                raise SourceError(f"no camera at {device}: is it plugged in?")
            backend = cv2.CAP_V4L2
        number = re.search(r"\d+$", device.name)
        self._capture = cv2.VideoCapture(int(number[0]), backend) if number else cv2.VideoCapture(str(device), backend)
        if not self._capture.isOpened():
            raise SourceError(f"camera {device} doesn't open: in use elsewhere, or no permission (group `video`)?")
        # Asked for, not required: a camera that has no such mode gives its nearest.
        self._capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
        self._capture.set(cv2.CAP_PROP_FRAME_WIDTH, WEBCAM_PX[0])
        self._capture.set(cv2.CAP_PROP_FRAME_HEIGHT, WEBCAM_PX[1])
        self._capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
        self._first = True

    def read(self) -> tuple[Picture, bool]:
        return _read(self._capture, f"camera {self.text}"), _once(self)

    def close(self) -> None:
        if self._capture is not None:
            self._capture.release()


class Stream:
    """A network camera. Every picture is read as it comes, so that no old ones pile up in the decoder."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._capture: Any = None

    def open(self) -> None:
        limits = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, STREAM_TIMEOUT_MS, cv2.CAP_PROP_READ_TIMEOUT_MSEC, STREAM_TIMEOUT_MS]
        self._capture = cv2.VideoCapture(self.url, cv2.CAP_FFMPEG, limits)
        if not self._capture.isOpened():
            raise SourceError(f"stream {shown_source(self.url)} doesn't open: address, password and network right?")
        self._first = True

    def read(self) -> tuple[Picture, bool]:
        return _read(self._capture, f"stream {shown_source(self.url)}"), _once(self)

    def close(self) -> None:
        if self._capture is not None:
            self._capture.release()


class VideoFile:
    """A clip played at its own rate by the clock: late pictures are skipped; it begins again at its end."""

    def __init__(
        self, path: Path, stopped: Callable[[], bool] = lambda: False, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.path, self._stopped, self._clock = path, stopped, clock
        self._capture: Any = None

    def open(self) -> None:
        self.close()
        self._capture = cv2.VideoCapture(str(self.path), cv2.CAP_FFMPEG)
        if not self._capture.isOpened() or not self._capture.grab():
            raise SourceError(f"{self.path}: not a video that can be read; MP4 (H.264), MKV, AVI and WebM can")
        fps = self._capture.get(cv2.CAP_PROP_FPS)
        self.fps = fps if math.isfinite(fps) and 1 <= fps <= 240 else USUAL_FPS
        self._grabbed = 0
        """Number of the picture that is grabbed; it must still be shown."""
        self._began_s: float | None = None

    def read(self) -> tuple[Picture, bool]:
        if self._began_s is None:
            self._began_s = self._clock()
            return self._retrieve(), True
        wanted = max(self._grabbed + 1, math.floor((self._clock() - self._began_s) * self.fps))
        while self._grabbed < wanted:
            if not self._capture.grab():
                # The last picture stays for its own time before the clip begins again.
                _sleep_until(self._began_s + (self._grabbed + 1) / self.fps, self._clock, self._stopped)
                self.open()
                return self.read()
            self._grabbed += 1
        _sleep_until(self._began_s + self._grabbed / self.fps, self._clock, self._stopped)
        return self._retrieve(), False

    def _retrieve(self) -> Picture:
        done, picture = self._capture.retrieve()
        if not done:
            raise SourceError(f"{self.path}: picture {self._grabbed} can't be decoded")
        return _checked(picture, str(self.path))

    def close(self) -> None:
        if self._capture is not None:
            self._capture.release()


class Folder:
    """Pictures sorted by name, played forwards and backwards; what can't be read is skipped with a warning."""

    def __init__(
        self,
        path: Path,
        fps: float,
        stopped: Callable[[], bool] = lambda: False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.path, self.fps, self._stopped, self._clock = path, fps, stopped, clock
        self._bad: set[Path] = set()
        if not any(self._load(file) is not None for file in self._list()):
            raise SourceError(
                f"source {path}: no picture in this folder that can be read ({', '.join(sorted(PICTURE_ENDINGS))})"
            )

    def _list(self) -> list[Path]:
        return sorted(f for f in self.path.iterdir() if f.suffix.lower() in PICTURE_ENDINGS and f.is_file())

    def open(self) -> None:
        self._order: Iterator[tuple[Path, bool]] = there_and_back(self._list())
        self._due_s: float | None = None

    def read(self) -> tuple[Picture, bool]:
        begins = False
        # A pass shows every file at most twice; when none of them can be read any more, say so instead of spinning.
        for file, first in itertools.islice(self._order, 2 * len(self._list()) + 1):
            begins = begins or first
            picture = self._load(file)
            if picture is not None:
                now_s = self._clock()
                self._due_s = now_s if self._due_s is None else max(self._due_s + 1 / self.fps, now_s - 1 / self.fps)
                _sleep_until(self._due_s, self._clock, self._stopped)
                return picture, begins
        raise SourceError(f"source {self.path}: no picture in this folder can be read any more")

    def _load(self, file: Path) -> Picture | None:
        try:
            data = np.frombuffer(file.read_bytes(), np.uint8)
            # A camera has no EXIF: the file's own orientation is left as it is.
            picture = cv2.imdecode(data, cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION) if data.size else None
            return _checked(picture, str(file))
        except (OSError, cv2.error, SourceError) as error:
            if file not in self._bad:
                self._bad.add(file)
                log.warning("%s: skipped, not a picture that can be read (%s)", file, error)
            return None

    def close(self) -> None:
        """Nothing is held open."""


def there_and_back(files: list[Path]) -> Iterator[tuple[Path, bool]]:
    """0 1 2 1 0 1 2 … without end; the flag marks where a pass begins. Empty for no files."""
    one_pass = files + files[-2:0:-1]
    while one_pass:
        for position, file in enumerate(one_pass):
            yield file, position == 0


def _once(source: Any) -> bool:
    """True for the first picture since the source was opened."""
    first: bool = source._first
    source._first = False
    return first


def _read(capture: Any, what: str) -> Picture:
    done, picture = capture.read()
    if not done:
        raise SourceError(f"{what} gives no more pictures")
    return _checked(picture, what)


def _checked(picture: Any, what: str) -> Picture:
    if picture is None or picture.ndim != 3 or min(picture.shape[:2]) < MIN_SIDE_PX:
        size = "nothing" if picture is None else "×".join(map(str, picture.shape[1::-1]))
        raise SourceError(f"{what}: {size} instead of a picture of at least {MIN_SIDE_PX}×{MIN_SIDE_PX} pixels")
    checked: Picture = picture
    return checked


def _sleep_until(due_s: float, clock: Callable[[], float], stopped: Callable[[], bool]) -> None:
    while (left_s := due_s - clock()) > 0 and not stopped():
        time.sleep(min(left_s, 0.1))
