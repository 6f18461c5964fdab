"""How good a recogniser was found to be, as its bundle carries it: a few figures that people can compare models by.

They are for reading only: which distance accepts follows from the bundle's thresholds (worker/protocol/bundle.py).
"""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=0, le=1_000_000)]


class Accuracy(BaseModel):
    """What wasn't measured is None. Protocols are those of `attendance evaluate`; docs/accuracy.md has all of their figures."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    lfw_view2: Share | None = Field(default=None, description="accuracy on LFW's View 2, 6,000 pairs in ten folds")
    lfw_view2_std: Share | None = Field(default=None, description="its standard deviation over the folds")
    lfw_all_tar: Share | None = Field(
        default=None, description="true accept rate over every pair of LFW at a false accept rate of 1e-3"
    )
    thesis: Share | None = Field(default=None, description="accuracy on 10,000 random triplets of LFW")
    fnir_of_1000: Share | None = Field(
        default=None, description="1,000 people of LFW, one picture each: FNIR at an FPIR of 1e-2"
    )
    takes: Count | None = Field(default=None, description="takes of people who were enrolled from another take (NUAA)")
    takes_recognised: Count | None = Field(default=None, description="of them, by the worker's rule, as it serves")
    takes_confused: Count | None = Field(default=None, description="takes that were given another person's name")

    @model_validator(mode="after")
    def _takes_go_together(self) -> "Accuracy":
        of = self.takes
        for name in ("takes_recognised", "takes_confused"):
            count = getattr(self, name)
            if (of is None) != (count is None):
                raise ValueError(
                    f"takes, takes_recognised and takes_confused go together; {name} is {count}, takes {of}"
                )
            if of is not None and count > of:
                raise ValueError(f"{name} {count} of {of} takes")
        return self
