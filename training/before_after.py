"""Hard triplets of the validation by the network before and after a run, as the thesis' figures show them."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from training import hard_triplets, networks
from training.feeds import VALIDATION, epoch_triplets
from training.hard_triplets import Embed
from training.initial import initialise
from training.pictures import pictures_of
from training.recipe import Recipe
from training.run_data import RunData
from training.transforms import test_transform

LOOKED_AT = 64
"""Triplets among which the hardest are sought."""
BATCH = 32


def draw(run: Path, recipe: Recipe, data: RunData, after: networks.FaceNetwork, device: torch.device) -> list[Path]:
    """plots/hard-triplets.png and .csv, by the weights that the run began with and by the best ones, `after`."""
    triplets = epoch_triplets(data.valid, LOOKED_AT, recipe.seed, 0, VALIDATION)
    pictures = pictures_of(data.valid)
    faces = [[pictures.read(int(number)) for number in triplet] for triplet in triplets]
    before = built(recipe)
    initialise(before, recipe.network.architecture, recipe.network.init)
    by = [_embedder(network.eval().to(device), recipe, device) for network in (before, after)]
    return hard_triplets.write(hard_triplets.compare(by[0], by[1], faces), faces, run / "plots")


def built(recipe: Recipe) -> networks.FaceNetwork:
    """The recipe's network with the random weights that its seed gives."""
    torch.manual_seed(recipe.seed)
    return networks.of_recipe(recipe.network)


def _embedder(network: networks.FaceNetwork, recipe: Recipe, device: torch.device) -> Embed:
    transform = test_transform(recipe.network.input_px)

    def embed(faces: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        chips = [transform(torch.from_numpy(face).permute(2, 0, 1)) for face in faces]
        batches = [torch.stack(chips[i : i + BATCH]).to(device) for i in range(0, len(chips), BATCH)]
        return np.concatenate([networks.embed(network, batch).cpu().numpy() for batch in batches])

    return embed
