"""report.md of a run, written from the run's folder alone: figures, plots, overrides, machine, and the thesis' table beside."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from training import curves, networks, recipe_file
from training.recipe import Recipe
from training.runlog import read_rows

THESIS = (
    ("fc at 1e-3 (epochs 0–49)", "0.779", "0.00275", ""),
    ("fc at 1e-4 (50–99)", "0.823", "0.00197", ""),
    ("feature layers (100–349)", "0.921", "0.00101", "0.97"),
)
"""Tables 4.1–4.3 and figure 4.5: last epoch's test accuracy, its loss column, AUC."""
SHOWN = {
    "accuracy": "accuracy (thesis' code)",
    "accuracy_text": "accuracy (section 3.3.3)",
    "loss": "loss, mean over batches",
    "loss_thesis": "loss, the thesis' column",
    "auc": "AUC",
    "eer": "EER",
    "tar_at_far_0.01": "TAR at FAR 1e-2",
    "tar_at_far_0.001": "TAR at FAR 1e-3",
}


def write(run: Path) -> Path:
    """Draw the plots and write report.md; raises BadRecipe where the run's recipe.toml can't be read."""
    recipe = recipe_file.check(recipe_file.read_toml(run / "recipe.toml"), "recipe.toml")
    train, valid = read_rows(run, "train"), read_rows(run, "valid")
    about, data = read_json(run / "machine.json"), read_json(run / "data.json")
    plots = _plots(run, train, valid)
    parts = [
        f"# Run of the recipe {recipe.name}",
        recipe.words,
        _results(recipe, train, valid),
        "## Beside the thesis\n\n" + _thesis_table(valid),
        "## Curves\n\n" + "\n\n".join(f"![{path.stem}]({path.relative_to(run)})" for path in plots),
        "## What was overridden\n\n" + _overrides(read_json(run / "overrides.json")),
        "## Data\n\n" + _data(recipe, data),
        "## Network and speed\n\n" + _speed(recipe, about, train),
        "## Machine\n\n" + table(["", ""], [[k, v] for k, v in about.get("machine", {}).items()]),
    ]
    path = run / "report.md"
    path.write_text("\n\n".join(part for part in parts if part) + "\n", encoding="utf-8")
    return path


def best_row(recipe: Recipe, valid: Sequence[dict[str, str]]) -> dict[str, str] | None:
    """The validation by which best.pt was chosen."""
    by = recipe.validation.best_by
    return max(valid, key=lambda row: float(row[by]), default=None)


def _plots(run: Path, train: list[dict[str, str]], valid: list[dict[str, str]]) -> list[Path]:
    folder = run / "plots"
    written = curves.draw_curves(train, valid, folder)
    for name in ("last", "best"):
        path = run / f"distances-{name}.npz"
        if path.exists():
            with np.load(path) as pairs:
                positive, negative = pairs["positive"], pairs["negative"]
            written.append(curves.draw_roc(positive, negative, folder / f"roc-{name}.png", f"ROC, {name} epoch"))
            if name == "best":
                written.append(curves.draw_distances(positive, negative, folder / "distances.png"))
    others = [
        folder / f"{name}.png" for name in ("hard-triplets", "preprocessing-train", "preprocessing-test", "pairs30")
    ]
    return [*written, *(path for path in [*others, *sorted((folder / "layers").glob("*.png"))] if path.exists())]


def _results(recipe: Recipe, train: Sequence[dict[str, str]], valid: Sequence[dict[str, str]]) -> str:
    best = best_row(recipe, valid)
    if best is None:
        return "No epoch is complete yet."
    last = valid[-1]
    rows = [[words, number(best[name]), number(last[name])] for name, words in SHOWN.items()]
    learnt = train[-1]
    note = (
        f"The best epoch is chosen by {recipe.validation.best_by} on the very pairs that are reported, as in the thesis: its "
        "figures are a little too good. Judge a model by `attendance evaluate`."
    )
    shown = table(
        ["validation", f"best epoch ({int(best['epoch']) + 1})", f"last epoch ({int(last['epoch']) + 1})"], rows
    )
    said = f"Training in the last epoch: loss {number(learnt['loss'])}"
    if learnt["accuracy"]:
        said += f", accuracy {number(learnt['accuracy'])}; {float(learnt['kept_share']):.1%} of the triplets counted"
    return f"## Figures\n\n{shown}\n\n{said}.\n\n{note}"


def _thesis_table(valid: Sequence[dict[str, str]]) -> str:
    """The thesis' stages in the order of ours; stages beyond the third have nobody beside them."""
    lasts: dict[str, dict[str, str]] = {row["stage"]: row for row in valid}
    rows = []
    for i in range(max(len(lasts), len(THESIS))):
        thesis = list(THESIS[i]) if i < len(THESIS) else [""] * 4
        stage, row = list(lasts.items())[i] if i < len(lasts) else ("", {})
        ours = [number(row.get(name, "")) for name in ("accuracy", "loss_thesis", "auc")]
        rows.append([thesis[0], thesis[1], thesis[2], thesis[3], stage, *ours])
    head = ["thesis' stage", "accuracy", "loss", "AUC", "stage of this run", "accuracy", "loss", "AUC"]
    return (
        table(head, rows)
        + "\n\nAt each stage's last epoch, on the test triplets of that epoch. Its loss column is the sum of the batches' "
        "means over the number of triplets (about mean / batch), and ours here is the same. The thesis trained on VGGFace2 from "
        "ImageNet weights and tested on LFW; where the lists below differ, so must the figures."
    )


def _overrides(changes: dict[str, Any]) -> str:
    if not changes:
        return "Nothing: the recipe was run as it stands."
    rows = [[f"`{key}`", _cell(pair["recipe"]), _cell(pair["run"])] for key, pair in changes.items()]
    return table(["value", "in the recipe", "in this run"], rows)


def _data(recipe: Recipe, data: dict[str, Any]) -> str:
    rows = [
        [words, Path(data[part]["root"]).name, f"{data[part]['pictures']:,}", f"{data[part]['identities']:,}"]
        for part, words in (("train", "training"), ("valid", "validation"))
        if part in data
    ]
    how = (
        "Validation: identities held out of the same data."
        if data.get("valid_is_held_out")
        else "Validation: data of its own."
    )
    checked = "No identity and no picture is in both (checked by name and by SHA-256)."
    source = f" Source: {recipe.data.source}." if recipe.data.source else ""
    return (
        table(["part", "folder", "pictures", "identities"], rows)
        + f"\n\n{how} {checked} Crop: {recipe.data.crop}.{source}"
    )


def _speed(recipe: Recipe, about: dict[str, Any], train: Sequence[dict[str, str]]) -> str:
    form = recipe.network
    lines = [
        f"{form.architecture}, {form.head} head, {form.input_px} px: {networks.parameters_of(form):,} parameters; "
        f"started from {about.get('started_from') or form.init}."
    ]
    seconds = sum(float(row["seconds"]) for row in train)
    views = sum(int(row["views"]) for row in train)
    if seconds:
        waiting = sum(float(row["waiting_share"]) * float(row["seconds"]) for row in train) / seconds
        lines.append(
            f"{views:,} pictures went through training in {seconds:,.0f} s: {views / seconds:.1f} pictures/s, of which "
            f"{waiting:.1%} of the time was spent waiting for pictures."
        )
    rates = about.get("reading", {})
    if rates:
        lines.append(
            "Reading, one process: " + "; ".join(f"{what}: {rate:,.0f}/s" for what, rate in rates.items()) + "."
        )
    return "\n\n".join(lines)


def number(text: str) -> str:
    return f"{float(text):.5f}" if text else ""


def _cell(value: Any) -> str:
    return "" if value is None else f"`{value}`"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "| " + " | ".join("---" for _ in head) + " |"]
    return "\n".join([*lines, *("| " + " | ".join(str(cell) for cell in row) + " |" for row in rows)])


def read_json(path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return {}
