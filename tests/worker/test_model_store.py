"""A worker's models folder: only whole bundles get a place, each under its own id."""

import json
import os
import time
from pathlib import Path

import pytest

from tests.worker.bundles import small_bundle
from worker.model_store import DRAFT_FORGOTTEN_S, ModelStore
from worker.protocol.bundle import INFO, WEIGHTS, BadBundle

OWN = {"sface-0123456789ab": "sface"}


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    return ModelStore(tmp_path / "models", OWN)


def filled_draft(store: ModelStore, seed: int = 1) -> tuple[Path, str]:
    draft = store.draft("w1-t1")
    return draft, small_bundle(draft, seed, size=1_000).id


def test_a_bundle_gets_its_place(store: ModelStore) -> None:
    assert store.held() == list(OWN)
    draft, model_id = filled_draft(store)
    assert store.held() == list(OWN), "a draft is no model"
    store.put(draft, model_id)
    assert store.held() == sorted([model_id, *OWN])
    assert store.where(model_id) == str(store.folder / model_id)
    assert store.where(next(iter(OWN))) == "sface"
    assert {path.name for path in store.folder.iterdir()} == {model_id}


def test_what_is_damaged_or_another_gets_none(store: ModelStore) -> None:
    draft, model_id = filled_draft(store)
    with pytest.raises(BadBundle, match="was announced"):
        store.put(draft, "resnet50-triplet-000000000000")
    (draft / WEIGHTS).write_bytes(b"other weights")
    with pytest.raises(BadBundle, match="SHA-256"):
        store.put(draft, model_id)
    info = json.loads((draft / INFO).read_text())
    (draft / INFO).write_text(json.dumps(info | {"format": 2}))
    with pytest.raises(BadBundle, match="made by a newer version"):
        store.put(draft, model_id)
    assert store.held() == list(OWN)


def test_two_workers_of_a_machine_bring_the_same_model(store: ModelStore, tmp_path: Path) -> None:
    other = ModelStore(store.folder, OWN)
    first, model_id = filled_draft(store)
    second = other.draft("w2-t1")
    small_bundle(second, size=1_000)
    store.put(first, model_id)
    other.put(second, model_id)
    assert [path.name for path in store.folder.iterdir()] == [model_id]


def test_a_rejected_one_is_not_held_until_it_is_put_anew(store: ModelStore) -> None:
    draft, model_id = filled_draft(store)
    store.put(draft, model_id)
    store.reject(model_id)
    assert store.where(model_id) is None
    assert store.held() == list(OWN)
    again, _ = filled_draft(store)
    store.put(again, model_id)
    assert store.where(model_id) is not None
    assert [path.name for path in store.folder.iterdir()] == [model_id]
    store.reject(next(iter(OWN)))
    assert store.where(next(iter(OWN))) == "sface"


def test_drafts_of_killed_workers_go_away(store: ModelStore) -> None:
    left, fresh = store.draft("dead-t0"), store.draft("busy-t0")
    long_ago = time.time() - DRAFT_FORGOTTEN_S - 1
    os.utime(left, (long_ago, long_ago))
    store.draft("w1-t1")
    assert not left.exists()
    assert fresh.exists()


@pytest.mark.parametrize("name", ["..", "../models", "/etc", "", "resnet50-triplet-0123456789ab/.."])
def test_no_id_leads_out_of_the_folder(store: ModelStore, name: str) -> None:
    assert store.where(name) is None
