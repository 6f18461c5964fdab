"""A worker's side of a push: nothing of an offer is trusted, and only a whole bundle gets a place."""

import hashlib
import json
import shutil
from collections import namedtuple
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import RedisPair
from tests.worker.bundles import small_bundle
from tests.worker.fakes import until
from worker import bundle_receiver
from worker.bundle_receiver import BundleReceiver
from worker.model_store import ModelStore
from worker.protocol import keys
from worker.protocol.bundle import INFO, WEIGHTS, ModelInfo
from worker.protocol.connection import connect
from worker.protocol.transfer import MAX_BYTES, Offer, OfferedFile, Taken, read_taken

OWN = {"sface-0123456789ab": "sface"}


class Pusher:
    """Puts an offer and all its chunks at once, as a test wants them."""

    def __init__(self, pair: RedisPair, folder: Path) -> None:
        self.live, self.folder = pair.live, folder
        self.info: ModelInfo = small_bundle(folder)

    def offer(self, transfer: str = "t1", model_id: str | None = None, **sizes: int) -> Offer:
        files = []
        for name in (INFO, WEIGHTS):
            data = (self.folder / name).read_bytes()
            size = sizes.get(name.split(".")[1], len(data))
            files.append(OfferedFile(name=name, size=size, sha256=hashlib.sha256(data).hexdigest()))
        return Offer(transfer=transfer, model_id=model_id or self.info.id, files=tuple(files))

    def put(self, offer: Offer, leave_out: int | None = None, spoil: int | None = None) -> None:
        for chunk in offer.chunks():
            with (self.folder / chunk.file.name).open("rb") as file:
                file.seek(chunk.offset)
                data = file.read(chunk.size)
            if chunk.number == spoil:
                data = bytes(len(data))
            if chunk.number != leave_out:
                self.live.set(keys.bundle_chunk("s0", offer.transfer, chunk.number), data, ex=30)
        self.live.set(keys.bundle_offer("s0"), offer.model_dump_json(), ex=20)

    def said(self, worker: str = "w1") -> Taken | None:
        raw: Any = self.live.hget(keys.bundle_taken("s0"), worker)
        return read_taken(raw) if raw else None

    def answer(self) -> Taken:
        said: Taken = until(lambda: (one := self.said()) and (one.done or one.error) and one)
        return said


@pytest.fixture
def pusher(redis_pair: RedisPair, tmp_path: Path) -> Pusher:
    return Pusher(redis_pair, tmp_path / "bundle")


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    return ModelStore(tmp_path / "models", OWN)


@pytest.fixture
def receiver(redis_pair: RedisPair, store: ModelStore, monkeypatch: pytest.MonkeyPatch) -> Iterator[BundleReceiver]:
    monkeypatch.setattr(bundle_receiver, "POLL_S", 0.05)
    one = BundleReceiver(connect(redis_pair.live_server.url(), name="w1"), "s0", "w1", store)
    one.start()
    yield one
    one.stop()
    assert not one.is_alive()


def left(store: ModelStore) -> set[str]:
    return {path.name for path in store.folder.iterdir()} if store.folder.exists() else set()


def test_a_bundle_is_taken_whole(receiver: BundleReceiver, pusher: Pusher, store: ModelStore) -> None:
    pusher.put(pusher.offer())
    assert pusher.answer() == Taken(transfer="t1", done=True)
    assert store.held() == sorted([pusher.info.id, *OWN])
    for name in (INFO, WEIGHTS):
        assert (store.folder / pusher.info.id / name).read_bytes() == (pusher.folder / name).read_bytes()
    assert 0 < pusher.live.ttl(keys.bundle_taken("s0")) <= 60
    pusher.live.delete(keys.bundle_taken("s0"))
    assert pusher.answer().done, "it says so again as long as the offer stands"
    pusher.put(pusher.offer("t2"))
    until(lambda: (one := pusher.said()) and one.transfer == "t2" and one.done)


def test_a_damaged_chunk_is_found_on_the_disk(receiver: BundleReceiver, pusher: Pusher, store: ModelStore) -> None:
    pusher.put(pusher.offer(), spoil=2)
    assert "model.safetensors: SHA-256" in (pusher.answer().error or "")
    assert left(store) == set()
    pusher.put(pusher.offer("t2"))
    until(lambda: pusher.info.id in store.held())


def test_a_chunk_of_another_size(receiver: BundleReceiver, pusher: Pusher, store: ModelStore) -> None:
    pusher.put(pusher.offer())
    pusher.live.delete(keys.bundle_taken("s0"))
    pusher.put(pusher.offer("t2", model_id="resnet50-triplet-000000000000", safetensors=2_400_000))
    pusher.live.set(keys.bundle_chunk("s0", "t2", 3), b"x" * 3)
    until(lambda: (one := pusher.said()) and one.transfer == "t2" and one.error)
    assert "3 bytes, 400000 were announced" in (pusher.answer().error or "")


def test_a_chunk_that_never_comes(
    receiver: BundleReceiver, pusher: Pusher, store: ModelStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundle_receiver, "PATIENCE_S", 1.0)
    pusher.put(pusher.offer(), leave_out=2)
    until(lambda: (one := pusher.said()) and one.wants == 2)
    until(lambda: left(store) == set() or len(left(store)) == 1)
    pusher.live.delete(keys.bundle_offer("s0"))
    until(lambda: left(store) == set())
    pusher.put(pusher.offer("t2"))
    until(lambda: pusher.info.id in store.held())


def test_another_id_or_a_newer_format(receiver: BundleReceiver, pusher: Pusher, store: ModelStore) -> None:
    pusher.put(pusher.offer(model_id="resnet50-triplet-000000000000"))
    assert "resnet50-triplet-000000000000 was announced" in (pusher.answer().error or "")
    info = json.loads((pusher.folder / INFO).read_text())
    (pusher.folder / INFO).write_text(json.dumps(info | {"format": 9}))
    pusher.put(pusher.offer("t2"))
    until(lambda: (one := pusher.said()) and one.transfer == "t2" and one.error)
    assert "newer version" in (pusher.answer().error or "")
    assert left(store) == set()


def test_no_room_on_the_disk(
    receiver: BundleReceiver, pusher: Pusher, store: ModelStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage(10**9, 10**9, 50_000_000))
    pusher.put(pusher.offer())
    assert "50 MB free" in (pusher.answer().error or "")
    assert left(store) == set()


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"[]",
        b'{"transfer": "t1", "model_id": "resnet50-triplet-000000000000", "files": []}',
        json.dumps(
            {
                "transfer": "t1",
                "model_id": "resnet50-triplet-000000000000",
                "files": [
                    {"name": INFO, "size": 1, "sha256": "a" * 64},
                    {"name": WEIGHTS, "size": MAX_BYTES, "sha256": "a" * 64},
                ],
            }
        ).encode(),
        b'{"transfer": "t1", "model_id": "../../escape-0123456789ab", "files": null}',
    ],
)
def test_an_offer_that_is_none(
    receiver: BundleReceiver, pusher: Pusher, store: ModelStore, raw: bytes, caplog: Any
) -> None:
    pusher.live.set(keys.bundle_offer("s0"), raw)
    until(lambda: "unreadable and ignored" in caplog.text)
    assert pusher.said() is None
    assert left(store) == set()
    pusher.put(pusher.offer())
    until(lambda: pusher.info.id in store.held())


def test_a_model_that_is_held_isnt_taken_again(receiver: BundleReceiver, pusher: Pusher, store: ModelStore) -> None:
    pusher.put(pusher.offer(model_id=next(iter(OWN))))
    assert pusher.answer().done
    assert left(store) == set()
