"""Metadata of a model bundle (`model.json`) and how a threshold follows from it. The weights are worker/bundle.py's."""

import hashlib
import itertools
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from worker.protocol.accuracy import Accuracy

FORMAT = 1
"""Version of model.json; a newer one is refused."""
WEIGHTS, ONNX, INFO, CARD = "model.safetensors", "model.onnx", "model.json", "MODEL_CARD.md"
"""The files of a bundle: weights of one kind or the other, metadata, and what people should know."""
FUSION = "fusion"
FIXED_SIZE = 128
"""Numbers in a template of SFace and of the ResNets; only other architectures may have more or fewer."""
MAX_TEMPLATE_NUMBERS = 2048
PICTURE, SCALING, FUSING = {"input_px", "crop", "weights_sha256"}, {"channels", "mean", "std"}, {"parts", "weight"}
NEEDED = {"onnx": PICTURE | SCALING, FUSION: FUSING}
"""Fields of model.json that an architecture must have, and others must not; all that aren't named here need PICTURE."""
MODEL_ID = r"^[a-z0-9-]{1,40}-[0-9a-f]{12}$"
"""Architecture, and the digest of weights and preprocessing."""


FEWEST_ACCEPTED = 0.90
"""DESIGN, "Deciding": where the bundle's true accept rate is under it, doctor and dashboard say so."""
Finite = Annotated[float, Field(allow_inf_nan=False)]
PartId = Annotated[str, Field(pattern=MODEL_ID)]


class BadBundle(ValueError):
    """A bundle that must not serve; the message names file, value and the way out."""


class Threshold(BaseModel):
    """A distance below which two faces count as one person, and the false match rate measured at it."""

    model_config = ConfigDict(frozen=True)

    false_match_rate: float = Field(gt=0, lt=1)
    distance: float = Field(gt=0)
    true_accept_rate: float | None = Field(default=None, ge=0, le=1)


class ModelInfo(BaseModel):
    """What model.json holds. Distances are Euclidean on a sphere of radius `alpha`: d² = 2·α²·(1 − cos)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: int = Field(default=FORMAT, ge=1, le=FORMAT)
    id: str = Field(pattern=MODEL_ID, description="architecture and the digest of weights + preprocessing")
    architecture: Literal["resnet50-triplet", "resnet34-triplet", "resnet18-triplet", "sface", "onnx", "fusion"]
    parameters: int | None = Field(default=None, gt=0)
    input_px: int | None = Field(
        default=None, ge=32, le=512, description="side of the face's picture; a fusion has none"
    )
    crop: Literal["mtcnn-margin", "five-points"] | None = Field(default=None, description="a fusion has none")
    channels: Literal["RGB", "BGR"] | None = Field(default=None, description="onnx: order of the colours")
    mean: list[Finite] | None = Field(
        default=None, description="onnx: (value 0 … 255 − mean) / std; one, or one a channel"
    )
    std: list[Finite] | None = None
    parts: tuple[PartId, PartId] | None = Field(default=None, description="fusion: ids of the two models")
    weight: float | None = Field(
        default=None, gt=0, lt=1, description="fusion: the first part's share of the mean cosine"
    )
    alpha: float = Field(gt=0, le=1000)
    embedding_size: int = Field(default=FIXED_SIZE, ge=2, le=MAX_TEMPLATE_NUMBERS)
    metric: Literal["euclidean"] = "euclidean"
    weights_sha256: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$", description="a fusion has none")
    licence: str
    thresholds: list[Threshold] = Field(min_length=1, description="by falling false match rate")
    threshold_source: str = Field(min_length=1, description="data and protocol the thresholds were measured on")
    accuracy: Accuracy | None = Field(
        default=None, description="for people to read; `attendance train accuracy --note`"
    )

    @model_validator(mode="after")
    def _fields_fit_the_architecture(self) -> "ModelInfo":
        needed = NEEDED.get(self.architecture, PICTURE)
        for name in sorted(needed):
            if getattr(self, name) is None:
                raise ValueError(f"{name} is missing, which architecture {self.architecture} needs")
        for name in sorted((PICTURE | SCALING | FUSING) - needed):
            if getattr(self, name) is not None:
                raise ValueError(f"{name} means nothing for architecture {self.architecture}; take it out")
        if self.architecture not in NEEDED and self.embedding_size != FIXED_SIZE:
            raise ValueError(
                f"embedding_size {self.embedding_size}, but {self.architecture} gives {FIXED_SIZE} numbers"
            )
        for name, values in (("mean", self.mean), ("std", self.std)):
            if values is not None and len(values) not in (1, 3):
                raise ValueError(f"{name} has {len(values)} numbers: one, or one for each of three channels")
        if self.std is not None and min(self.std) <= 0:
            raise ValueError(f"std {self.std}: above 0")
        if self.parts is not None and self.parts[0] == self.parts[1]:
            raise ValueError(f"parts: {self.parts[0]} twice is no fusion")
        return self

    @model_validator(mode="after")
    def _thresholds_fall(self) -> "ModelInfo":
        rates = [t.false_match_rate for t in self.thresholds]
        distances = [t.distance for t in self.thresholds]
        if rates != sorted(set(rates), reverse=True) or distances != sorted(distances, reverse=True):
            raise ValueError("thresholds must have falling false match rates and falling distances")
        if self.thresholds[0].distance >= 2 * self.alpha:
            raise ValueError("a threshold at or beyond the sphere's diameter 2·alpha accepts everybody")
        return self


class ServingThreshold(BaseModel):
    """The threshold in force for a gallery, and what it promises."""

    model_config = ConfigDict(frozen=True)

    distance: float
    wanted_false_match_rate: float
    """Per comparison, from the site's FPIR target and the number of enrolled people."""
    promised_false_match_rate: float
    """What the distance was measured (or interpolated) to give; above `wanted` when the measurements end before it."""
    promised_fpir: float
    """Bound on a stranger's chance of being accepted as anybody: 1 − (1 − rate)^N."""
    rule_distance: float
    """By the bundle alone; `distance` is less where the site has set a stricter limit for the model."""
    true_accept_rate: float | None = None
    """At least this share of genuine comparisons was within `distance`, by the bundle's table; None: not measured."""

    @property
    def meets_target(self) -> bool:
        return self.promised_false_match_rate <= self.wanted_false_match_rate * (1 + 1e-9)

    @property
    def accepts_too_few(self) -> bool:
        """Whether a badge or PIN is to be advised, since too many people would stand there unknown."""
        return self.true_accept_rate is not None and self.true_accept_rate < FEWEST_ACCEPTED


def cosine_to_distance(cosine: float, alpha: float) -> float:
    """Euclidean distance on the sphere of radius `alpha` of two directions with that cosine."""
    return alpha * math.sqrt(2 * (1 - cosine))


def serving_threshold(info: ModelInfo, gallery_size: int, fpir: float, limit: float | None = None) -> ServingThreshold:
    """Threshold for 1:N against `gallery_size` comparisons at the target `fpir` (DESIGN: FMR ≤ 1 − (1 − FPIR)^(1/N)).

    Between two measured points the distance is interpolated over log10 of the rate. Nothing is extrapolated: past the
    strictest measured point that point serves, and `meets_target` is False so that doctor and dashboard can say it.
    `limit` is the site's own, which can only make it stricter; the promise stays the bundle's.
    """
    n = max(1, gallery_size)
    wanted = -math.expm1(math.log1p(-fpir) / n)
    points = info.thresholds
    if wanted >= points[0].false_match_rate:
        distance, rate = points[0].distance, points[0].false_match_rate
    elif wanted <= points[-1].false_match_rate:
        distance, rate = points[-1].distance, points[-1].false_match_rate
    else:
        loose, strict = next(
            (a, b) for a, b in itertools.pairwise(points) if b.false_match_rate <= wanted <= a.false_match_rate
        )
        span = math.log10(loose.false_match_rate / strict.false_match_rate)
        part = math.log10(loose.false_match_rate / wanted) / span
        distance, rate = loose.distance + part * (strict.distance - loose.distance), wanted
    served = distance if limit is None else min(distance, limit)
    # the next stricter point's share is a lower bound; past the last one nothing was measured
    accepted = next((point.true_accept_rate for point in points if point.distance <= served * (1 + 1e-9)), None)
    return ServingThreshold(
        distance=served,
        wanted_false_match_rate=wanted,
        promised_false_match_rate=rate,
        promised_fpir=-math.expm1(n * math.log1p(-rate)),
        rule_distance=distance,
        true_accept_rate=accepted,
    )


def read_info(path: Path) -> ModelInfo:
    """Read and check a model.json; raises BadBundle."""
    try:
        info = ModelInfo.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        raise BadBundle(
            f"{path}: not there; a bundle is a folder with {INFO}, {CARD} and its weights ({WEIGHTS} or {ONNX})"
        ) from None
    except (ValidationError, OSError, UnicodeDecodeError) as error:
        detail = (
            error.errors(include_url=False)[0] if isinstance(error, ValidationError) else {"loc": (), "msg": str(error)}
        )
        where = ".".join(str(part) for part in detail["loc"]) or "file"
        if where == "format" and detail.get("type") == "less_than_equal":
            raise BadBundle(
                f"{path}: format {detail.get('input')} was made by a newer version (this one reads {FORMAT}); "
                "update the product"
            ) from None
        if where == "architecture" and detail.get("type") == "literal_error":
            raise BadBundle(
                f"{path}: architecture {str(detail.get('input'))[:60]!r} is unknown here ({detail['msg']}); "
                "where a newer version made it, update the product"
            ) from None
        raise BadBundle(f"{path}: {where}: {detail['msg']}; correct it, or export the bundle again") from None
    return info


def file_sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def model_id(
    architecture: str, weights_sha256: str, input_px: int, crop: str, alpha: float, more: Sequence[object] = ()
) -> str:
    """The id that names weights and preprocessing together: whoever changes either has another model."""
    return _named(architecture, [architecture, weights_sha256, input_px, crop, alpha, *more])


def fusion_id(parts: Sequence[str], weight: float, alpha: float) -> str:
    """The id of a fusion: its parts' ids stand for their weights and preprocessing."""
    return _named(FUSION, [FUSION, list(parts), float(weight), float(alpha)])


def _named(architecture: str, body: list[object]) -> str:
    return f"{architecture}-{hashlib.sha256(json.dumps(body).encode()).hexdigest()[:12]}"


def expected_id(info: ModelInfo) -> str:
    """The id that follows from all that makes a template of a picture."""
    if info.parts is not None and info.weight is not None:
        return fusion_id(info.parts, info.weight, info.alpha)
    assert info.weights_sha256 is not None
    assert info.input_px is not None
    assert info.crop is not None
    more = (info.channels, info.mean, info.std) if info.architecture == "onnx" else ()
    return model_id(info.architecture, info.weights_sha256, info.input_px, info.crop, info.alpha, more)


def weights_name(info: ModelInfo) -> str | None:
    """The file of a bundle that holds its weights; None for a fusion, whose parts have theirs."""
    return None if info.architecture == FUSION else ONNX if info.architecture == "onnx" else WEIGHTS


def verify(folder: Path) -> ModelInfo:
    """Metadata of a bundle whose files belong together: the weights are those of model.json, and the id names both.

    Raises BadBundle. Whether a network takes the weights is worker/bundle.py's and worker/onnx_bundle.py's to find out.
    """
    info = read_info(folder / INFO)
    name = weights_name(info)
    if name is not None:
        _verify_weights(folder / name, info.weights_sha256 or "")
    expected = expected_id(info)
    if info.id != expected:
        raise BadBundle(
            f"{folder / INFO}: id {info.id} doesn't follow from weights and preprocessing ({expected}); export it again"
        )
    return info


def _verify_weights(path: Path, sha256: str) -> None:
    if not path.is_file():
        raise BadBundle(f"{path}: not there; copy the whole bundle folder again")
    try:
        digest = file_sha256(path)
    except OSError as error:
        raise BadBundle(f"{path}: can't be read ({error.strerror})") from None
    if digest != sha256:
        raise BadBundle(f"{path}: SHA-256 {digest[:12]}… isn't the {sha256[:12]}… of model.json; copy the bundle again")
