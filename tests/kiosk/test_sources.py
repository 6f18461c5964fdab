"""Files and folders as cameras: order, rate, what is skipped, and what is refused at once."""

import itertools
from pathlib import Path

import cv2
import numpy as np
import pytest

from kiosk import sources
from kiosk.sources import Folder, Source, SourceError, Stream, VideoFile, Webcam, make_source, shown_source
from tests.kiosk.support import FakeClock, grey, level_of, write_clip, write_picture


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> FakeClock:
    """Time passes only by sleeping."""
    clock = FakeClock()
    monkeypatch.setattr(sources, "_sleep_until", lambda due_s, now, stopped: clock.pass_s(max(0.0, due_s - now())))
    return clock


def played(source: Source, count: int) -> list[int]:
    source.open()
    return [level_of(source.read()[0]) for _ in range(count)]


# --- folder ---


def test_folder_plays_by_name_there_and_back(tmp_path: Path, clock: FakeClock) -> None:
    for name, level in (("c.png", 90), ("a.jpg", 10), ("b.PNG", 50)):
        write_picture(tmp_path / name, level)
    (tmp_path / "notes.txt").write_text("not a picture")
    assert played(Folder(tmp_path, 2.0, clock=clock), 9) == [10, 50, 90, 50, 10, 50, 90, 50, 10]


def test_folder_of_one_and_two(tmp_path: Path, clock: FakeClock) -> None:
    write_picture(tmp_path / "a.png", 10)
    assert played(Folder(tmp_path, 2.0, clock=clock), 3) == [10, 10, 10]
    write_picture(tmp_path / "b.png", 50)
    assert played(Folder(tmp_path, 2.0, clock=clock), 5) == [10, 50, 10, 50, 10]


def test_folder_rate_and_where_a_pass_begins(tmp_path: Path, clock: FakeClock) -> None:
    for level in (10, 50, 90):
        write_picture(tmp_path / f"{level:03}.png", level)
    folder = Folder(tmp_path, 4.0, clock=clock)
    folder.open()
    began = clock.now_s
    assert [folder.read()[1] for _ in range(9)] == [True, False, False, False, True, False, False, False, True]
    assert clock.now_s - began == pytest.approx(8 / 4.0)


def test_folder_skips_what_is_no_picture_and_says_so_once(
    tmp_path: Path, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    write_picture(tmp_path / "a.png", 10)
    (tmp_path / "b.jpg").write_bytes(b"")
    (tmp_path / "c.jpg").write_bytes(b"\xff\xd8\xff\xe0 cut off")
    (tmp_path / "d.png").write_bytes(np.random.default_rng(1).bytes(4000))
    assert cv2.imwrite(str(tmp_path / "e.png"), grey(3, width=4, height=4))
    write_picture(tmp_path / "f.png", 90)
    (tmp_path / "g.jpg").mkdir()
    assert played(Folder(tmp_path, 2.0, clock=clock), 4) == [10, 90, 10, 90]
    assert [r.getMessage().split(":")[0].rsplit("/", 1)[1] for r in caplog.records] == [
        "b.jpg",
        "c.jpg",
        "d.png",
        "e.png",
    ]


def test_folder_takes_grey_and_alpha_and_leaves_exif_alone(tmp_path: Path, clock: FakeClock) -> None:
    from PIL import Image

    Image.new("L", (64, 32), 40).save(tmp_path / "a.png")
    Image.new("RGBA", (64, 32), (80, 80, 80, 10)).save(tmp_path / "b.png")
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by 90°
    Image.new("RGB", (64, 32), (120, 120, 120)).save(tmp_path / "c.jpg", exif=exif)
    folder = Folder(tmp_path, 2.0, clock=clock)
    folder.open()
    assert [folder.read()[0].shape for _ in range(3)] == [(32, 64, 3)] * 3


def test_folder_whose_pictures_vanish_fails_instead_of_spinning(tmp_path: Path, clock: FakeClock) -> None:
    picture = write_picture(tmp_path / "a.png", 10)
    folder = Folder(tmp_path, 2.0, clock=clock)
    folder.open()
    picture.unlink()
    with pytest.raises(SourceError, match="any more"):
        folder.read()


# --- video ---


def test_video_keeps_its_own_rate_and_begins_again(tmp_path: Path, clock: FakeClock) -> None:
    video = VideoFile(write_clip(tmp_path / "clip.avi", [20, 60, 100, 140], fps=10), clock=clock)
    video.open()
    began, seen = clock.now_s, []
    for _ in range(9):
        picture, begins = video.read()
        seen.append((round((clock.now_s - began) * 10), round(level_of(picture) / 20) * 20, begins))
    levels = itertools.cycle([20, 60, 100, 140])
    assert seen == [(i, next(levels), i % 4 == 0) for i in range(9)]


def test_video_skips_what_is_late(tmp_path: Path, clock: FakeClock) -> None:
    video = VideoFile(write_clip(tmp_path / "clip.avi", [20, 60, 100, 140, 180, 220], fps=10), clock=clock)
    video.open()
    assert level_of(video.read()[0]) == pytest.approx(20, abs=4)
    clock.pass_s(0.41)
    assert level_of(video.read()[0]) == pytest.approx(180, abs=4)


# --- what is refused, and how it is named ---


@pytest.mark.parametrize("content", [b"", b"no video at all", bytes(range(256)) * 50])
def test_a_file_that_is_no_video_is_refused_at_start(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(content)
    with pytest.raises(SourceError, match=r"clip\.mp4: not a video"):
        make_source(str(path), 2.0)


def test_missing_things_are_refused_at_start(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no such file or folder"):
        make_source(str(tmp_path / "nothing.mp4"), 2.0)
    with pytest.raises(SourceError, match="no picture in this folder"):
        make_source(str(tmp_path), 2.0)
    with pytest.raises(SourceError, match="ftp:// is not known"):
        make_source("ftp://user:secret@host/x", 2.0)


def test_an_absent_webcam_says_so_when_it_is_opened() -> None:
    webcam = make_source("97", 2.0)
    assert isinstance(webcam, Webcam)
    with pytest.raises(SourceError, match="97"):
        webcam.open()


def test_streams_are_shown_without_their_password(monkeypatch: pytest.MonkeyPatch) -> None:
    assert shown_source("rtsp://admin:geheim@10.0.0.7/live") == "rtsp://***@10.0.0.7/live"
    assert shown_source("clips/door.mp4") == "clips/door.mp4"
    stream = make_source("rtsp://admin:geheim@127.0.0.1:1/live", 2.0)
    assert isinstance(stream, Stream)
    with pytest.raises(SourceError) as caught:
        stream.open()
    assert "geheim" not in str(caught.value)
