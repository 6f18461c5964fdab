"""The main figures of `attendance train accuracy`, noted down in the bundle itself, from where the Models page has them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from training.whole_file import write_whole
from worker.protocol.accuracy import Accuracy
from worker.protocol.bundle import INFO, BadBundle, read_info

Results = Mapping[str, Mapping[str, Any]]
"""A row's name → what its result.json holds."""


def accuracy_of(results: Results) -> Accuracy:
    """What these rows say; a row that isn't there leaves its figures out."""
    found: dict[str, Any] = {}
    if row := results.get("lfw-view2"):
        found |= {"lfw_view2": row["accuracy"], "lfw_view2_std": row["accuracy_std"]}
    if row := results.get("lfw-all"):
        point = row["tar_at_far"].get("0.001")
        found["lfw_all_tar"] = None if point is None else point["tar"]
    if row := results.get("thesis"):
        found["thesis"] = row["accuracy"]
    if row := results.get("identify"):
        rates = [gallery["fnir_at_fpir"].get("0.01") for gallery in row["galleries"] if gallery["gallery"] == 1000]
        found["fnir_of_1000"] = rates[0]["fnir"] if rates and rates[0] else None
    if row := results.get("takes"):
        served = row["at_threshold"].get("served")
        if served:
            found |= {
                "takes": served["presences"],
                "takes_recognised": served["presences_recognised"],
                "takes_confused": served["presences_confused"],
            }
    return Accuracy.model_validate(found)


def note(bundle: Path, model_id: str, results: Results) -> Accuracy:
    """Write the figures into the bundle's model.json, whole or not at all; those of rows that aren't there stay as they are.

    The bundle's id doesn't change: it names weights and preprocessing. Raises BadBundle, also where the bundle isn't `model_id`.
    """
    path = bundle / INFO
    info = read_info(path)
    if info.id != model_id:
        raise BadBundle(f"{path}: it is {info.id} now, and {model_id} was measured; measure it again")
    before = info.accuracy.model_dump(exclude_none=True) if info.accuracy else {}
    accuracy = Accuracy.model_validate(before | accuracy_of(results).model_dump(exclude_none=True))
    try:
        write_whole(path, info.model_copy(update={"accuracy": accuracy}).model_dump_json(indent=2, exclude_none=True))
    except OSError as error:
        raise BadBundle(f"{path}: can't be written ({error.strerror})") from None
    return accuracy
