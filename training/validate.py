"""Measuring a network on validation triplets: the thesis' numbers and the field's, from each picture embedded once."""

import time
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from training import verification
from training.dataset import FaceFolder
from training.loading import batch_loader
from training.pictures import pictures_of
from training.processes import Processes, gathered
from training.recipe import Recipe
from training.transforms import test_transform


@dataclass(frozen=True)
class Measured:
    row: dict[str, float]
    """The columns of valid.csv from loss on."""
    positive: NDArray[np.float64]
    """(triplets,) distances of anchor and positive."""
    negative: NDArray[np.float64]
    """(triplets,) distances of anchor and negative."""


def embed(
    network: nn.Module,
    folder: FaceFolder,
    numbers: NDArray[np.int64],
    recipe: Recipe,
    device: torch.device,
    processes: Processes,
) -> NDArray[np.float32]:
    """(n, size) embeddings of the pictures with these numbers, in evaluation mode; each process does its share."""
    mine = numbers[processes.rank :: processes.world]
    batches = [mine[i : i + recipe.validation.batch].tolist() for i in range(0, len(mine), recipe.validation.batch)]
    loader = batch_loader(
        pictures_of(folder),
        folder.labels,
        batches,
        test_transform(recipe.network.input_px),
        workers=recipe.data.loader_processes,
        seed=recipe.seed,
        epoch=0,
        pin_memory=device.type == "cuda",
    )
    was_training = network.training
    network.eval()
    parts = []
    with torch.inference_mode(), torch.autocast(device.type, torch.bfloat16, enabled=recipe.compute.amp):
        for pictures, _, _ in loader:
            pictures = pictures.to(device, non_blocking=True)
            if recipe.compute.channels_last:
                pictures = pictures.contiguous(memory_format=torch.channels_last)
            parts.append(network(pictures).float().cpu().numpy())
    network.train(was_training)
    found = np.zeros((len(numbers), recipe.network.embedding_size), np.float32)
    own = np.concatenate(parts) if parts else found[:0]
    for rank, part in enumerate(gathered(own)):
        found[rank :: processes.world] = part
    return found


def measure(
    network: nn.Module,
    folder: FaceFolder,
    triplets: NDArray[np.int64],
    recipe: Recipe,
    device: torch.device,
    processes: Processes,
) -> Measured:
    """Every figure of a validation. Raises ValueError when the network answers with something that isn't a number."""
    started = time.perf_counter()
    numbers, places = np.unique(triplets, return_inverse=True)
    embeddings = embed(network, folder, numbers, recipe, device, processes)
    if not np.isfinite(embeddings).all():
        raise ValueError(
            "the network's embeddings of the validation pictures hold NaN or infinity: the training has diverged"
        )
    faces = embeddings.astype(np.float64)[places.reshape(triplets.shape)]
    positive = np.linalg.norm(faces[:, 0] - faces[:, 1], axis=1)
    negative = np.linalg.norm(faces[:, 0] - faces[:, 2], axis=1)
    row = figures(positive, negative, recipe)
    seconds = time.perf_counter() - started
    return Measured(row | {"seconds": seconds, "pictures_per_s": len(numbers) / seconds}, positive, negative)


def figures(positive: NDArray[np.float64], negative: NDArray[np.float64], recipe: Recipe) -> dict[str, float]:
    """Losses, accuracies and rates from the distances of triplets, in their order."""
    rules = recipe.validation
    power = 1 if rules.distance == "plain" else 2
    hinge = np.maximum(rules.margin + positive**power - negative**power, 0)
    starts = np.arange(0, len(hinge), rules.batch)
    means = np.add.reduceat(hinge, starts) / np.diff(np.append(starts, len(hinge)))
    distances, labels = in_batches(positive, negative, rules.batch)
    folds = verification.thesis_accuracy(distances, labels)
    text_threshold, text_accuracy = verification.mean_batch_accuracy(positive, negative, rules.batch)
    curve = verification.roc(distances, labels)
    return {
        "loss": float(means.mean()),
        "loss_thesis": float(means.sum() / len(hinge)),
        "accuracy": folds.mean,
        "accuracy_std": folds.std,
        "threshold": float(folds.thresholds.mean()),
        "accuracy_text": text_accuracy,
        "threshold_text": text_threshold,
        "auc": curve.auc,
        "eer": verification.eer(curve),
        "val_at_far_0.001": verification.val_at_far(distances, labels).val,
        "tar_at_far_0.01": verification.tar_at_far(distances, labels, 1e-2).tar,
        "tar_at_far_0.001": verification.tar_at_far(distances, labels, 1e-3).tar,
        "triplets": len(positive),
    }


def in_batches(
    positive: NDArray[np.float64], negative: NDArray[np.float64], batch: int
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Distances and labels in the thesis' order, on which its folds depend: a batch's positives, then its negatives."""
    distances, labels = [], []
    for start in range(0, len(positive), batch):
        for label, kind in ((1, positive), (0, negative)):
            part = kind[start : start + batch]
            distances.append(part)
            labels.append(np.full(len(part), label))
    return np.concatenate(distances), np.concatenate(labels)
