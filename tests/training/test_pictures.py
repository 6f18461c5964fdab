"""Pictures from folders and packed files: equal, safe in several processes, and never silently wrong."""

import os
import pickle
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.training.faces import drawn, drawn_folder, write
from training.dataset import BadData, hashes_of, read_folder
from training.packing import FOOTER, MAGIC, read_index, write_pack
from training.pictures import BadPicture, FolderPictures, PackedPictures, decode, open_faces, pictures_of


@pytest.fixture
def faces(tmp_path: Path) -> Path:
    return drawn_folder(tmp_path / "faces", {"ann": 3, "bo ő": 2})


@pytest.fixture
def pack(faces: Path, tmp_path: Path) -> Path:
    write_pack(read_folder(faces), tmp_path / "faces.pack")
    return tmp_path / "faces.pack"


def test_a_packed_file_holds_the_same_pictures_people_and_hashes(faces: Path, pack: Path) -> None:
    folder, packed = read_folder(faces), open_faces(pack)
    assert (packed.files, packed.identities) == (folder.files, folder.identities)
    assert packed.labels.tolist() == folder.labels.tolist()
    assert packed.hashes == hashes_of(folder)
    loose, tight = pictures_of(open_faces(faces)), pictures_of(packed)
    assert isinstance(loose, FolderPictures)
    assert isinstance(tight, PackedPictures)
    assert len(loose) == len(tight) == 5
    for i in (4, 0, 2):
        assert (loose.read(i) == tight.read(i)).all()


def test_a_part_of_a_packed_file_reads_its_own_pictures(pack: Path) -> None:
    whole = open_faces(pack)
    part = whole.part([4, 1])
    assert (pictures_of(part).read(1) == pictures_of(whole).read(4)).all()
    with pytest.raises(BadData, match=r"elsewhere\.jpg isn't in it"):
        PackedPictures(pack, type(whole)(pack, ["elsewhere.jpg"], whole.labels[:1], ["x"], ["00"]))


def _first_pixels(pictures: PackedPictures) -> list[int]:
    return [int(pictures.read(i)[0, 0, 0]) for i in range(len(pictures))]


@pytest.mark.parametrize("start", ["fork", "spawn"])
def test_other_processes_open_the_file_for_themselves(pack: Path, start: str) -> None:
    pictures = PackedPictures(pack)
    here = _first_pixels(pictures)
    assert len(pickle.dumps(pictures)) < 10_000, "the mapped file mustn't travel"
    with ProcessPoolExecutor(2, mp_context=get_context(start)) as pool:
        assert list(pool.map(_first_pixels, [pictures] * 2)) == [here, here]


@pytest.mark.parametrize("cut", [1, FOOTER.size, 200, "all but the head"])
def test_a_file_that_was_cut_short_is_refused(pack: Path, cut: int | str) -> None:
    data = pack.read_bytes()
    pack.write_bytes(data[: len(MAGIC)] if isinstance(cut, str) else data[:-cut])
    with pytest.raises(BadData, match="pack"):
        open_faces(pack)


def test_a_changed_index_is_refused_and_a_changed_picture_named(pack: Path) -> None:
    data = bytearray(pack.read_bytes())
    start = FOOTER.unpack(data[-FOOTER.size :])[0]
    changed = bytearray(data)
    changed[start + 50] ^= 1
    pack.write_bytes(changed)
    with pytest.raises(BadData, match="index has changed"):
        open_faces(pack)
    changed = bytearray(data)
    changed[read_index_offset(data, pack, 3) + 20] ^= 1
    pack.write_bytes(changed)
    pictures = PackedPictures(pack)
    pictures.read(2)
    with pytest.raises(BadPicture, match=r"^bo ő/0\.jpg: damaged in .*faces\.pack"):
        pictures.read(3)


def read_index_offset(data: bytearray, pack: Path, number: int) -> int:
    pack.write_bytes(data)
    return int(read_index(pack).offsets[number])


@pytest.mark.parametrize("content", [b"", b"no pictures at all", MAGIC + bytes(FOOTER.size), os.urandom(500)])
def test_a_file_of_something_else_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.pack").write_bytes(content)
    with pytest.raises(BadData, match=r"x\.pack"):
        open_faces(tmp_path / "x.pack")


def test_packing_that_fails_leaves_what_was_there(faces: Path, pack: Path) -> None:
    before = pack.read_bytes()
    folder = read_folder(faces)
    (faces / "ann" / "2.jpg").unlink()
    with pytest.raises(BadData, match=r"ann/2\.jpg: can't be read"):
        write_pack(folder, pack)
    assert pack.read_bytes() == before
    assert [path.name for path in pack.parent.iterdir() if path.is_file()] == ["faces.pack"]
    with pytest.raises(BadData, match="can't be written"):
        write_pack(read_folder(faces), faces / "nowhere" / "x.pack")


def test_equal_folders_make_equal_files(faces: Path, pack: Path, tmp_path: Path) -> None:
    write_pack(read_folder(faces), tmp_path / "again.pack")
    assert (tmp_path / "again.pack").read_bytes() == pack.read_bytes()


@pytest.mark.parametrize("suffix", [".png", ".webp", ".bmp", ".jpg", ".tif"])
def test_other_kinds_of_pictures_are_read_too(tmp_path: Path, suffix: str) -> None:
    picture = drawn(1)
    path = write(tmp_path / f"x{suffix}", picture)
    read = decode(path.read_bytes(), "x")
    assert read.shape == picture.shape
    if suffix in (".png", ".bmp", ".tif"):
        assert (read == picture).all()


def test_what_is_no_picture_or_not_whole_is_named_with_the_reason(tmp_path: Path) -> None:
    good = write(tmp_path / "a" / "0.jpg", drawn(0)).read_bytes()
    huge = b"P6 20000 20000 255\n"
    cases = {
        "1.jpg": (b"", "not a picture"),
        "2.jpg": (b"<html>", "not a picture"),
        "3.jpg": (good[: len(good) // 2], "truncated"),
        "4.jpg": (cv2.imencode(".png", drawn(0))[1].tobytes()[:60], "damaged|not a picture"),
        "5.jpg": (cv2.imencode(".png", np.zeros((4, 4, 3), np.uint8))[1].tobytes(), "4×4 pixels"),
        "6.jpg": (huge, "20000×20000 pixels|not a picture"),
    }
    for name, (data, _) in cases.items():
        (tmp_path / "a" / name).write_bytes(data)
    pictures = FolderPictures(read_folder(tmp_path))
    assert pictures.read(0).shape == (40, 40, 3)
    for i, (name, (_, reason)) in enumerate(cases.items(), start=1):
        with pytest.raises(BadPicture, match=rf"a/{name}: .*({reason})"):
            pictures.read(i)


def test_a_photograph_is_turned_as_its_camera_says(tmp_path: Path) -> None:
    from PIL import Image

    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90° to see it upright
    Image.fromarray(drawn(0)[:20]).save(tmp_path / "x.jpg", exif=exif)
    assert decode((tmp_path / "x.jpg").read_bytes(), "x").shape == (40, 20, 3)
