"""A network that a site brings as ONNX, made into a bundle: thresholds are measured here, since it comes with none.

The bundle appears in one rename, whole or not at all. Until its thresholds are measured the network has metadata in memory
alone, so no model.json without true thresholds ever lies on a disk.
"""

import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

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
from training.dataset import FaceFolder
from training.pictures import open_faces
from training.run_data import prepared_crop
from training.teacher import prepared_embeddings
from worker.embedder import OnnxEmbedder
from worker.onnx_bundle import open_network
from worker.openvino_cpu import CpuNetwork
from worker.protocol.bundle import CARD, INFO, ONNX, BadBundle, ModelInfo, Threshold, expected_id, file_sha256, verify

ALPHA = 10.0
"""Radius of the sphere, as of the product's other models: its distances read alike."""
SEED = 0
"""Of the people drawn where a set has more than calibration.MOST_PICTURES."""
WHO = "people of whom nobody has said whether the network was trained on them"


class BadAdoption(ValueError):
    """A network that can't become a bundle; the message says why and what to do."""


@dataclass(frozen=True)
class Form:
    """How the network wants to see a face; the fields are those of model.json."""

    input_px: int
    crop: str
    channels: str
    mean: Sequence[float]
    std: Sequence[float]


@dataclass(frozen=True)
class Measured:
    """Prepared faces by whom thresholds are measured."""

    people: Sequence[FaceFolder]
    strangers: FaceFolder | None
    """GROUP/picture; None where only strangers at large are there."""


@dataclass(frozen=True)
class Terms:
    licence: str
    origin: str
    """Where the network comes from, for the card."""


def open_sets(people: Sequence[Path], strangers: Path | None) -> Measured:
    """Raises BadData; reads no picture, so it can go before anything that takes long."""
    return Measured([open_faces(one) for one in people], None if strangers is None else open_faces(strangers))


def check_new(to: Path) -> None:
    """Raise BadAdoption where a bundle can't appear in one rename: something is there."""
    try:
        taken = to.exists() and (not to.is_dir() or any(to.iterdir()))
    except OSError as error:
        raise BadAdoption(f"{to}: can't be read ({error.strerror})") from None
    if taken:
        raise BadAdoption(f"{to}: is there already and isn't empty; give a new folder with --to")


def adopt(
    network: Path,
    to: Path,
    form: Form,
    sets: Measured,
    terms: Terms,
    cache: Path,
    threads: int,
    say: Callable[[str], object] = lambda words: None,
) -> ModelInfo:
    """Measure an ONNX network's thresholds and write the bundle into `to`, a new or empty folder.

    Raises BadAdoption, BadBundle for a network that a worker couldn't run, and what reading and embedding the faces raise.
    """
    check_new(to)
    try:
        to.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{to.name}-", dir=to.parent) as scratch:
            draft = Path(scratch) / "bundle"
            draft.mkdir()
            shutil.copyfile(
                network, draft / ONNX
            )  # what was measured is what will serve, whatever becomes of the source
            try:
                info = _measured(draft / ONNX, form, sets, terms, cache, threads, say)
            except BadBundle as error:  # the draft is gone when this is read
                raise BadBundle(str(error).replace(str(draft / ONNX), str(network))) from None
            (draft / CARD).write_text(card(info, terms), encoding="utf-8")
            (draft / INFO).write_text(info.model_dump_json(indent=2, exclude_none=True), encoding="utf-8")
            verify(draft)
            draft.rename(to)
    except OSError as error:
        raise BadAdoption(f"{error.filename or to}: can't be read or written ({error.strerror or error})") from None
    return info


def provisional(form: Form, sha256: str, numbers: int, licence: str) -> ModelInfo:
    """Metadata for measuring alone, kept in memory: its threshold is no measurement. Raises BadAdoption."""
    try:
        info = ModelInfo.model_validate(
            {
                "id": "onnx-000000000000",
                "architecture": "onnx",
                "input_px": form.input_px,
                "crop": form.crop,
                "channels": form.channels,
                "mean": list(form.mean),
                "std": list(form.std),
                "alpha": ALPHA,
                "embedding_size": numbers,
                "weights_sha256": sha256,
                "licence": licence,
                "thresholds": [Threshold(false_match_rate=0.5, distance=ALPHA)],
                "threshold_source": "not measured yet",
            }
        )
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise BadAdoption(f"{where + ': ' if where else ''}{first['msg'].removeprefix('Value error, ')}") from None
    return info.model_copy(update={"id": expected_id(info)})


def _measured(
    path: Path, form: Form, sets: Measured, terms: Terms, cache: Path, threads: int, say: Callable[[str], object]
) -> ModelInfo:
    """model.json of the network, with its thresholds."""
    opened: tuple[CpuNetwork, int] = open_network(path, form.input_px, threads, said_by="the command")
    info = provisional(form, file_sha256(path), opened[1], terms.licence)
    model = OnnxEmbedder(info, opened[0])
    people, groups = [], []
    for whole in sets.people:
        folder = drawn_people(whole, SEED)
        crop = crop_of(folder, form, say)
        people.append(score_people(prepared_embeddings(model, folder, crop, cache), folder, str(folder.root), ALPHA))
    if sets.strangers is not None:
        crop = crop_of(sets.strangers, form, say)
        templates = prepared_embeddings(model, sets.strangers, crop, cache)
        groups = score_groups(templates, sets.strangers, alikeness(sets.strangers, crop, cache), ALPHA)
    thresholds = thresholds_of(people, groups, ALPHA)
    if not thresholds:
        larger = ", or larger groups with --strangers" if groups else ""
        raise BadAdoption(too_few_words(people, groups, f"give more people with --people{larger}"))
    source = source_words(people, groups, False, False, WHO)
    return ModelInfo.model_validate(info.model_dump() | {"thresholds": thresholds, "threshold_source": source})


def crop_of(folder: FaceFolder, form: Form, say: Callable[[str], object]) -> str:
    """How the faces were cut: as `prepare` left word, else as the network wants them."""
    found = prepared_crop(folder.root)
    if found is None:
        say(f"{folder.root}: {len(folder)} pictures, taken as cut by {form.crop}: nothing there says how they were")
    elif found != form.crop:
        say(f"{folder.root}: {len(folder)} pictures, cut by {found}: the detector looks for each face again")
    else:
        say(f"{folder.root}: {len(folder)} pictures")
    return found or form.crop


def card(info: ModelInfo, terms: Terms) -> str:
    """MODEL_CARD.md."""
    return f"""# Model card: a network that was brought

{terms.origin}. {info.embedding_size} numbers a face. What it was trained on, who made it and how well it does elsewhere is its
makers' to say.

## Licence
{terms.licence}.

## Preprocessing
A face of {info.input_px} × {info.input_px} px, cut by {info.crop}, {info.channels}, (value − {info.mean}) / {info.std}.

## Thresholds
{info.threshold_source}.

{threshold_table(info.thresholds)}

## Limits
Where the network was trained on the people above, the rates promise too much. Without groups of strangers above, they are
those of strangers at large: strangers of one group look more alike, and rates among them are higher.
Nothing here tells a living face from a photograph of it.
"""
