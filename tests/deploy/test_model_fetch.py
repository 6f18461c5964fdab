"""Fetching facenet's weights from a server of our own: random ones of the true shape, and files that aren't any."""

import hashlib
import pickle
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import Result
from facenet_pytorch import InceptionResnetV1
from torch import nn
from typer.testing import CliRunner

from deploy.cli import app
from tests.deploy.weights_server import Weights, serving
from tests.training.drawn_people import write_people
from training import calibration, facenet
from worker import recogniser
from worker.protocol.bundle import CARD, file_sha256


def random_weights() -> dict[str, torch.Tensor]:
    torch.manual_seed(1)
    network = InceptionResnetV1(pretrained=None)
    network.logits = nn.Linear(facenet.NUMBERS, facenet.PEOPLE)
    return dict(network.state_dict())


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("published") / "weights.pt"
    torch.save(random_weights(), path)
    return path


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Weights]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with serving() as found:
        yield found


@pytest.fixture
def people(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ATTENDANCE_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(calibration, "LEAST_ERRORS", 1)
    return write_people(tmp_path / "people", {f"p{i:02d}": 2 for i in range(8)})


def call(people: Path, url: str, *more: str, answer: str | None = None) -> Result:
    to = people.parent / "bundle"
    command = ["model", "fetch", "facenet", "--to", str(to), "--people", str(people), "--url", url]
    return CliRunner().invoke(app, [*command, *more], input=answer)


def words(done: Result) -> str:
    return " ".join(done.output.split())


def left(people: Path) -> list[str]:
    """Of a bundle, and of downloads."""
    found = [people.parent / "bundle", *(people.parent / "home").rglob("*.p*t")]
    return [path.name for path in found if path.exists()]


def test_it_becomes_a_bundle(server: Weights, weights: Path, people: Path) -> None:
    server.put(weights)
    url, digest = server.url("whole"), file_sha256(weights)
    done = call(people, f"{url}?key=secret", "--sha256", digest.upper(), answer="y\n")
    assert done.exit_code == 0, done.output
    assert "non-commercial use alone" in words(done)
    assert "secret" not in done.output
    folder = people.parent / "bundle"
    info = recogniser.check(str(folder))
    assert (info.embedding_size, info.input_px, info.crop, info.channels) == (512, 160, "mtcnn-margin", "RGB")
    assert (info.mean, info.std) == ([127.5], [128.0])
    assert "no commercial use" in info.licence
    card = (folder / CARD).read_text()
    assert f"Weights from {url}, SHA-256 {digest}" in card
    assert "secret" not in card
    face = np.random.default_rng(1).integers(0, 256, (160, 160, 3)).astype(np.uint8)
    (template,) = recogniser.open_embedder(str(folder), "cpu", people.parent / "cache", 1).embed([(face,)])
    pictures = torch.from_numpy((face.astype(np.float32) - 127.5) / 128).permute(2, 0, 1)[None]
    with torch.inference_mode():
        expected = facenet.read_network(weights)(pictures)[0].numpy() * 10
    np.testing.assert_allclose(template, expected, atol=1e-3)
    # A folder in use is refused before anything is asked.
    again = call(people, f"{url}?key=secret", "--accept-licence")
    assert "isn't empty; give a new folder" in words(again)
    assert len(server.asked) == 1


@pytest.mark.parametrize("answer", ["n\n", "", None])
def test_without_a_yes_nothing_is_fetched(server: Weights, people: Path, answer: str | None) -> None:
    done = call(people, server.url("whole"), answer=answer)
    assert done.exit_code == 2
    assert "nothing was fetched" in words(done)
    assert (server.asked, left(people)) == ([], [])


class Hostile:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return Path.touch, (Path("ran"),)  # type: ignore[return-value]


def write_hostile(path: Path) -> None:
    path.write_bytes(pickle.dumps({"conv2d_1a.conv.weight": Hostile()}, protocol=2))


def write_hostile_zip(path: Path) -> None:
    torch.save({"conv2d_1a.conv.weight": Hostile()}, path)


def write_bomb(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("archive/data.pkl", bytes(5_000_000))


def write_other_network(path: Path) -> None:
    torch.save(nn.Linear(3, 4).state_dict(), path)


def write_endless_tensor(path: Path) -> None:
    """A few bytes that claim to be a terabyte."""
    torch.save({"conv2d_1a.conv.weight": torch.zeros(1).expand(10**12)}, path)


@pytest.mark.parametrize(
    ("write", "said"),
    [
        (write_hostile, "no weights can be read from it"),
        (write_hostile_zip, "no weights can be read from it"),
        (write_bomb, "unpacks to 5 MB, which these weights never are"),
        (write_other_network, "isn't InceptionResnetV1's weights"),
        (write_endless_tensor, "isn't InceptionResnetV1's weights"),
        (lambda path: torch.save([1, 2], path), "no table of weights"),
        (lambda path: torch.save({1: torch.zeros(1)}, path), "no table of weights"),
        (lambda path: path.write_bytes(b"<html>log in first</html>"), "no weights can be read from it"),
        (lambda path: path.write_bytes(b""), "no weights can be read from it"),
    ],
    ids=["pickle", "zip", "bomb", "other", "endless", "list", "numbers", "page", "empty"],
)
def test_a_file_that_isnt_its_weights(  # type: ignore[no-untyped-def]
    server: Weights, people: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write, said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(facenet, "MOST_BYTES", 1_000_000)
    write(tmp_path / "weights.pt")
    server.put(tmp_path / "weights.pt")
    (tmp_path / "weights.pt").unlink()
    done = call(people, server.url("whole"), "--accept-licence")
    assert done.exit_code == 2, done.output
    assert said in words(done)
    assert not (tmp_path / "ran").exists()
    assert left(people) == []


def test_weights_of_other_shapes_or_without_numbers(weights: Path, tmp_path: Path) -> None:
    body = torch.load(weights, weights_only=True)
    name = "last_linear.weight"
    for change, said in (
        ({name: torch.zeros(512, 1791)}, "size mismatch for last_linear.weight"),
        ({name: torch.full((512, 1792), float("nan"))}, "NaN"),
        ({"more": torch.zeros(1)}, "Unexpected key"),
    ):
        torch.save(body | change, tmp_path / "w.pt")
        with pytest.raises(facenet.BadWeights, match=said):
            facenet.read_network(tmp_path / "w.pt")


@pytest.mark.parametrize(
    ("how", "more", "said"),
    [
        ("nothing", [], "the server answers 404"),
        ("cut", [], "cut off after"),
        ("whole", ["--sha256", "0" * 64], "isn't the 0000"),
        ("whole", ["--sha256", "abc"], "64 hexadecimal digits are needed"),
        ("whole", ["--strangers", "nowhere"], "there is no such folder"),
    ],
)
def test_what_goes_wrong_on_the_way(server: Weights, people: Path, how: str, more: list[str], said: str) -> None:
    server.files["weights.pt"] = b"x" * 1000
    done = call(people, server.url(how), "--accept-licence", *more)
    assert done.exit_code == 2, done.output
    assert said in words(done)
    assert left(people) == []


def test_what_was_fetched_earlier_is_looked_at_again(server: Weights, people: Path) -> None:
    url = server.url("whole")
    kept = (
        people.parent / "home" / "cache" / "downloads" / f"facenet-{hashlib.sha256(url.encode()).hexdigest()[:12]}.pt"
    )
    for more, said in ((["--sha256", "0" * 64], "isn't the 0000"), ([], "no weights can be read from it")):
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_bytes(b"spoilt")
        done = call(people, url, "--accept-licence", *more)
        assert "fetched earlier" in words(done)
        assert said in words(done)
        assert not kept.exists()
    assert server.asked == []


def test_the_address_is_the_installed_packages_own() -> None:
    address = facenet.published_at()
    assert address.startswith("https://")
    assert address.endswith("-vggface2.pt")
