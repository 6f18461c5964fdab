"""A kiosk's bad camera: by seed, the same size, the teacher's view unharmed, every change alone."""

from dataclasses import fields, replace

import numpy as np
import pytest
import torch
from torchvision.transforms import v2

from training.dataset import BadData
from training.kiosk_camera import KioskCamera, Placed, SeenBadly, WithTeacher, placed, seen_badly
from training.transforms import train_transform

GOOD = KioskCamera(
    scale=0,
    turn_degrees=0,
    shift=0,
    flip_chance=0,
    exposure=0,
    contrast=0,
    colour=0,
    **{
        field.name: 0.0
        for field in fields(KioskCamera)
        if field.name.endswith("_chance") and field.name != "flip_chance"
    },
)
CHANGES = [f.name for f in fields(KioskCamera) if f.name.endswith("_chance") and f.name != "flip_chance"]


@pytest.fixture
def face() -> np.ndarray:
    rng = np.random.default_rng(5)
    return np.kron(rng.integers(0, 256, (14, 14, 3)), np.ones((16, 16, 1))).astype(np.uint8)


def test_a_good_camera_changes_nothing(face: np.ndarray) -> None:
    rng = np.random.default_rng(1)
    assert np.array_equal(seen_badly(placed(face, GOOD, rng), GOOD, rng), face)


@pytest.mark.parametrize("change", CHANGES)
def test_each_change_alone_is_seen_and_keeps_the_size(change: str, face: np.ndarray) -> None:
    seen = seen_badly(face, replace(GOOD, **{change: 1.0}), np.random.default_rng(2))
    assert seen.shape == face.shape
    assert seen.dtype == np.uint8
    assert not np.array_equal(seen, face)


def test_grey_is_grey_and_a_flip_is_a_mirror(face: np.ndarray) -> None:
    grey = seen_badly(face, replace(GOOD, grey_chance=1.0), np.random.default_rng(2))
    assert np.array_equal(grey[..., 0], grey[..., 2])
    flipped = placed(face, replace(GOOD, flip_chance=1.0), np.random.default_rng(2))
    assert np.array_equal(flipped, face[:, ::-1])


def test_what_comes_in_at_the_edges_is_no_black(face: np.ndarray) -> None:
    moved = placed(np.full_like(face, 200), replace(GOOD, shift=0.2, turn_degrees=20.0), np.random.default_rng(3))
    assert moved.min() > 190


def test_dice_are_torchs_own_so_equal_seeds_give_equal_views(face: np.ndarray) -> None:
    picture = torch.from_numpy(face).permute(2, 0, 1)
    transform = train_transform(96, "kiosk")
    seen = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        seen.append(transform(picture))
    assert torch.equal(seen[0], seen[1])
    assert not torch.equal(seen[0], seen[2])
    assert seen[0].shape == (3, 96, 96)
    assert seen[0].dtype == torch.float32


def test_the_teacher_sees_the_same_place_unharmed(face: np.ndarray) -> None:
    picture = torch.from_numpy(face).permute(2, 0, 1)
    harm = replace(GOOD, turn_degrees=10.0, noise_chance=1.0, jpeg_chance=1.0)
    whole = v2.Compose([Placed(harm), SeenBadly(harm)])
    torch.manual_seed(4)
    student, teacher = WithTeacher(whole)(picture)
    torch.manual_seed(4)
    good = Placed(harm)(picture)
    assert teacher.shape == (3, 112, 112)
    assert teacher.dtype == torch.uint8
    by_halves = torch.nn.functional.avg_pool2d(good.float(), 2)
    assert (teacher.float() - by_halves).abs().max() <= 1
    assert not torch.equal(student, good)


def test_less_harm_is_less_often(face: np.ndarray) -> None:
    half = KioskCamera().less(0.5)
    assert half.jpeg_chance == KioskCamera().jpeg_chance / 2
    assert half.flip_chance == KioskCamera().flip_chance
    picture = torch.from_numpy(face).permute(2, 0, 1)
    assert train_transform(96, "kiosk", harm=0.0)(picture).shape == (3, 96, 96)
    with pytest.raises(BadData, match="harm isn't known"):
        train_transform(96, "mild", harm=0.5)


def test_torchvisions_values_are_refused() -> None:
    with pytest.raises(BadData, match="augment kiosk has values of its own, not rotation_degrees"):
        train_transform(96, "kiosk", rotation_degrees=3)
