"""What `attendance evaluate` does around the training room: options, progress, words and JSON."""

import json
import resource
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from deploy.errors import Problem, settings_from
from deploy.looking_bar import looking_bar
from training import cost, evaluation_files, layer_pictures, pair_files, precision, protocols, verification_speed
from training.dataset import BadData
from training.embedding import open_detector
from training.evaluated_model import open_evaluated
from training.outcome import Outcome, judge_distances
from training.pictures import BadPicture
from training.protocols import Subject
from training.quality_protocol import quality
from training.takes import takes
from training.template_cache import BadCache
from training.verification import BadPairs
from worker.embedder import Embedder
from worker.protocol.bundle import BadBundle
from worker.settings import WorkerSettings


@dataclass(frozen=True)
class EvaluateOptions:
    model: str
    protocol: str | None
    data: Path | None
    pairs: Path | None
    distances: Path | None
    layers: Path | None
    speed: bool
    cost: bool
    precision: str | None
    int8_faces: Path | None
    out: Path | None
    triplets: int
    folds: int | None
    seed: int
    cache: Path | None
    threads: int
    device: str
    json: bool


def run(options: EvaluateOptions) -> int:
    """0 when there is a result, good or bad. Raises Problem."""
    outcome, files = evaluate(options)
    if not options.json:
        _print(outcome.figures)
        for file in files:
            print(file)
    else:
        print(json.dumps(outcome.figures, allow_nan=False))
    return 0


def evaluate(options: EvaluateOptions) -> tuple[Outcome, list[Path]]:
    """What was found, and the files of --out. Raises Problem."""
    started_s = time.perf_counter()
    _check(options)
    try:
        outcome = _outcome(options)
        outcome.figures["seconds"] = round(time.perf_counter() - started_s, 3)
        outcome.figures["peak_memory_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        files = evaluation_files.write_all(outcome, options.out) if options.out is not None else []
    except (BadPairs, BadData, BadPicture, BadBundle, BadCache) as error:
        raise Problem(str(error)) from None
    except OSError as error:
        raise Problem(f"{error.filename or options.out}: can't be written ({error.strerror})") from None
    return outcome, files


def _check(options: EvaluateOptions) -> None:
    """One question at a time, and with what it needs; raises Problem."""
    given = (options.protocol, options.distances, options.layers)
    if sum(one is not None for one in given) + options.speed + options.cost != 1:
        raise Problem("give one of --protocol, --distances, --layers, --speed and --cost")
    if options.protocol is not None and options.data is None:
        raise Problem(f"--protocol {options.protocol} needs --data, the folder with the faces")
    if options.protocol == "pairs-file" and options.pairs is None:
        raise Problem("--protocol pairs-file needs --pairs, the list of pairs")
    if options.precision is not None and options.protocol is None:
        raise Problem("--precision is for --protocol; --cost measures all precisions")
    if options.precision is not None and options.device == "cuda":
        raise Problem("--precision computes on the CPU; leave --device cuda out")
    if options.precision == "int8" and options.int8_faces is None:
        raise Problem("--precision int8 needs --int8-faces, a folder per person by which it finds its ranges")
    if options.int8_faces is not None and options.precision != "int8" and not options.cost:
        raise Problem("--int8-faces is for --precision int8 and for --cost")
    if options.layers is not None and options.out is None:
        raise Problem("--layers needs --out, the folder for its pictures")


def _outcome(options: EvaluateOptions) -> Outcome:
    if options.speed:
        return Outcome(verification_speed.measure(options.seed))
    if options.distances is not None:
        distances, labels = pair_files.read_distances(options.distances)
        return judge_distances(distances, labels, options.folds or 10, options.seed)
    cache = options.cache or settings_from(WorkerSettings).cache
    if options.layers is not None:
        assert options.out is not None
        return Outcome(layer_pictures.draw(options.model, options.layers, options.out, cache=cache))
    if options.cost:
        return cost.measure(
            options.model,
            cache=cache,
            threads=options.threads,
            data=options.data,
            seed=options.seed,
            int8_faces=options.int8_faces,
        )
    model = _model(options, cache)
    detector = open_detector(cache, threads=options.threads, device=options.device)
    with looking_bar("looking at the pictures") as step:
        subject = Subject(model, cache, options.seed, options.folds, detector, step)
        outcome = _by_protocol(options, subject)
    outcome.figures |= {"protocol": options.protocol, "model_id": model.info.id, "seed": options.seed}
    return outcome


def _model(options: EvaluateOptions, cache: Path) -> Embedder:
    if options.precision is None:
        return open_evaluated(options.model, cache=cache, threads=options.threads, device=options.device)
    faces = options.int8_faces
    return precision.open_in(options.precision, options.model, cache=cache, threads=options.threads, faces=faces)


def _by_protocol(options: EvaluateOptions, subject: Subject) -> Outcome:
    data, pairs = options.data, options.pairs
    assert data is not None
    match options.protocol:
        case "lfw-view2":
            return protocols.lfw_view2(subject, data, pairs)
        case "lfw-all":
            return protocols.lfw_all(subject, data)
        case "thesis":
            return protocols.thesis(subject, data, options.triplets)
        case "pairs30":
            return protocols.pairs_30(subject, data, pairs)
        case "pairs-file":
            assert pairs is not None
            return protocols.pairs_file(subject, data, pairs)
        case "identify":
            return protocols.identify(subject, data)
        case "groups":
            return protocols.groups(subject, data)
        case "quality":
            return quality(subject, data, pairs)
        case "takes":
            return takes(subject, data)
    raise Problem(f"--protocol {options.protocol}: unknown")


def _print(figures: dict[str, Any]) -> None:
    """Everything, nested figures by their dotted names: the same that --json prints."""
    table = Table("figure", "value", show_header=False)
    for name, value in _flat(figures):
        table.add_row(escape(name), escape(_words(value)))
    Console().print(table)


def _flat(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _flat(inner, f"{name} {key}".strip())
    elif isinstance(value, list) and any(isinstance(inner, dict) for inner in value):
        for number, inner in enumerate(value, 1):
            yield from _flat(inner, f"{name} {number}".strip())
    else:
        yield name, value


def _words(value: Any) -> str:
    if isinstance(value, list):
        return " – ".join(_words(inner) for inner in value)
    if isinstance(value, float):
        return f"{value:.6g}"
    return "none" if value is None else str(value)
