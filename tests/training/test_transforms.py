"""The thesis' transforms by their parameters, and that only asked-for randomness is there."""

import numpy as np
import pytest
import torch
from torchvision.transforms import v2

from tests.training.faces import astronaut, drawn
from training.dataset import BadData
from training.preprocessing_pictures import steps
from training.transforms import AUGMENTATIONS, augmentation, test_transform, train_transform


def tensor(size_px: int = 182) -> torch.Tensor:
    return torch.from_numpy(drawn(3, size_px)).permute(2, 0, 1)


def test_the_thesis_training_steps_and_their_numbers() -> None:
    rotation, cut, flip, dtype, normal = train_transform().transforms
    assert isinstance(rotation, v2.RandomRotation)
    assert rotation.degrees == [-15, 15]
    assert isinstance(cut, v2.RandomResizedCrop)
    assert (list(cut.size), list(cut.scale), list(cut.ratio)) == ([224, 224], [0.08, 1.0], [3 / 4, 4 / 3])
    assert isinstance(flip, v2.RandomHorizontalFlip)
    assert flip.p == 0.5
    assert isinstance(dtype, v2.ToDtype)
    assert isinstance(normal, v2.Normalize)
    assert (list(normal.mean), list(normal.std)) == ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])


def test_the_thesis_test_steps_change_nothing_at_random() -> None:
    transform = test_transform()
    assert [type(step).__name__ for step in transform.transforms] == ["Resize", "CenterCrop", "ToDtype", "Normalize"]
    once, again = transform(tensor()), transform(tensor())
    assert once.shape == (3, 224, 224)
    assert torch.equal(once, again)


def test_normalisation_is_the_papers() -> None:
    grey = torch.full((3, 182, 182), 128, dtype=torch.uint8)
    expected = (128 / 255 - np.array([0.485, 0.456, 0.406])) / np.array([0.229, 0.224, 0.225])
    assert np.allclose(test_transform()(grey).mean((1, 2)).numpy(), expected, atol=1e-6)


@pytest.mark.parametrize("name", list(AUGMENTATIONS))
@pytest.mark.parametrize("size_px", [64, 112])
def test_any_picture_becomes_a_square_of_the_wanted_size(name: str, size_px: int) -> None:
    picture = torch.from_numpy(astronaut()[:200, :150]).permute(2, 0, 1)
    made = train_transform(size_px, name)(picture)
    assert made.shape == (3, size_px, size_px)
    assert made.dtype == torch.float32


def test_no_augmentation_is_the_test_transform() -> None:
    assert torch.equal(train_transform(64, "none")(tensor()), test_transform(64)(tensor()))


def test_single_values_can_be_changed_as_a_recipe_gives_them() -> None:
    assert augmentation("mild", flip=0.0, scale=[0.5, 1.0]).scale == (0.5, 1.0)
    kinds = {type(step) for step in train_transform(64, "none", flip=1.0).transforms}
    assert v2.RandomHorizontalFlip in kinds
    with pytest.raises(BadData, match="'strong': one of none, thesis, mild"):
        augmentation("strong")
    with pytest.raises(BadData, match="tilt isn't known"):
        augmentation("mild", tilt=3)


def test_the_picture_after_each_step_is_shown_as_in_the_thesis_tables() -> None:
    face = drawn(5, 182)
    train = steps(face, train_transform(), seed=2)
    assert [name for name, _ in train] == [
        "random rotation 15°",
        "random resized crop 224×224",
        "random horizontal flip",
        "normalisation",
    ]
    assert [name for name, _ in steps(face, test_transform())] == ["resize 224", "centre crop 224×224", "normalisation"]
    assert [picture.shape[0] for _, picture in train] == [182, 224, 224, 224]
    assert all(picture.dtype == np.uint8 for _, picture in train)
    assert all((a == b).all() for (_, a), (_, b) in zip(train, steps(face, train_transform(), seed=2), strict=True))
