"""Which model serves a shard: one key of the ledger that every worker follows.

`model_id` None: each worker's own setting (ATTENDANCE_MODEL) serves, as it does where the key is absent. `epoch` rises
whenever another model is named, and tracks restart on it. `coming` is a model that workers load and whose gallery they
follow beside the serving one, so that they can switch from one frame to the next. `limits` are the site's own stricter
thresholds, distances by model id (dashboard/gallery/calibration.py); a worker too old to know of them serves the bundle's rule.
`revision` rises with every change of any of these; the truth is in the database (dashboard/gallery/serving.py), from which the
shard's recorder writes the key.
"""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from worker.protocol.bundle import MODEL_ID
from worker.protocol.entries import BadEntry, Whole, first_fault

ModelId = Annotated[str, Field(pattern=MODEL_ID)]


class Serving(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    revision: Whole = Field(ge=1)
    epoch: Whole = Field(ge=0)
    model_id: ModelId | None = None
    coming: ModelId | None = None
    limits: dict[ModelId, Annotated[float, Field(gt=0, allow_inf_nan=False)]] = Field(default={}, max_length=1_000)

    def to_bytes(self) -> bytes:
        return self.model_dump_json().encode()

    @classmethod
    def from_bytes(cls, raw: bytes) -> "Serving":
        """Raises BadEntry: who can't read which model serves must not guess."""
        try:
            return cls.model_validate_json(raw)
        except ValidationError as error:
            raise BadEntry(first_fault(error, "serving")) from None
