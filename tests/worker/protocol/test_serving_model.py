"""The key that names the serving model, and the offers and answers of a bundle's transfer: bounded, and never guessed at."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.protocol.entries import BadEntry
from worker.protocol.serving import Serving
from worker.protocol.transfer import CHUNK_BYTES, MAX_BYTES, Offer, read_offer, read_taken

MODEL = "resnet50-triplet-0123456789ab"
FILES = [
    {"name": "model.json", "size": 700, "sha256": "a" * 64},
    {"name": "model.safetensors", "size": 0, "sha256": "b" * 64},
]


def offer(**changes: object) -> bytes:
    return json.dumps({"transfer": "t1", "model_id": MODEL, "files": FILES, **changes}).encode()


def test_the_key_comes_back_as_it_was() -> None:
    for one in (Serving(revision=1, epoch=0, coming=MODEL), Serving(revision=9, epoch=4, model_id=MODEL)):
        assert Serving.from_bytes(one.to_bytes()) == one


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"null",
        b"[]",
        b'{"revision": 1}',
        b'{"revision": 0, "epoch": 0}',
        b'{"revision": true, "epoch": 0}',
        b'{"revision": 1, "epoch": -1}',
        b'{"revision": 1, "epoch": 0, "model_id": "../../etc"}',
        b'{"revision": 1, "epoch": 0, "model_id": ""}',
        b"\xff\xfe",
    ],
)
def test_a_key_that_names_no_model_is_refused(raw: bytes) -> None:
    with pytest.raises(BadEntry):
        Serving.from_bytes(raw)


@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_else(raw: bytes) -> None:
    for read in (Serving.from_bytes, read_offer, read_taken):
        try:
            read(raw)
        except BadEntry:
            continue


@pytest.mark.parametrize(
    "changes",
    [
        {"files": FILES[:1]},
        {"files": [*FILES, FILES[0]]},
        {"files": [FILES[0], {**FILES[1], "name": "../model.safetensors"}]},
        {"files": [FILES[0], {**FILES[1], "name": "model.pt"}]},
        {"files": [FILES[0], {**FILES[1], "size": -1}]},
        {"files": [FILES[0], {**FILES[1], "size": MAX_BYTES}]},
        {"files": [FILES[0], {**FILES[1], "sha256": "B" * 64}]},
        {"model_id": "../x"},
        {"transfer": "a b"},
    ],
)
def test_an_offer_that_is_no_bundle_is_refused(changes: dict[str, object]) -> None:
    assert read_offer(offer()).model_id == MODEL
    with pytest.raises(BadEntry):
        read_offer(offer(**changes))


def test_chunks_cover_every_byte_once_and_in_order() -> None:
    sizes = {"model.json": 5, "model.safetensors": 2 * CHUNK_BYTES + 1, "MODEL_CARD.md": 0}
    files = [{"name": name, "size": size, "sha256": "a" * 64} for name, size in sizes.items()]
    made = list(Offer.model_validate({"transfer": "t", "model_id": MODEL, "files": files}).chunks())
    assert [chunk.number for chunk in made] == [0, 1, 2, 3]
    assert [(c.file.name, c.offset, c.size) for c in made] == [
        ("model.json", 0, 5),
        ("model.safetensors", 0, CHUNK_BYTES),
        ("model.safetensors", CHUNK_BYTES, CHUNK_BYTES),
        ("model.safetensors", 2 * CHUNK_BYTES, 1),
    ]
