"""A network that a site brings becomes a bundle with measured thresholds, or nothing at all is left of it."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result
from typer.testing import CliRunner

from deploy.cli import app
from tests.training.drawn_people import write_people
from tests.training.faces import drawn_folder
from tests.worker.bundles import mean_network, write_onnx
from training import adopt, calibration
from training.prepare_journal import NAME as JOURNAL
from worker import recogniser
from worker.protocol.bundle import CARD, INFO, ONNX, ModelInfo

WEIGHTS = np.random.default_rng(3).normal(size=(3, 6)).astype(np.float32)
FORM = ["--input-px", "32", "--crop", "five-points", "--channels", "BGR", "--mean", "127.5", "--std", "128"]


@pytest.fixture(autouse=True)
def _small_sets_will_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATTENDANCE_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(calibration, "SAME_PERSON_COSINE", 1.1)  # to SFace all drawings are alike
    monkeypatch.setattr(calibration, "LEAST_ERRORS", 1)


@pytest.fixture
def network(tmp_path: Path) -> Path:
    write_onnx(tmp_path / "arcface.onnx", mean_network(32, WEIGHTS))
    return tmp_path / "arcface.onnx"


@pytest.fixture
def people(tmp_path: Path) -> Path:
    return write_people(tmp_path / "people", {f"p{i:02d}": 3 for i in range(16)})


def call(network: Path, people: Path, *more: str, form: list[str] = FORM) -> Result:
    to = network.parent / "bundles" / "own"
    command = ["train", "adopt", str(network), "--to", str(to), "--people", str(people), "--licence", "ours"]
    return CliRunner().invoke(app, [*command, *form, *more])


def refused(done: Result, said: str, left: Path) -> None:
    assert done.exit_code == 2, done.output
    assert said in " ".join(done.output.split())
    assert not left.exists() or not list(left.iterdir())


def test_it_becomes_a_bundle_whose_thresholds_were_measured(network: Path, people: Path, tmp_path: Path) -> None:
    done = call(network, people)
    assert done.exit_code == 0, done.output
    assert "Colleagues look more alike" in done.stderr  # no --strangers
    assert "taken as cut by five-points" in done.stderr
    folder = tmp_path / "bundles" / "own"
    assert sorted(file.name for file in folder.iterdir()) == [CARD, INFO, ONNX]
    assert [file.name for file in folder.parent.iterdir()] == ["own"]
    assert folder.stat().st_mode & 0o777 == (folder.parent).stat().st_mode & 0o777  # a service can read it
    info = recogniser.check(str(folder))
    assert (info.embedding_size, info.channels, info.mean, info.std) == (6, "BGR", [127.5], [128.0])
    assert info.licence == "ours"
    assert [point.false_match_rate for point in info.thresholds] == [1e-2, 1e-3]
    assert "people: 16 people, 48 pictures, 48 genuine and 1080 impostor pairs" in info.threshold_source
    assert "nobody has said whether the network was trained on them" in info.threshold_source
    assert info.threshold_source in (folder / CARD).read_text()
    model = recogniser.open_embedder(str(folder), "cpu", tmp_path / "cache", 1)
    assert model.embed([(np.full((32, 32, 3), 9, np.uint8),)]).shape == (1, 6)


def test_the_worst_group_of_strangers_counts(network: Path, people: Path, tmp_path: Path) -> None:
    assert call(network, people).exit_code == 0
    large = json.loads((tmp_path / "bundles" / "own" / INFO).read_text())["thresholds"]
    (tmp_path / "bundles" / "own").rename(tmp_path / "before")
    strangers = drawn_folder(tmp_path / "groups", {"east": 20, "west": 20})
    done = call(network, people, "--strangers", str(strangers))
    assert done.exit_code == 0, done.output
    assert "Colleagues" not in done.stderr
    info = ModelInfo.model_validate_json((tmp_path / "bundles" / "own" / INFO).read_bytes())
    assert info.thresholds[0].distance <= large[0]["distance"]
    assert "strangers of one group, the worst group counts (pictures: east 20, west 20" in info.threshold_source


def test_faces_that_were_cut_otherwise_are_sought_again(
    network: Path, people: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    class Detector:
        def find(self, pictures: list[np.ndarray]) -> list[list]:
            seen.extend(pictures)
            return [[] for _ in pictures]

    monkeypatch.setattr("training.teacher.open_detector", lambda cache: Detector())
    (people / JOURNAL).write_text(json.dumps({"rule": {"crop": "mtcnn-margin"}}) + "\n")
    done = call(network, people)
    assert done.exit_code == 0, done.output
    assert "cut by mtcnn-margin: the detector looks for each face again" in done.stderr
    assert len(seen) == 48


def test_too_few_strangers(network: Path, tmp_path: Path) -> None:
    few = write_people(tmp_path / "few", {"a": 2, "b": 2})
    refused(call(network, few), "too few pairs of strangers for any threshold (4)", tmp_path / "bundles")


@pytest.mark.parametrize(
    ("option", "values", "said"),
    [
        ("--input-px", ["64"], "takes n×3×32×32, but the command says n×3×64×64"),
        ("--std", ["0"], "std [0.0]: above 0"),
        ("--mean", ["1", "2"], "mean has 2 numbers"),
        ("--mean", ["nan"], "mean.0: Input should be a finite number"),
    ],
)
def test_numbers_that_dont_fit(
    network: Path, people: Path, tmp_path: Path, option: str, values: list[str], said: str
) -> None:
    at = FORM.index(option)
    form = FORM[:at] + FORM[at + 2 :] + [word for value in values for word in (option, value)]
    done = call(network, people, form=form)
    refused(done, said, tmp_path / "bundles")
    assert "bundle/model.onnx" not in done.output  # the draft is none of theirs


@pytest.mark.parametrize("content", [b"", b"no network", b"\x08" * 100])
def test_a_file_that_is_no_network(network: Path, people: Path, tmp_path: Path, content: bytes) -> None:
    network.write_bytes(content)
    refused(call(network, people), "arcface.onnx", tmp_path / "bundles")


def test_a_network_without_an_answer(network: Path, people: Path, tmp_path: Path) -> None:
    write_onnx(network, mean_network(32, np.full((3, 6), math.nan, np.float32)))
    refused(call(network, people), "arcface.onnx: answers with NaN", tmp_path / "bundles")
    write_onnx(network, mean_network(32, np.zeros((3, 6), np.float32)))
    refused(call(network, people), "a template without direction", tmp_path / "bundles")


def test_a_folder_with_something_in_it_is_left_alone(network: Path, people: Path, tmp_path: Path) -> None:
    folder = tmp_path / "bundles" / "own"
    folder.mkdir(parents=True)
    (folder / "notes").write_text("mine")
    done = call(network, people)
    assert done.exit_code == 2
    assert "isn't empty; give a new folder" in done.output
    assert [file.name for file in folder.iterdir()] == ["notes"]
    (folder / "notes").unlink()
    assert call(network, people).exit_code == 0  # an empty one will do


def test_what_isnt_there(network: Path, people: Path, tmp_path: Path) -> None:
    refused(call(network, tmp_path / "nobody"), "there is no such folder", tmp_path / "bundles")
    refused(call(network, people, "--licence", " "), "--licence is empty", tmp_path / "bundles")
    network.unlink()
    refused(call(network, people), "an ONNX network is needed", tmp_path / "bundles")


def test_a_stop_in_the_middle_leaves_nothing(
    network: Path, people: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(adopt, "prepared_embeddings", stop)
    assert call(network, people).exit_code != 0
    assert list((tmp_path / "bundles").iterdir()) == []
