"""Batches: equal for equal seeds with any number of processes, and the same from any point of the epoch on."""

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from tests.training.faces import drawn_folder
from training.dataset import FaceFolder, read_folder
from training.loading import batch_loader, triplet_loader
from training.packing import write_pack
from training.pictures import BadPicture, FolderPictures, PackedPictures
from training.transforms import test_transform, train_transform
from training.triplets import PKBatches, draw_triplets

PX = 32
TRANSFORM = train_transform(PX, "mild")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> FaceFolder:
    return read_folder(drawn_folder(tmp_path_factory.mktemp("faces"), {"a": 4, "b": 3, "c": 5}))


@pytest.fixture(scope="module")
def triplets(folder: FaceFolder) -> NDArray[np.int64]:
    return draw_triplets(folder.labels, 22, np.random.default_rng(0))


def load(folder: FaceFolder, triplets: NDArray[np.int64], workers: int = 0, **changes: int) -> list[Tensor]:
    options = {"batch": 4, "seed": 1, "epoch": 2} | changes
    return list(triplet_loader(FolderPictures(folder), triplets, TRANSFORM, workers=workers, **options))  # type: ignore[arg-type]


def same(one: list[Tensor], other: list[Tensor]) -> bool:
    return len(one) == len(other) and all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


def test_triplets_come_in_their_order_and_the_last_batch_is_smaller(
    folder: FaceFolder, triplets: NDArray[np.int64]
) -> None:
    pictures = FolderPictures(folder)
    batches = triplet_loader(pictures, triplets, test_transform(PX), batch=4, workers=0, seed=0, epoch=0)
    made = list(batches)
    assert len(made) == len(batches) == 6  # type: ignore[arg-type]
    assert [tuple(b.shape) for b in made] == [(4, 3, 3, PX, PX)] * 5 + [(2, 3, 3, PX, PX)]
    expected = test_transform(PX)(torch.from_numpy(pictures.read(int(triplets[5, 1]))).permute(2, 0, 1))
    assert torch.equal(made[1][1, 1], expected)


def test_loader_processes_change_nothing(folder: FaceFolder, triplets: NDArray[np.int64]) -> None:
    alone = load(folder, triplets)
    assert same(alone, load(folder, triplets, workers=2))
    assert same(alone, load(folder, triplets, workers=1))


def test_seed_epoch_and_place_each_change_the_random_steps(folder: FaceFolder, triplets: NDArray[np.int64]) -> None:
    base = load(folder, triplets)
    assert not same(base, load(folder, triplets, seed=2))
    assert not same(base, load(folder, triplets, epoch=3))
    equal = np.repeat(triplets[:1], 2, axis=0)
    first, second = load(folder, equal)[0]
    assert not torch.equal(first, second)


def test_an_epoch_goes_on_from_any_batch(folder: FaceFolder, triplets: NDArray[np.int64]) -> None:
    assert same(load(folder, triplets)[3:], load(folder, triplets, workers=2, first_batch=3))
    assert load(folder, triplets, first_batch=6) == []


def test_ranks_together_see_what_one_process_sees(folder: FaceFolder, triplets: NDArray[np.int64]) -> None:
    whole = load(folder, triplets, batch=8)
    ranks = [load(folder, triplets, batch=4, rank=rank, world=2) for rank in (0, 1)]
    assert same(whole, [torch.cat(step) for step in zip(*ranks, strict=True)])
    odd = [load(folder, triplets[:9], batch=4, rank=rank, world=2) for rank in (0, 1)]
    assert [len(batches) for batches in odd] == [1, 1], "one triplet isn't enough for two ranks"


def test_the_trainings_own_generator_is_left_alone(folder: FaceFolder, triplets: NDArray[np.int64]) -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    load(folder, triplets)
    assert torch.equal(torch.rand(3), expected)


@pytest.mark.parametrize("workers", [0, 2])
def test_batches_by_identity_carry_labels_and_numbers_and_resume(folder: FaceFolder, workers: int) -> None:
    def made(first: int) -> list[tuple[Tensor, Tensor, Tensor]]:
        sampler = PKBatches(folder.labels, 2, 3, seed=4, batches=5)
        sampler.set_epoch(7, first)
        loader = batch_loader(
            FolderPictures(folder), folder.labels, sampler, TRANSFORM, workers=workers, seed=4, epoch=7
        )
        return list(loader)

    batches = made(0)
    pictures, labels, numbers = batches[0]
    assert pictures.shape == (6, 3, PX, PX)
    assert labels.tolist() == folder.labels[numbers.numpy()].tolist()
    for (a, _, i), (b, _, j) in zip(batches[2:], made(2), strict=True):
        assert torch.equal(i, j)
        assert torch.equal(a, b)


def test_any_list_of_batches_will_do_and_a_packed_file_gives_the_same(folder: FaceFolder, tmp_path: Path) -> None:
    write_pack(folder, tmp_path / "x.pack")
    loose, tight = (
        list(batch_loader(pictures, folder.labels, [[3, 1], [0]], TRANSFORM, workers=2, seed=0, epoch=0))
        for pictures in (FolderPictures(folder), PackedPictures(tmp_path / "x.pack"))
    )
    assert [numbers.tolist() for _, _, numbers in loose] == [[3, 1], [0]]
    assert same([faces for faces, _, _ in loose], [faces for faces, _, _ in tight])


@pytest.mark.parametrize("workers", [0, 2])
def test_a_corrupt_picture_among_many_is_named_with_the_way_out(tmp_path: Path, workers: int) -> None:
    folder = read_folder(drawn_folder(tmp_path, {"a": 20, "b": 20}))
    path = tmp_path / "b" / "7.jpg"
    path.write_bytes(path.read_bytes()[:-100])
    batches = [[i] for i in range(len(folder))]
    loader = batch_loader(FolderPictures(folder), folder.labels, batches, TRANSFORM, workers=workers, seed=0, epoch=0)
    with pytest.raises(BadPicture, match=r"^\S*b/7\.jpg: truncated.*attendance train prepare"):
        list(loader)
