"""A model as workers announce it in their heartbeats: what its bundle says of itself, without how it is computed."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from worker.protocol.accuracy import Accuracy
from worker.protocol.bundle import MAX_TEMPLATE_NUMBERS, MODEL_ID, ModelInfo, Threshold

MOST_ANNOUNCED = 16
"""Models of one heartbeat: each is about 1 KB, twice a second."""
LONGEST_LICENCE, LONGEST_SOURCE, MOST_THRESHOLDS = 300, 1_000, 16


class AnnouncedModel(BaseModel):
    """Readers take what they know and leave the rest: workers of another version may say more."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str = Field(pattern=MODEL_ID)
    architecture: str = Field(max_length=40)
    embedding_size: int = Field(ge=2, le=MAX_TEMPLATE_NUMBERS)
    alpha: float = Field(gt=0, le=1000)
    licence: str = Field(max_length=LONGEST_LICENCE)
    thresholds: tuple[Threshold, ...] = Field(max_length=MOST_THRESHOLDS)
    threshold_source: str = Field(max_length=LONGEST_SOURCE)
    accuracy: Accuracy | None = None

    @field_validator("accuracy", mode="before")
    @classmethod
    def _what_can_be_read(cls, given: Any) -> Any:
        """Figures of another version are left out, and the model is shown all the same."""
        try:
            return Accuracy.model_validate(given)
        except ValidationError:
            return None

    @classmethod
    def of(cls, info: ModelInfo) -> "AnnouncedModel":
        return cls(
            id=info.id,
            architecture=info.architecture,
            embedding_size=info.embedding_size,
            alpha=info.alpha,
            licence=_cut(info.licence, LONGEST_LICENCE),
            thresholds=tuple(info.thresholds[:MOST_THRESHOLDS]),
            threshold_source=_cut(info.threshold_source, LONGEST_SOURCE),
            accuracy=info.accuracy,
        )


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"
