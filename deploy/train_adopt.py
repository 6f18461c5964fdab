"""What `attendance train adopt` does around the training room: words before and after the measurement."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from deploy.errors import Problem, settings_from
from deploy.operator import plain
from training.adopt import BadAdoption, Form, Measured, Terms, adopt, check_new, open_sets
from training.dataset import BadData
from training.pictures import BadPicture
from training.template_cache import BadCache
from worker.protocol.bundle import FEWEST_ACCEPTED, BadBundle, ModelInfo
from worker.settings import WorkerSettings

BAD = (BadAdoption, BadBundle, BadCache, BadData, BadPicture)
NO_STRANGERS = (
    "no --strangers: thresholds will be those of strangers at large. Colleagues look more alike, so more of them will be "
    "taken for one another than model.json says; give faces by group (GROUP/picture) where you can"
)


@dataclass(frozen=True)
class Where:
    to: Path
    people: list[Path]
    strangers: Path | None


def say(words: str) -> None:
    print(words, file=sys.stderr)


def begin(where: Where) -> Measured:
    """What can be refused before anything that takes long; raises Problem."""
    try:
        check_new(where.to)
        sets = open_sets(where.people, where.strangers)
    except BAD as error:
        raise Problem(str(error)) from None
    if where.strangers is None:
        say(NO_STRANGERS)
    return sets


def run(network: Path, form: Form, where: Where, terms: Terms) -> None:
    """`attendance train adopt`; raises Problem."""
    if not network.is_file():
        raise Problem(f"{network}: there is no such file; an ONNX network is needed")
    if not terms.licence.strip():
        raise Problem("--licence is empty: say under which terms the network may be used")
    finish(network, form, where, terms, begin(where))


def finish(network: Path, form: Form, where: Where, terms: Terms, sets: Measured) -> None:
    """Measure, write and tell; raises Problem."""
    cache = settings_from(WorkerSettings).cache
    try:
        info = adopt(network, where.to, form, sets, terms, cache, os.cpu_count() or 1, say)
    except BAD as error:
        raise Problem(plain(error, 500)) from None
    _tell(info, where.to)


def _tell(info: ModelInfo, to: Path) -> None:
    print(f"{to}: {info.id}, {info.embedding_size} numbers a face")
    for one in info.thresholds:
        print(
            f"  distance {one.distance:.3f}: strangers at most {one.false_match_rate:g}, "
            f"{one.true_accept_rate or 0:.1%} of genuine ones"
        )
    if (info.thresholds[0].true_accept_rate or 0) < FEWEST_ACCEPTED:
        say(
            "few genuine pairs are accepted even by the loosest threshold: are --input-px, --crop, --channels, --mean and "
            "--std those that the network was trained with?"
        )
