"""`attendance model push` to real receivers: everybody gets the bundle, Redis holds a window of it, and who fails is named."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deploy import model_push
from deploy.errors import Problem
from deploy.operator import SiteClients
from tests.conftest import RedisPair
from tests.worker.bundles import small_bundle, small_fusion, small_onnx
from tests.worker.fakes import until
from worker import bundle_receiver
from worker.bundle_receiver import BundleReceiver
from worker.model_store import ModelStore
from worker.protocol import keys
from worker.protocol.bundle import WEIGHTS, BadBundle
from worker.protocol.connection import connect
from worker.protocol.heartbeats import Heart
from worker.protocol.transfer import CHUNK_BYTES, WINDOW

OWN = {"sface-0123456789ab": "sface"}


class Machine:
    """A worker as far as models go: a heart that says what it holds, and a receiver."""

    def __init__(self, pair: RedisPair, folder: Path, name: str, shard: str, receives: bool = True) -> None:
        url = pair.live_server.url()
        self.store = ModelStore(folder, OWN)
        report = {"model_id": next(iter(OWN)), "ready": True}
        self.heart = Heart(
            connect(url, name=name), shard, "worker", name, lambda: report | {"models_held": self.store.held()}
        )
        self.receiver = BundleReceiver(connect(url, name=name), shard, name, self.store)
        self.heart.beat()
        self.heart.start()
        if receives:
            self.receiver.start()

    def stop(self) -> None:
        self.heart.stop(last_words=False)
        self.receiver.stop()


Start = Callable[..., Machine]


@pytest.fixture
def machine(redis_pair: RedisPair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    monkeypatch.setattr(bundle_receiver, "POLL_S", 0.05)
    made: list[Machine] = []

    def start(name: str, shard: str = "s0", home: str = "", **more: bool) -> Machine:
        made.append(Machine(redis_pair, tmp_path / (home or name), name, shard, **more))
        return made[-1]

    yield start
    for one in made:
        one.stop()


@pytest.fixture
def sites(redis_pair: RedisPair) -> list[SiteClients]:
    return [SiteClients(redis_pair.live, redis_pair.ledger, "s0")]


def push(sites: list[SiteClients], folder: Path) -> list[str]:
    said: list[str] = []
    model_push.push(sites, folder, said.append, lambda *_: None)
    return said


def leftovers(pair: RedisPair) -> list[bytes]:
    return list(pair.live.scan_iter(match="bundle*"))


def test_every_worker_of_every_shard(redis_pair: RedisPair, machine: Start, tmp_path: Path) -> None:
    info = small_bundle(tmp_path / "bundle", size=3_200_000)
    machines = [
        *(machine("w1"), machine("w2"), machine("w3", home="w2")),  # two of them share a home
        machine("w1", "s1", home="other"),
    ]
    sites = [SiteClients(redis_pair.live, redis_pair.ledger, shard) for shard in ("s0", "s1")]
    assert push(sites, tmp_path / "bundle") == [f"{info.id}: 4 workers took it, 0 had it"]
    assert all(info.id in one.store.held() for one in machines)
    assert leftovers(redis_pair) == []
    until(lambda: push(sites, tmp_path / "bundle") == [f"{info.id}: 0 workers took it, 4 had it"])


@pytest.mark.parametrize("kind", ["onnx", "fusion"])
def test_bundles_with_other_weights_or_none(
    redis_pair: RedisPair, machine: Start, sites, tmp_path: Path, kind: str
) -> None:
    folder = tmp_path / "bundle"
    parts = ["sface-0123456789ab", "resnet50-triplet-0123456789ab"]
    said = small_onnx(folder) if kind == "onnx" else small_fusion(folder, parts)
    one = machine("w1")
    assert push(sites, folder) == [f"{said['id']}: 1 workers took it, 0 had it"]
    taken = one.store.folder / str(said["id"])
    assert {path.name for path in taken.iterdir()} == {path.name for path in folder.iterdir()}
    for path in folder.iterdir():
        assert (taken / path.name).read_bytes() == path.read_bytes()


def test_redis_holds_no_more_than_a_window(redis_pair: RedisPair, machine: Start, sites, tmp_path: Path) -> None:
    info = small_bundle(tmp_path / "bundle", size=30 * CHUNK_BYTES)
    one = machine("w1")
    before, most = int(redis_pair.live.info("memory")["used_memory"]), 0
    pushing = threading.Thread(target=push, args=(sites, tmp_path / "bundle"))
    pushing.start()
    while pushing.is_alive():
        most = max(most, int(redis_pair.live.info("memory")["used_memory"]) - before)
    pushing.join()
    assert info.id in one.store.held()
    assert most < (WINDOW + 8) * 1_100_000, "a window of chunks, and what is on its way in buffers"


def test_a_worker_that_dies_meanwhile_is_named(redis_pair: RedisPair, machine: Start, sites, tmp_path: Path) -> None:
    small_bundle(tmp_path / "bundle")
    alive, dead = machine("w1"), machine("w2", receives=False)
    threading.Timer(0.5, dead.heart.stop, kwargs={"last_words": False}).start()
    with pytest.raises(Problem, match="worker s0/w2: ended before it had everything"):
        push(sites, tmp_path / "bundle")
    assert len(alive.store.held()) == 2
    assert leftovers(redis_pair) == []


def test_a_worker_that_takes_nothing_is_named(
    redis_pair: RedisPair, machine: Start, sites, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model_push, "PATIENCE_S", 1.0)
    small_bundle(tmp_path / "bundle")
    machine("w1", receives=False)
    with pytest.raises(Problem, match="worker s0/w1: took nothing for 1 s; is its version older"):
        push(sites, tmp_path / "bundle")
    assert leftovers(redis_pair) == []


def test_a_bundle_that_changes_meanwhile_is_refused_by_the_worker(
    redis_pair: RedisPair, machine: Start, sites, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "bundle"
    small_bundle(folder)
    make_offer = model_push.make_offer

    def spoiled(one: Path) -> model_push.Offer:
        offer = make_offer(one)
        with (folder / WEIGHTS).open("r+b") as file:
            file.seek(1_500_000)
            file.write(b"other bytes")
        return offer

    monkeypatch.setattr(model_push, "make_offer", spoiled)
    one = machine("w1")
    with pytest.raises(Problem, match=r"worker s0/w1: model.safetensors: SHA-256 .* was announced"):
        push(sites, folder)
    assert one.store.held() == list(OWN)


def test_what_isnt_a_bundle_never_leaves(redis_pair: RedisPair, machine: Start, sites, tmp_path: Path) -> None:
    machine("w1")
    with pytest.raises(BadBundle, match="not there"):
        push(sites, tmp_path / "nothing")
    small_bundle(tmp_path / "bundle")
    (tmp_path / "bundle" / WEIGHTS).write_bytes(b"cut off")
    with pytest.raises(BadBundle, match="copy the bundle again"):
        push(sites, tmp_path / "bundle")
    assert leftovers(redis_pair) == []


def test_two_pushes_and_none_to_push_to(redis_pair: RedisPair, machine: Start, sites, tmp_path: Path) -> None:
    small_bundle(tmp_path / "bundle")
    with pytest.raises(Problem, match="no worker is running"):
        push(sites, tmp_path / "bundle")
    machine("w1")
    redis_pair.live.set(keys.bundle_offer("s0"), b"somebody else's")
    with pytest.raises(Problem, match="another push is under way"):
        push(sites, tmp_path / "bundle")
    assert redis_pair.live.get(keys.bundle_offer("s0")) == b"somebody else's"
