"""A download is whole and the file that was meant, or nothing is left of it."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy import download as room
from deploy.download import address_words, download
from deploy.errors import Problem
from tests.deploy.weights_server import Weights, serving

BODY = bytes(range(256)) * 1000


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Weights]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with serving() as weights:
        weights.files["weights.pt"] = BODY
        yield weights


def refused(url: str, to: Path, said: str, most_bytes: int = 1_000_000, sha256: str | None = None) -> None:
    with pytest.raises(Problem) as caught:
        download(url, to, most_bytes, sha256)
    assert said in str(caught.value)
    assert not to.exists()
    assert not to.parent.exists() or list(to.parent.iterdir()) == []


def test_it_comes_whole(server: Weights, tmp_path: Path) -> None:
    to, seen = tmp_path / "new" / "w.pt", []
    digest = hashlib.sha256(BODY).hexdigest()
    download(server.url("whole"), to, len(BODY), digest, lambda done, of: seen.append((done, of)))
    assert to.read_bytes() == BODY
    assert [file.name for file in to.parent.iterdir()] == ["w.pt"]
    assert seen[-1] == (len(BODY), len(BODY))


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("nothing", "the server answers 404 Not Found"),
        ("cut", "cut off after 128000 of 256000 bytes"),
        ("huge", "more than 1 MB"),
        ("endless", "more than 1 MB"),
        ("elsewhere", "http://192.0.2.1/weights.pt: https:// is needed"),
    ],
)
def test_a_server_that_gives_something_else(server: Weights, tmp_path: Path, how: str, said: str) -> None:
    refused(server.url(how), tmp_path / "d" / "w.pt", said)


def test_another_file(server: Weights, tmp_path: Path) -> None:
    refused(server.url("whole"), tmp_path / "d" / "w.pt", "isn't the 0000", sha256="0" * 64)


def test_a_server_that_says_nothing(server: Weights, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "SILENCE_S", 0.2)
    refused(server.url("silent"), tmp_path / "d" / "w.pt", "0.2 s")


def test_a_server_that_trickles(server: Weights, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "LONGEST_S", 0.2)
    refused(server.url("trickle"), tmp_path / "d" / "w.pt", "not done within 0.2 s")


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://example.org/w.pt", "https:// is needed"),
        ("http://127.0.0.1.example.org/w.pt", "https:// is needed"),
        ("file:///etc/passwd", "https:// is needed"),
        ("ftp://127.0.0.1/w.pt", "https:// is needed"),
        ("https:///w.pt", "https:// is needed"),
        ("w.pt", "https:// is needed"),
        ("http://[::1", "no address"),
        ("http://127.0.0.1:1/w.pt", "can't be fetched"),
        ("http://127.0.0.1:port/w.pt", "can't be fetched"),
        ("http://127.0.0.1/a b\r\nX: y", "can't be fetched"),
    ],
)
def test_addresses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str, said: str) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    refused(url, tmp_path / "d" / "w.pt", said)


def test_secrets_of_an_address_are_not_shown() -> None:
    assert address_words("https://me:secret@example.org:444/w.pt?key=secret") == "https://example.org:444/w.pt"
