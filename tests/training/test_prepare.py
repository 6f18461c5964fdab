"""Preparing faces: found, cut out, resumed after anything, reported by name."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from deploy.cli import app
from tests.training.faces import admiral, astronaut, darker, drawn, two_people, write
from training.dataset import BadData, read_folder
from training.face_cropper import CropRule, Outcome
from training.pictures import open_faces
from training.prepare import check_destination, prepare
from training.prepare_journal import NAME

RULE = CropRule()


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The detector's converted networks, made once."""
    return tmp_path_factory.mktemp("home") / "cache"


def snapshot(root: Path) -> dict[str, tuple[bytes, int]]:
    return {str(path): (path.read_bytes(), path.stat().st_mtime_ns) for path in root.rglob("*.jpg")}


def test_hostile_pictures_are_left_out_and_named_and_the_others_prepared(tmp_path: Path, cache: Path) -> None:
    source, destination = two_people(tmp_path / "src"), tmp_path / "dst"
    write(source / "Eileen" / "take2" / "wall.png", drawn(1, 200))
    (source / "Grace" / "broken.jpg").write_bytes((source / "Grace" / "0.jpg").read_bytes()[:2000])
    (source / "Grace" / "text.jpg").write_text("no picture")
    shutil.copy(source / "Eileen" / "0.jpg", source / "Eileen" / "copy.jpg")
    (source / "Nobody").mkdir()
    shutil.copy(source / "Grace" / "1.jpg", source / "Nobody" / "9.jpg")
    write(source / "Wall" / "0.jpg", drawn(2, 200))
    heard: list[tuple[int, int]] = []
    report = prepare(source, destination, RULE, cache=cache, processes=1, on_progress=lambda *a: heard.append(a))
    assert read_folder(destination).files == [
        *("Eileen/0.jpg", "Eileen/1.jpg", "Eileen/copy.jpg"),
        *("Grace/0.jpg", "Grace/1.jpg", "Nobody/9.jpg"),
    ]
    assert cv2.imread(str(destination / "Grace" / "1.jpg")).shape == (182, 182, 3)
    assert report.no_face == ["Eileen/take2/wall.png", "Wall/0.jpg"]
    assert sorted(report.corrupt) == ["Grace/broken.jpg", "Grace/text.jpg"]
    assert "truncated" in report.corrupt["Grace/broken.jpg"]
    assert report.duplicates.within == [["Eileen/0.jpg", "Eileen/copy.jpg"]]
    assert report.duplicates.across == [["Grace/1.jpg", "Nobody/9.jpg"]]
    assert (report.one_picture, report.left_out) == (["Nobody"], ["Wall"])
    assert (report.pictures, report.usable, report.identities, report.already) == (10, 6, 3, 0)
    assert (heard[0], heard[-1]) == ((0, 10), (10, 10))
    rows = {(file, finding) for file, finding, _ in report.findings()}
    assert {("Wall/0.jpg", "no_face"), ("Grace/text.jpg", "corrupt"), ("Nobody/9.jpg", "copy_of_others")} <= rows


def test_the_five_point_crop_puts_the_eyes_on_one_level(tmp_path: Path, cache: Path) -> None:
    turn = cv2.getRotationMatrix2D((120, 120), 20, 1)
    tilted = np.asarray(cv2.warpAffine(astronaut(), turn, (240, 240)), np.uint8)
    source = write(tmp_path / "src" / "Eileen" / "0.jpg", tilted).parent.parent
    rule = CropRule(112, "five-points")
    prepare(source, tmp_path / "dst", rule, cache=cache, processes=1)
    chip = cv2.cvtColor(cv2.imread(str(tmp_path / "dst" / "Eileen" / "0.jpg")), cv2.COLOR_BGR2RGB)
    assert chip.shape == (112, 112, 3)
    from training.embedding import open_detector

    bordered = np.asarray(cv2.copyMakeBorder(chip, 60, 60, 60, 60, cv2.BORDER_REPLICATE), np.uint8)
    left, right = open_detector(cache).find([bordered])[0][0].landmarks[:2]
    assert abs(left[1] - right[1]) < 4
    assert 30 < right[0] - left[0] < 42


def test_of_several_faces_the_one_that_dominates_is_taken(tmp_path: Path, cache: Path) -> None:
    beside = np.hstack([cv2.resize(admiral(), (80, 80)), np.zeros((80, 40, 3), np.uint8)])
    picture = np.hstack([astronaut(), np.vstack([np.zeros((160, 120, 3), np.uint8), beside])])
    source = write(tmp_path / "src" / "Eileen" / "0.jpg", np.asarray(picture, np.uint8)).parent.parent
    write(source / "Eileen" / "alone.jpg", astronaut())
    report = prepare(source, tmp_path / "dst", RULE, cache=cache, processes=1)
    assert report.several_faces == 1
    both, alone = (cv2.imread(str(tmp_path / "dst" / "Eileen" / name)).astype(float) for name in ("0.jpg", "alone.jpg"))
    assert np.abs(both - alone).mean() < 10


def test_pictures_without_a_face_can_be_kept_by_their_centre(tmp_path: Path, cache: Path) -> None:
    source = write(tmp_path / "src" / "Wall" / "0.jpg", drawn(2, 200)).parent.parent
    report = prepare(source, tmp_path / "dst", CropRule(keep_faceless=True), cache=cache, processes=1)
    assert (report.faceless_kept, report.no_face) == (["Wall/0.jpg"], [])
    assert read_folder(tmp_path / "dst").files == ["Wall/0.jpg"]


def test_a_second_run_does_only_what_is_missing_or_was_corrupt(tmp_path: Path, cache: Path) -> None:
    source, destination = two_people(tmp_path / "src"), tmp_path / "dst"
    good = (source / "Grace" / "1.jpg").read_bytes()
    (source / "Grace" / "1.jpg").write_bytes(b"broken")
    prepare(source, destination, RULE, cache=cache, processes=1)
    before = snapshot(destination)
    assert len(before) == 3
    (destination / "Eileen" / "1.jpg").unlink()  # as after a power cut: noted as done, but not there
    (source / "Grace" / "1.jpg").write_bytes(good)
    with (destination / NAME).open("ab") as journal:
        journal.write(b'{"file": "Eileen/0.jpg", "outc')  # as after kill -9
    report = prepare(source, destination, RULE, cache=cache, processes=1)
    after = snapshot(destination)
    assert (report.already, report.usable, report.corrupt) == (2, 4, {})
    assert {path: after[path] for path in before if "Eileen/1" not in path}.items() <= before.items()
    assert prepare(source, destination, RULE, cache=cache, processes=1).already == 4


def test_copies_can_be_dropped_and_stay_so(tmp_path: Path, cache: Path) -> None:
    source, destination = two_people(tmp_path / "src"), tmp_path / "dst"
    shutil.copy(source / "Eileen" / "0.jpg", source / "Eileen" / "copy.jpg")
    shutil.copy(source / "Grace" / "1.jpg", source / "Eileen" / "whose.jpg")
    for already in (0, 6):
        report = prepare(source, destination, RULE, cache=cache, processes=1, drop_duplicates=True)
        assert read_folder(destination).files == ["Eileen/0.jpg", "Eileen/1.jpg", "Grace/0.jpg"]
        assert report.dropped_duplicates == ["Eileen/copy.jpg", "Eileen/whose.jpg", "Grace/1.jpg"]
        assert report.already == already
        assert report.outcomes[Outcome.DUPLICATE] == 3


def test_another_rule_or_source_is_refused_in_a_folder_that_was_begun(tmp_path: Path, cache: Path) -> None:
    source = two_people(tmp_path / "src", 1)
    prepare(source, tmp_path / "dst", RULE, cache=cache, processes=1)
    with pytest.raises(BadData, match="size_px was 182, now 112; crop was mtcnn-margin, now five-points"):
        prepare(source, tmp_path / "dst", CropRule(112, "five-points"), cache=cache, processes=1)
    with pytest.raises(BadData, match="source was"):
        prepare(two_people(tmp_path / "other", 1), tmp_path / "dst", RULE, cache=cache, processes=1)
    (tmp_path / "dst" / NAME).write_text("[1]\nnot json\n")
    with pytest.raises(BadData, match="damaged"):
        prepare(source, tmp_path / "dst", RULE, cache=cache, processes=1)


def test_sources_that_would_overwrite_each_other_are_named(tmp_path: Path, cache: Path) -> None:
    source = two_people(tmp_path / "src", 1)
    write(source / "Eileen" / "x.png", drawn(0))
    write(source / "Eileen" / "x.png.jpg", drawn(1))
    with pytest.raises(BadData, match=r"Eileen/x\.png and Eileen/x\.png\.jpg would both become"):
        prepare(source, tmp_path / "dst", RULE, cache=cache, processes=1)


def test_a_destination_inside_the_source_or_around_it_or_that_is_a_file_is_refused(tmp_path: Path) -> None:
    source = two_people(tmp_path / "src", 1)
    for destination in (source, source / "faces", tmp_path):
        with pytest.raises(BadData, match="lie in each other"):
            check_destination(source, destination)
    (tmp_path / "file").write_text("x")
    for destination in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(BadData, match="can't be the destination"):
            check_destination(source, destination)


@pytest.mark.skipif(os.getuid() == 0, reason="root writes everywhere")
def test_a_destination_without_permission_is_refused(tmp_path: Path) -> None:
    (tmp_path / "dst").mkdir(mode=0o500)
    with pytest.raises(BadData, match="can't be the destination"):
        check_destination(two_people(tmp_path / "src", 1), tmp_path / "dst")


def many(root: Path, count: int) -> Path:
    for i in range(count):
        write(root / f"person{i % 4}" / f"{i}.jpg", darker(astronaut(), 0.005 * i))
    return root


@pytest.mark.long
def test_kill_minus_nine_costs_nothing_and_leaves_no_process_behind(tmp_path: Path, cache: Path) -> None:
    source, destination = many(tmp_path / "src", 64), tmp_path / "dst"
    command = [
        sys.executable,
        "-m",
        "deploy.cli",
        "train",
        "prepare",
        str(source),
        str(destination),
        "--processes",
        "2",
    ]
    environment = {**os.environ, "ATTENDANCE_HOME": str(cache.parent)}
    run = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not (destination / NAME).exists() or (destination / NAME).read_bytes().count(b"\n") < 17:
        assert time.monotonic() < deadline, "nothing was done in a minute"
        assert run.poll() is None, "it was done before it could be killed"
        time.sleep(0.01)
    children = [int(p) for p in Path(f"/proc/{run.pid}/task/{run.pid}/children").read_text().split()]
    run.send_signal(signal.SIGKILL)
    run.wait(timeout=10)
    while any(_alive(child) for child in children):
        assert time.monotonic() < deadline, "processes outlived their parent"
        time.sleep(0.02)
    done = snapshot(destination)
    report = prepare(source, destination, RULE, cache=cache, processes=1)
    assert 16 <= report.already < 64
    assert report.usable == len(read_folder(destination)) == 64
    noted = [json.loads(line)["file"] for line in (destination / NAME).read_bytes().splitlines()[1:]]
    assert len(noted) == len(set(noted)) == 64, "nothing was noted twice"
    after = snapshot(destination)
    assert sum(after[path] == done[path] for path in done) >= report.already, "what was done is as it was"
    assert not list(destination.rglob("*.draft*")), "drafts of killed processes are cleared away"


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def test_the_command_prepares_packs_and_reports(tmp_path: Path, cache: Path) -> None:
    source = two_people(tmp_path / "src")
    write(source / "Wall" / "0.jpg", drawn(2, 200))
    environment = {"ATTENDANCE_HOME": str(cache.parent)}

    def call(*arguments: str) -> tuple[int, str]:
        result = CliRunner().invoke(app, ["train", *arguments], env=environment)
        return result.exit_code, result.output

    pack, table = tmp_path / "faces.pack", tmp_path / "report.csv"
    code, text = call("prepare", str(source), str(tmp_path / "dst"), "--pack", str(pack), "--report", str(table))
    assert code == 0, text
    assert "4 faces of 2 people from 5 pictures" in text
    assert '"Wall/0.jpg","no_face",""' in table.read_text().splitlines()
    assert open_faces(pack).identities == ["Eileen", "Grace"]
    code, text = call("reading", str(tmp_path / "dst"), str(pack), "--processes", "0", "--seconds", "0.1", "--json")
    assert code == 0, text
    rates = json.loads(text.splitlines()[-1])["rates"]
    assert len(rates) == 8
    assert all(rate["pictures_a_second"] > 0 for rate in rates)
    code, text = call("steps", str(source / "Eileen" / "0.jpg"), "--to", str(tmp_path / "steps"))
    assert code == 0, text
    assert sorted(p.name for p in (tmp_path / "steps").iterdir()) == [
        "preprocessing-test.png",
        "preprocessing-train.png",
    ]
    for arguments in (("prepare", str(tmp_path / "no"), str(tmp_path / "x")), ("reading", str(table)), ("steps",)):
        assert call(*arguments)[0] == 2
    code, text = call("steps", str(source / "Wall" / "0.jpg"), "--to", str(tmp_path / "steps"))
    assert (code, "no face was found" in text) == (2, True)
