"""From a run's folder to a bundle that workers load, with thresholds measured on people whom training never saw."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from training import networks, report
from training.calibration import (
    alikeness,
    drawn_people,
    score_groups,
    score_people,
    source_words,
    threshold_table,
    thresholds_of,
    too_few_words,
)
from training.dataset import FaceFolder, check_disjoint, hashes_of
from training.export import write_bundle
from training.pictures import open_faces
from training.processes import Processes
from training.recipe import Recipe
from training.runlog import read_rows
from training.solving import NAME as SOLVED
from training.trained import faces_of, load_network
from training.validate import embed
from worker.protocol.bundle import ModelInfo, Threshold

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


def export(
    run: Path,
    to: Path,
    *,
    which: str = "best",
    calibrate: Sequence[Path] = (),
    strangers: Path | None = None,
    cache: Path = Path("cache"),
    licence: str = "not stated",
    onnx: Path | None = None,
) -> Exported:
    """Write the bundle; its weights are the average over steps where the run kept one.

    Thresholds are measured on people (`calibrate`, else the run's validation) and, where `strangers` are given (prepared faces,
    GROUP/picture), on strangers of one group, of whom the worst group counts. Raises BadExport and others.
    """
    recipe, network, kept = load_network(run, which)
    form = recipe.network
    architecture = networks.bundle_architecture(form.architecture, form.head, form.embedding_size)
    if architecture is None:
        raise BadExport(
            f"{run}: {form.architecture} with a {form.head} head and {form.embedding_size} numbers can't be served; workers "
            "load resnet50, resnet34 and resnet18 with network.head=flatten and 128 numbers"
        )
    network.half().float()  # as the weights will be read from the bundle
    train, valid, valid_root = faces_of(run, recipe)
    if calibrate:
        sets = {str(folder): open_faces(folder) for folder in calibrate}
        for name, folder in sets.items():
            check_disjoint({"training": train, Path(name).name: folder})
    else:
        sets = {valid_root.name: valid or open_faces(valid_root)}
    groups_folder = None if strangers is None else open_faces(strangers)
    if groups_folder is not None:
        _check_strangers(groups_folder, train, run)
    alpha, people, groups = recipe.network.alpha, [], []
    for name, folder in sets.items():
        drawn = drawn_people(folder, recipe.seed)
        people.append(score_people(_templates(network, drawn, recipe), drawn, name, alpha))
    if groups_folder is not None:
        alike = alikeness(groups_folder, recipe.data.crop, cache)
        groups = score_groups(_templates(network, groups_folder, recipe), groups_folder, alike, alpha)
    thresholds = thresholds_of(people, groups, alpha)
    if not thresholds:
        raise BadExport(too_few_words(people, groups, "give more people with --calibrate"))
    source = source_words(people, groups, not calibrate, valid is not None)
    card = model_card(run, recipe, kept, architecture, thresholds, source, licence, not calibrate)
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


def _templates(network: networks.FaceNetwork, folder: FaceFolder, recipe: Recipe) -> NDArray[np.float32]:
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    found = embed(network.to(device), folder, np.arange(len(folder)), recipe, device, Processes())
    network.cpu()
    return found


def _check_strangers(strangers: FaceFolder, train: FaceFolder, run: Path) -> None:
    """Raise BadExport where a stranger's picture was trained on. Groups may be of one name: they are no people."""
    seen = set(hashes_of(train))
    shared = [file for file, digest in zip(strangers.files, hashes_of(strangers), strict=True) if digest in seen]
    if shared:
        raise BadExport(
            f"{strangers.root}: {len(shared)} of its pictures were trained on in {run} (such as {shared[0]}); thresholds from "
            "them would promise too much. Keep them out of training"
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
    solved = kept.get(SOLVED)
    row = solved or next((row for row in rows if int(row["epoch"]) == epoch - 1), None)
    figures = [[words, report.number(row[name])] for name, words in report.SHOWN.items()] if row else []
    warning = (
        ""
        if not used_validation
        else (
            " They rest on the people on whom the best epoch was chosen, so they are somewhat optimistic; "
            "export with --calibrate for better ones."
        )
    )
    average = "; the weights are an average over steps" if kept["ema"] else ""
    if solved:
        average += f"; then the linear layer was solved on {solved['faces']:,} of the pictures"
    trained = data.get("train", {})
    named = any(
        stage.loss.kind not in ("imitate", "distill") and stage.sampling.kind != "near-strangers"
        for stage in recipe.stages
        if stage.epochs
    )
    who = f" of {trained.get('identities', '?'):,} people" if named else "; nothing was learnt from who is on them"
    started_from = report.read_json(run / "machine.json").get("started_from") or f"{recipe.network.init} weights"
    return f"""# Model card: {architecture}

## Data
Trained on {trained.get("pictures", "?"):,} pictures{who}. {recipe.data.source}
Faces cut by the product's own detector ({recipe.data.crop}); no person and no picture of training is in the validation.

## Licence
{licence}. Terms of the training pictures hold for what was learnt from them; look at them before any use.

## Recipe
`{recipe.name}`: {recipe.words or "no words"}. {epoch} epochs ({kept["position"]["views"]:,} pictures seen), started from
{started_from}{average}. Seed {recipe.seed}, version {kept["version"]}.

## Accuracy
On validation triplets of the epoch that was exported, by the thesis' protocol.
`attendance evaluate` measures it on LFW View 2 and others.

{report.table(["measure", "value"], figures)}

## Thresholds
{source}.{warning}

{threshold_table(thresholds)}

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
