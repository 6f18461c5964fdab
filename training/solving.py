"""The linear layer in closed form, once the trunk has learnt: what the teacher answers, from what the trunk sees.

An imitation's linear layer is folded out of a map that it foretells (training/imitation.py), so it is as good as that map. What
the trunk knows besides is found without a gradient: the change of the layer that brings its answers nearest to the teacher's, by
ridge regression (Hoerl & Kennard 1970) on faces as training sees them. The trunk stays as it is.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from training import checkpoint
from training.dataset import FaceFolder
from training.feature_teacher import FeatureTeacher
from training.feeds import VALIDATION, epoch_triplets
from training.kiosk_camera import WithTeacher
from training.loading import batch_loader
from training.networks import FaceNetwork, PooledNetwork
from training.pictures import open_faces, pictures_of
from training.processes import Processes
from training.recipe import Recipe
from training.trained import faces_of, load_network
from training.transforms import train_transform
from training.validate import measure

NAME = "solved"
"""Of the checkpoint that is written beside best and last."""
BATCH = 32
ROWS = 1024
"""Faces whose features are float32 at a time: 400 MB of them."""
STEPS = 60
CLOSE = 1e-3
"""The conjugate gradients end where what is left is so small a share of what there was."""

Progress = Callable[[int, int], None]
"""Faces looked at, and of how many."""


class BadSolve(ValueError):
    """A run whose linear layer can't be solved; the message says why and what to do."""


@dataclass(frozen=True)
class Solved:
    path: Path
    faces: int
    before: dict[str, float]
    """The columns of valid.csv before, and after."""
    after: dict[str, float]


def solve(
    run: Path, which: str, *, faces: int, ridge: float, cache: Path, on_progress: Progress = lambda done, of: None
) -> Solved:
    """Write RUN/checkpoints/solved.pt: the checkpoint `which` with another linear layer, and its figures on the validation.

    `ridge` is a share of the faces' mean squared feature length. It needs 200 kB of memory a face at 224 px. Raises BadSolve,
    BadCheckpoint, BadData, NotSaved.
    """
    recipe, network, kept = load_network(run, which)
    if isinstance(network, PooledNetwork) or all(stage.loss.kind != "imitate" for stage in recipe.stages):
        raise BadSolve(
            f"{run}: its linear layer learnt by itself; only a flatten head that an imitation made (loss.kind=imitate) is solved"
        )
    train, held_out, valid_root = faces_of(run, recipe)
    valid = held_out or open_faces(valid_root)
    device, alone = torch.device("cpu"), Processes()
    triplets = epoch_triplets(valid, recipe.validation.triplets, recipe.seed, 0, VALIDATION)
    try:
        before = measure(network, valid, triplets, recipe, device, alone).row
    except ValueError as error:
        raise BadSolve(f"{run}: {error}; take the other of best and last") from None
    if recipe.compute.channels_last:
        network.to(memory_format=torch.channels_last)
    features, taught = _seen(network, train, recipe, kept["position"]["epoch"], faces, cache, on_progress)
    _apply(network, features, taught, ridge)
    after = measure(network, valid, triplets, recipe, device, alone).row
    path = run / "checkpoints" / f"{NAME}.pt"
    body = {key: value for key, value in kept.items() if key not in ("format", "version")}
    body |= {"network": network.state_dict(), "ema": None, NAME: {"faces": len(features), "ridge": ridge, **after}}
    checkpoint.save(path, body)
    return Solved(path, len(features), before, after)


@torch.inference_mode()
def _seen(
    network: FaceNetwork, train: FaceFolder, recipe: Recipe, epoch: int, faces: int, cache: Path, on_progress: Progress
) -> tuple[NDArray[np.float16], Tensor]:
    """What leaves the trunk (n, planes · side²), and the teacher's directions (n, 128), of faces drawn by the seed.

    The views are an epoch's that training hasn't had.
    """
    drawn = np.random.default_rng([recipe.seed, epoch]).permutation(len(train))[:faces]
    batches = [drawn[i : i + BATCH].tolist() for i in range(0, len(drawn), BATCH)]
    transform = WithTeacher(
        train_transform(recipe.network.input_px, recipe.transform.augment, **recipe.transform.changes)
    )
    loader: Iterable[Any] = batch_loader(
        pictures_of(train),
        train.labels,
        batches,
        transform,
        workers=recipe.data.loader_processes,
        seed=recipe.seed,
        epoch=epoch,
    )
    teacher = FeatureTeacher(cache, torch.get_num_threads())
    features, taught, done = np.empty((len(drawn), network.head.in_features), np.float16), [], 0
    for (pictures, chips), _, _ in loader:
        if recipe.compute.channels_last:
            pictures = pictures.contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16, enabled=recipe.compute.amp):
            maps = network.trunk(pictures)
        features[done : done + len(maps)] = maps.float().contiguous().flatten(1).numpy()
        taught.append(functional.normalize(teacher(chips.numpy())[0], dim=1))
        done += len(maps)
        on_progress(done, len(drawn))
    return features, torch.cat(taught)


@torch.inference_mode()
def _apply(network: FaceNetwork, features: NDArray[np.float16], taught: Tensor, ridge: float) -> None:
    """Each answer is drawn to the teacher's direction at its own length, for the length means nothing."""
    head = network.head
    answers = torch.cat([head(rows) for rows in _blocks(features)])
    missing = taught * answers.norm(dim=1, keepdim=True) - answers
    weight, bias = ridge_regression(features, missing, ridge)
    head.weight.add_(weight)
    head.bias.add_(bias)


def ridge_regression(
    features: NDArray[np.float16], targets: Tensor, ridge: float, steps: int = STEPS
) -> tuple[Tensor, Tensor]:
    """Weight (k, d) and bias (k,) of the linear function of `features` (n, d) nearest to `targets` (n, k) in least squares,
    plus `ridge` · mean |feature − mean|² · |weight|².

    By conjugate gradients (Hestenes & Stiefel 1952), one for each of the k columns side by side: a matrix of d × d would take
    40 GB where d is 100,352.
    """
    mean = torch.stack([rows.double().sum(dim=0) for rows in _blocks(features)]).sum(dim=0).div(len(features)).float()
    spread = sum(float((rows - mean).square().sum()) for rows in _blocks(features)) / len(features)
    penalty, middle = ridge * max(spread, 1e-12), targets.mean(dim=0)

    left = _times(features, mean, targets - middle)  # (d, k)
    solution, direction = torch.zeros_like(left), left.clone()
    length = left.square().sum(dim=0)
    first = length.clone().clamp(min=1e-30)
    for _ in range(steps):
        if bool((length <= CLOSE**2 * first).all()):
            break
        curved = _curved(features, mean, direction) + penalty * direction
        stride = length / (direction * curved).sum(dim=0).clamp(min=1e-30)
        solution += stride * direction
        left -= stride * curved
        shorter = left.square().sum(dim=0)
        direction = left + shorter / length.clamp(min=1e-30) * direction
        length = shorter
    weight = solution.T.contiguous()
    return weight, middle - weight @ mean


def _blocks(features: NDArray[np.float16]) -> Iterable[Tensor]:
    for i in range(0, len(features), ROWS):
        yield torch.from_numpy(features[i : i + ROWS]).float()


def _times(features: NDArray[np.float16], mean: Tensor, values: Tensor) -> Tensor:
    """(features − mean)ᵀ · values."""
    total = torch.zeros(features.shape[1], values.shape[1])
    for rows, some in zip(_blocks(features), torch.split(values, ROWS), strict=True):
        total += (rows - mean).T @ some
    return total


def _curved(features: NDArray[np.float16], mean: Tensor, values: Tensor) -> Tensor:
    """(features − mean)ᵀ · (features − mean) · values, reading the features once."""
    total = torch.zeros_like(values)
    for rows in _blocks(features):
        rows -= mean
        total += rows.T @ (rows @ values)
    return total
