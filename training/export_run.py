"""From a run's folder to a bundle that workers load, with thresholds measured on people whom training never saw."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from training import networks, report
from training.all_pairs import all_pairs
from training.dataset import FaceFolder, check_disjoint, split_identities
from training.export import write_bundle
from training.pictures import open_faces
from training.processes import Processes
from training.recipe import Recipe
from training.run_data import people_of
from training.runlog import read_rows
from training.trained import load_network
from training.validate import embed
from training.verification import BadPairs, Floats, allowed_errors
from worker.protocol.bundle import ModelInfo, Threshold

RATES = (1e-2, 1e-3, 1e-4, 1e-5, 1e-6)
LEAST_ERRORS = 10
"""False accepts that a threshold must rest on; rates that would rest on fewer are left out."""
MOST_PICTURES = 20_000
"""Of a set of people: 200 million pairs. Of more, people are drawn at random."""
ONNX_TOLERANCE = 1e-4
ONNX_SIZE = 4
"""Pictures with which the ONNX file is checked."""


class BadExport(ValueError):
    """A run that can't become a bundle; the message says why and what to do."""


@dataclass(frozen=True)
class Exported:
    info: ModelInfo
    onnx_difference: float | None = None
    """Largest difference from torch in any number of an embedding."""


@dataclass(frozen=True)
class PairCounts:
    """What thresholds were measured on."""

    name: str
    people: int
    pictures: int
    genuine: int
    impostor: int


def export(
    run: Path,
    to: Path,
    *,
    which: str = "best",
    calibrate: Sequence[Path] = (),
    licence: str = "not stated",
    onnx: Path | None = None,
) -> Exported:
    """Write the bundle; its weights are the average over steps where the run kept one. Raises BadExport and others."""
    recipe, network, kept = load_network(run, which)
    form = recipe.network
    architecture = networks.bundle_architecture(form.architecture, form.head, form.embedding_size)
    if architecture is None:
        raise BadExport(
            f"{run}: {form.architecture} with a {form.head} head and {form.embedding_size} numbers can't be served; workers "
            "load resnet50, resnet34 and resnet18 with network.head=flatten and 128 numbers"
        )
    network.half().float()  # as the weights will be read from the bundle
    data = report.read_json(run / "data.json")
    sets, used_validation = _calibration_sets(run, recipe, data, calibrate)
    measured = [_measure(network, folder, name, recipe) for name, folder in sets.items()]
    thresholds = strictest([points for points, _ in measured])
    if not thresholds:
        raise BadExport(
            f"too few pairs of strangers for any threshold ({', '.join(str(c.impostor) for _, c in measured)}): a rate of "
            f"{RATES[0]:g} needs {round(LEAST_ERRORS / RATES[0])}; give more people with --calibrate"
        )
    source = _source([counts for _, counts in measured], used_validation, bool(data.get("valid_is_held_out")))
    card = model_card(run, recipe, kept, architecture, thresholds, source, licence, used_validation)
    info = write_bundle(
        network,  # type: ignore[arg-type]
        to,
        thresholds=thresholds,
        threshold_source=source,
        licence=licence,
        card=card,
        crop=recipe.data.crop,
        architecture=architecture,
    )
    return Exported(info, write_onnx(network, onnx, form.input_px) if onnx is not None else None)


def _calibration_sets(
    run: Path, recipe: Recipe, data: dict[str, Any], calibrate: Sequence[Path]
) -> tuple[dict[str, FaceFolder], bool]:
    """Name → people to measure thresholds on, disjoint from training; and whether they are the run's validation."""
    try:
        whole_root, valid_root = Path(data["train"]["root"]), Path(data["valid"]["root"])
    except KeyError:
        raise BadExport(f"{run}: data.json is missing or damaged; the run's folder isn't whole any more") from None
    train, valid = people_of(recipe, whole_root), None
    if data["valid_is_held_out"]:
        train, valid = split_identities(train, recipe.data.held_out_share, recipe.seed)
    if not calibrate:
        return {valid_root.name: valid or open_faces(valid_root)}, True
    sets = {}
    for folder in calibrate:
        people = open_faces(folder)
        check_disjoint({"training": train, folder.name: people})
        sets[str(folder)] = people
    return sets, False


def _measure(
    network: networks.FaceNetwork, folder: FaceFolder, name: str, recipe: Recipe
) -> tuple[list[Threshold], PairCounts]:
    people = np.random.default_rng(recipe.seed).permutation(len(folder.identities))
    enough = int(np.searchsorted(np.cumsum(folder.counts[people]), MOST_PICTURES, side="right"))
    folder = folder.part(np.flatnonzero(np.isin(folder.labels, people[: max(enough, 2)])))
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    numbers = np.arange(len(folder), dtype=np.int64)
    templates = embed(network.to(device), folder, numbers, recipe, device, Processes())
    network.cpu()
    try:
        pairs = all_pairs(templates, folder.labels, alpha=recipe.network.alpha, loosest_far=RATES[0]).scored
    except BadPairs as error:
        raise BadExport(f"{folder.root}: {error}; give other people with --calibrate") from None
    counts = PairCounts(Path(name).name, len(folder.identities), len(folder), len(pairs.genuine), pairs.impostors)
    return thresholds_at(pairs.genuine, pairs.tail, pairs.impostors, recipe.network.alpha), counts


def thresholds_at(genuine: Floats, nearest: Floats, impostors: int, alpha: float) -> list[Threshold]:
    """The loosest distance at each rate of RATES that rests on enough false accepts, and what it accepts.

    `genuine` and `nearest`, the nearest of the `impostors` pairs of strangers, are distances in rising order. The worker
    accepts below the threshold, and the threshold is an impostor's distance: that pair stays out.
    """
    found = []
    for rate in RATES:
        errors = allowed_errors(rate, impostors)
        if errors < LEAST_ERRORS or errors >= len(nearest) or not len(genuine):
            continue
        distance = float(nearest[errors])
        if 0 < distance < 2 * alpha:
            accepted = float(np.searchsorted(genuine, distance, side="left") / len(genuine))
            found.append(Threshold(false_match_rate=rate, distance=distance, true_accept_rate=accepted))
    return found


def strictest(sets: Sequence[Sequence[Threshold]]) -> list[Threshold]:
    """At each rate that every set has, the smallest distance, with the lowest accept rate: the worst group counts."""
    found: list[Threshold] = []
    for rate in RATES:
        points = [point for points in sets for point in points if point.false_match_rate == rate]
        if len(points) < len(sets):
            continue
        accepts = [point.true_accept_rate or 0.0 for point in points]
        distance = min([point.distance for point in points] + [point.distance for point in found[-1:]])
        found.append(Threshold(false_match_rate=rate, distance=distance, true_accept_rate=min(accepts)))
    return found


def _source(counts: Sequence[PairCounts], used_validation: bool, held_out: bool) -> str:
    who = "; ".join(
        f"{c.name}: {c.people} people, {c.pictures} pictures, {c.genuine} genuine and {c.impostor} impostor pairs"
        for c in counts
    )
    how = "all pairs of prepared faces, single pictures, distance below the threshold accepted"
    if used_validation:
        where = "identities held out of the training data" if held_out else "the run's validation set"
        return f"{where}, on which the best epoch was chosen too ({who}); {how}"
    return f"people who aren't in the training data ({who}); {how}" + (
        "; the strictest set counts" if len(counts) > 1 else ""
    )


def model_card(
    run: Path,
    recipe: Recipe,
    kept: dict[str, Any],
    architecture: str,
    thresholds: Sequence[Threshold],
    source: str,
    licence: str,
    used_validation: bool,
) -> str:
    """MODEL_CARD.md: data, licence, recipe, accuracy and limits, filled from the run."""
    data, rows = report.read_json(run / "data.json"), read_rows(run, "valid")
    epoch = kept["position"]["epoch"]
    row = next((row for row in rows if int(row["epoch"]) == epoch - 1), None)
    figures = [[words, report.number(row[name])] for name, words in report.SHOWN.items()] if row else []
    rates = [[f"{t.false_match_rate:g}", f"{t.distance:.4f}", f"{t.true_accept_rate:.4f}"] for t in thresholds]
    warning = (
        ""
        if not used_validation
        else (
            " They rest on the people on whom the best epoch was chosen, so they are somewhat optimistic; "
            "export with --calibrate for better ones."
        )
    )
    average = "; the weights are an average over steps" if kept["ema"] else ""
    trained = data.get("train", {})
    return f"""# Model card: {architecture}

## Data
Trained on {trained.get("pictures", "?"):,} pictures of {trained.get("identities", "?"):,} people. {recipe.data.source}
Faces cut by the product's own detector ({recipe.data.crop}); no person and no picture of training is in the validation.

## Licence
{licence}. Terms of the training pictures hold for what was learnt from them; look at them before any use.

## Recipe
`{recipe.name}`: {recipe.words or "no words"}. {epoch} epochs ({kept["position"]["views"]:,} pictures seen), started from
{recipe.network.init} weights{average}. Seed {recipe.seed}, version {kept["version"]}.

## Accuracy
On validation triplets of the epoch that was exported, by the thesis' protocol.
`attendance evaluate` measures it on LFW View 2 and others.

{report.table(["measure", "value"], figures)}

## Thresholds
{source}.{warning}

{report.table(["false match rate", "distance", "true accept rate"], rates)}

## Limits
Rates are those of strangers like the people above; strangers of one group look more alike, and rates among them are higher.
Nothing here tells a living face from a photograph of it.
"""


def write_onnx(network: networks.FaceNetwork, path: Path, input_px: int) -> float:
    """Write the network as ONNX (any number of pictures) and compare it with torch; the largest difference.

    Raises BadExport, and leaves no file, when the two differ by more than ONNX_TOLERANCE.
    """
    import onnxruntime

    path.parent.mkdir(parents=True, exist_ok=True)
    pictures = torch.randn(ONNX_SIZE, 3, input_px, input_px, generator=torch.Generator().manual_seed(0))
    batch = torch.export.Dim("batch", min=1, max=4096)
    torch.onnx.export(
        network,
        (pictures,),
        path,
        input_names=["pictures"],
        output_names=["embeddings"],
        dynamic_shapes=({0: batch},),
        external_data=False,
        dynamo=True,
        verbose=False,
    )
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    worst = 0.0
    for some in (pictures, pictures[:1]):
        (answer,) = session.run(None, {"pictures": some.numpy()})
        worst = max(worst, float(np.abs(answer - networks.embed(network, some).numpy()).max()))
    if not worst <= ONNX_TOLERANCE:
        path.unlink()
        raise BadExport(
            f"{path}: ONNX Runtime differs from torch by {worst:.2e}, more than {ONNX_TOLERANCE:g}; nothing was kept"
        )
    return worst
