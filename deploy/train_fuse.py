"""What `attendance train fuse` does around the training room: templates by both models, the table, the bundle."""

import json
import sys
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from deploy.errors import Problem, settings_from
from training import calibration, fusing
from training.dataset import BadData, check_disjoint
from training.embedding import open_model
from training.fusing import Faces, Row
from training.pictures import BadPicture, open_faces
from training.run_data import prepared_crop
from training.teacher import prepared_embeddings
from training.template_cache import BadCache
from worker.named_models import info_of
from worker.protocol.bundle import CARD, INFO, BadBundle
from worker.settings import WorkerSettings

CROP = "five-points"
ALPHA = 10.0


@dataclass(frozen=True)
class FuseOptions:
    """As on the command line; see deploy/train_sets_cli.py."""

    first: str
    second: str
    fit: Path
    people: Path
    strangers: Path
    to: Path | None
    licence: str
    json: bool


def run(options: FuseOptions) -> None:
    """Print who accepts most at the worst group's rate, and write the fusion; raises Problem."""
    cache = settings_from(WorkerSettings).cache
    try:
        _fuse(options, cache)
    except (BadData, BadPicture, BadCache, BadBundle) as error:
        raise Problem(str(error)) from None


def _fuse(options: FuseOptions, cache: Path) -> None:
    folders = {name: open_faces(getattr(options, name)) for name in ("fit", "people", "strangers")}
    for name in folders:
        cut = prepared_crop(getattr(options, name))
        if cut is not None and cut != CROP:
            raise BadData(f"{getattr(options, name)}: prepared with --crop {cut}; {CROP} is needed here")
    check_disjoint({"fit": folders["fit"], "people": folders["people"]})
    models = [open_model(name, cache=cache) for name in (options.first, options.second)]
    sets = {}
    for name, folder in folders.items():
        print(f"{name}: {len(folder)} pictures", file=sys.stderr)
        both = [prepared_embeddings(model, folder, CROP, cache) for model in models]
        sets[name] = Faces(folder, *both)
    alike = calibration.alikeness(folders["strangers"], CROP, cache)
    fitted = [fusing.row(sets["fit"], sets["strangers"], alike, weight, ALPHA) for weight in fusing.WEIGHTS]
    chosen = fusing.best(fitted).weight
    judged = {
        name: fusing.row(sets["people"], sets["strangers"], alike, weight, ALPHA)
        for name, weight in ((options.first, 1.0), (options.second, 0.0), (f"both, weight {chosen:g}", chosen))
    }
    _show(options, fitted, judged)
    if options.to is not None:
        _write(options, list(judged.values())[-1])


def _show(options: FuseOptions, fitted: list[Row], judged: dict[str, Row]) -> None:
    if options.json:
        body = {
            "fitted": [{"weight": row.weight, "true_accept_rate": row.true_accept_rate} for row in fitted],
            "judged": {
                name: {"weight": row.weight, "thresholds": [t.model_dump() for t in row.thresholds]}
                for name, row in judged.items()
            },
        }
        print(json.dumps(body))
        return
    rates = sorted({t.false_match_rate for row in judged.values() for t in row.thresholds}, reverse=True)
    title = "genuine pairs accepted, where strangers of the worst group match at the rate"
    table = Table("recogniser", *(f"{rate:g}" for rate in rates), title=title)
    for name, row in judged.items():
        by_rate = {t.false_match_rate: t.true_accept_rate for t in row.thresholds}
        table.add_row(name, *(f"{by_rate[rate]:.4f}" if by_rate.get(rate) is not None else "–" for rate in rates))
    Console().print(table)


def _write(options: FuseOptions, chosen: Row) -> None:
    assert options.to is not None
    if not 0 < chosen.weight < 1:
        raise BadData(
            f"the best weight is {chosen.weight:g}: one of the two alone is better than both, so nothing was written"
        )
    parts = (info_of(options.first), info_of(options.second))
    info = fusing.fusion_info(parts, chosen, ALPHA, options.licence)
    try:
        options.to.mkdir(parents=True, exist_ok=True)
        (options.to / CARD).write_text(_card(options, parts[0].id, parts[1].id, chosen), encoding="utf-8")
        (options.to / INFO).write_text(info.model_dump_json(indent=2, exclude_none=True), encoding="utf-8")
    except OSError as error:
        raise BadData(f"{error.filename or options.to}: can't be written ({error.strerror})") from None
    open_model(str(options.to), cache=settings_from(WorkerSettings).cache)
    print(f"{options.to}: {info.id}", file=sys.stderr)


def _card(options: FuseOptions, first: str, second: str, chosen: Row) -> str:
    return f"""# Model card: fusion

Two recognisers together, the mean of their cosines: {first} with weight {chosen.weight:g}, {second} with {1 - chosen.weight:g}.
The weight was fitted on other people than those below; docs/accuracy.md has its rows on every protocol.

## Licence
{options.licence}.

## Thresholds
{chosen.source}.

{calibration.threshold_table(chosen.thresholds)}
"""
