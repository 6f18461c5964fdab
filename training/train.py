"""A training run from its options to its folder: recipe, data, first weights or a checkpoint, the loop, the report.

RUN/: recipe.toml (as run), overrides.json, data.json, machine.json, train.csv, valid.csv, checkpoints/{best,last}.pt,
distances-{best,last}.npz, tensorboard/, plots/, report.md.
"""

import json
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch

from training import before_after, checkpoint, machine, networks, processes, recipe_file, report, run_pictures
from training.decode_figures import decode_rates
from training.initial import initialise
from training.loop import Trainer
from training.recipe import Recipe, teacher_of
from training.recipe_file import BadRecipe
from training.run_data import RunData, gather
from training.runlog import RunLog
from training.teacher import teacher_embeddings
from training.trained import load_network

READING_S = 0.5
"""Time for each figure about reading at the start of a run."""


class BadRun(ValueError):
    """A run that can't be started so; the message says why and what to do."""


@dataclass(frozen=True)
class TrainOptions:
    """As on the command line; see deploy/train_run_cli.py."""

    recipe: str
    data: Path
    out: Path
    valid: Path | None = None
    init: str | None = None
    triplets: int | None = None
    epochs: int | None = None
    resume: Literal["best", "last"] | None = None
    continue_step: bool = True
    settings: tuple[str, ...] = ()
    """section.key=value, each."""
    cache: Path = Path("cache")
    """Of teachers' templates and converted networks."""
    quiet: bool = False
    report: bool = True
    """Draw the plots and write report.md at the end; logs and checkpoints suffice for those who only measure."""


def run(options: TrainOptions, base: Recipe | None = None) -> Path:
    """Train and write the report; the run's folder. `base` stands in for the recipe's file.

    Raises BadRecipe, BadData, BadRun, BadWeights, BadCheckpoint, BadLoss, BadPicture, NotSaved, and Stopped after Ctrl-C.
    """
    base = base or recipe_file.load(options.recipe)
    recipe = overridden(base, options)
    if recipe.compute.threads:
        torch.set_num_threads(recipe.compute.threads)
    device_type = _device_type(recipe.compute.device)
    group = processes.join(device_type == "cuda")
    try:
        device = torch.device(device_type, group.local_rank) if device_type == "cuda" else torch.device("cpu")
        if device.type == "cuda":
            torch.cuda.set_device(device)
        return _run(options, base, recipe, device, group)
    finally:
        processes.leave()


def overridden(base: Recipe, options: TrainOptions) -> Recipe:
    """The recipe with what the command line changes, `settings` last; raises BadRecipe."""
    body: dict[str, Any] = base.model_dump()
    changes: list[tuple[str, Any]] = []
    if options.init is not None:
        changes.append(("network.init", options.init))
    if options.triplets is not None:
        drawn = [stage.name for stage in base.stages if stage.sampling.kind == "triplets"]
        changes += [(f"stages.{name}.sampling.count", options.triplets) for name in drawn]
        changes.append(("validation.triplets", options.triplets))
    if options.epochs is not None:
        changes.append(("stages.*.epochs", options.epochs))
    changes += [recipe_file.parse_override(text) for text in options.settings]
    for key, value in changes:
        body = recipe_file.override(body, key, value)
    return recipe_file.check(body, f"{base.name} with overrides" if changes else base.name)


def _run(options: TrainOptions, base: Recipe, recipe: Recipe, device: torch.device, group: processes.Processes) -> Path:
    folder = options.out
    kept = _checkpoint(options, recipe)
    known = _read_json(folder / "data.json") if kept else None
    data = gather(recipe, options.data, options.valid, known) if group.first else None
    data = processes.from_first(data)
    assert isinstance(data, RunData)
    network = before_after.built(recipe)
    form = recipe.network
    started_from = "" if kept else initialise(network, form.architecture, form.init)
    for stage in recipe.stages:
        _check_layers(network, stage.name, stage.train, stage.unfreeze, stage.freeze)
    if group.first:
        _write_start(options, base, recipe, data, device, group, kept is not None, started_from)
    teachers = _teachers(recipe, data, options.cache, group)
    with _log(folder, kept, options.quiet, group) as log:
        trainer = Trainer(recipe, data, folder, device, group, network, teachers, log, options.cache)
        if kept:
            trainer.resume(kept, options.continue_step)
        with _stopping(trainer.stop):
            trainer.run()
    if group.first and options.report:
        _, best, _ = load_network(folder, "best")
        run_pictures.draw(folder, recipe, data, best)
        before_after.draw(folder, recipe, data, best, device)
        report.write(folder)
    return folder


def _checkpoint(options: TrainOptions, recipe: Recipe) -> dict[str, Any] | None:
    """The checkpoint to go on from, or None for a new run; raises BadRun where an old run would be written over."""
    places = options.out / "checkpoints"
    if options.resume is None:
        if any(places.glob("*.pt")):
            raise BadRun(
                f"{options.out}: holds a run already; go on with --resume last (or best), or take another --out"
            )
        return None
    path = places / f"{options.resume}.pt"
    kept = checkpoint.load(path)
    checkpoint.check_network(path, kept["recipe"]["network"], recipe.network.model_dump(mode="json"))
    names = [stage["name"] for stage in kept["recipe"]["stages"]]
    if names != [stage.name for stage in recipe.stages]:
        raise BadRun(
            f"{path}: its stages are {', '.join(names)}; a recipe with others can't go on from it (but --init {path} can)"
        )
    return kept


def _check_layers(
    network: networks.FaceNetwork, stage: str, train: Any, unfreeze: list[str], freeze: list[str]
) -> None:
    try:
        learns = networks.freeze(network, train, unfreeze, freeze)
    except ValueError as error:
        raise BadRecipe(f"stage {stage}: {error}") from None
    if not learns:
        raise BadRecipe(f"stage {stage}: no layer would learn")


def _write_start(
    options: TrainOptions,
    base: Recipe,
    recipe: Recipe,
    data: RunData,
    device: torch.device,
    group: processes.Processes,
    resumed: bool,
    started_from: str,
) -> None:
    folder = options.out
    (folder / "checkpoints").mkdir(parents=True, exist_ok=True)
    (folder / "recipe.toml").write_text(recipe_file.to_toml(recipe), encoding="utf-8")
    changes = {key: {"recipe": old, "run": new} for key, (old, new) in recipe_file.changed(base, recipe).items()}
    _write_json(folder / "overrides.json", changes)
    if resumed:
        return
    _write_json(folder / "data.json", data.described())
    rates = {rate.what: rate.a_second for rate in decode_rates(data.train, recipe.seed, READING_S)}
    about = {"machine": machine.described(device, group.world), "reading": rates, "started_from": started_from}
    _write_json(folder / "machine.json", {"version": checkpoint.product_version(), **about})


def _teachers(recipe: Recipe, data: RunData, cache: Path, group: processes.Processes) -> dict[str, Any]:
    """Templates of every teacher that a stage names; rank 0 computes them, the others find them in the cache."""
    wanted = {name for stage in recipe.stages if stage.epochs and (name := teacher_of(stage)) is not None}
    if wanted and recipe.network.embedding_size != 128:
        raise BadRecipe(f"network.embedding_size is {recipe.network.embedding_size}; teachers give 128 numbers")

    def compute() -> dict[str, Any]:
        return {name: teacher_embeddings(name, data.train, recipe.data.crop, cache) for name in sorted(wanted)}

    found = compute() if group.first else {}
    processes.from_first(None)
    return found if group.first else compute()


@contextmanager
def _log(folder: Path, kept: dict[str, Any] | None, quiet: bool, group: processes.Processes) -> Iterator[RunLog | None]:
    if not group.first:
        yield None
        return
    with RunLog(folder, kept["position"]["epoch"] if kept else 0, quiet) as log:
        yield log


@contextmanager
def _stopping(stop: threading.Event) -> Iterator[None]:
    """Ctrl-C and SIGTERM ask for an end at the next step; a second Ctrl-C ends at once, as usual."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def ask(number: int, frame: object) -> None:
        if stop.is_set() and number == signal.SIGINT:
            raise KeyboardInterrupt
        stop.set()

    for number in before:
        signal.signal(number, ask)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _device_type(wanted: str) -> str:
    available = torch.cuda.is_available()
    if wanted == "cuda" and not available:
        raise BadRun("compute.device is cuda, but torch finds no CUDA device; set it to auto or cpu")
    return "cuda" if available and wanted != "cpu" else "cpu"


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadRun(f"{path}: can't be read ({error}); the run's folder isn't whole any more") from None


def _write_json(path: Path, body: Any) -> None:
    path.write_text(json.dumps(body, indent=2, ensure_ascii=False, default=str) + "\n", encoding="utf-8")
