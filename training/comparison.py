"""`attendance train compare`: variants of one recipe, each trained on as many pictures, in one table.

Every variant is a run of its own in OUT/NAME; one that is complete isn't trained again, one that was stopped goes on. All
are measured after their last epoch, on the same pairs of the same people.
"""

import dataclasses
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from training import curves, networks, recipe_file, report, train
from training.recipe import Recipe
from training.runlog import read_rows

BUDGET_SLACK = 0.03
"""By how much the pictures that variants see may differ: whole batches don't divide every number."""
MEASURES = ("accuracy", "auc", "eer", "tar_at_far_0.01", "tar_at_far_0.001")


class BadComparison(ValueError):
    """A comparison that isn't one; the message names the file and what is wrong."""


class Variant(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-z0-9-]{1,32}$")
    words: str = ""
    recipe: dict[str, Any] = Field(default={}, description="tables laid over the base; a list replaces the base's")


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-z0-9-]{1,32}$")
    words: str = ""
    recipe: dict[str, Any]
    variants: list[Variant] = Field(min_length=1)


@dataclasses.dataclass(frozen=True)
class Plan:
    name: str
    words: str
    recipes: dict[str, Recipe]
    """By variant."""
    said: dict[str, str]
    """What a variant is, in words."""


def read(path: Path, settings: Sequence[str] = ()) -> Plan:
    """A comparison's file, with `settings` (section.key=value) laid over every variant; raises BadComparison, BadRecipe."""
    try:
        body = _File.model_validate(recipe_file.read_toml(path))
    except ValidationError as error:
        detail = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in detail["loc"])
        raise BadComparison(f"{path}: {where}: {detail['msg']}; a comparison has recipe and variants") from None
    recipes = {}
    for variant in body.variants:
        merged: dict[str, Any] = {**laid_over(body.recipe, variant.recipe), "name": variant.name}
        for text in settings:
            merged = recipe_file.override(merged, *recipe_file.parse_override(text))
        recipes[variant.name] = recipe_file.check(merged, f"{path.name}: {variant.name}")
    if len(recipes) < len(body.variants):
        raise BadComparison(f"{path}: two variants have one name")
    views = {name: recipe.views for name, recipe in recipes.items()}
    if max(views.values()) > min(views.values()) * (1 + BUDGET_SLACK):
        most, least = max(views, key=views.__getitem__), min(views, key=views.__getitem__)
        raise BadComparison(
            f"{path}: {most} would see {views[most]:,} pictures and {least} {views[least]:,}; give all the same budget"
        )
    return Plan(body.name, body.words, recipes, {variant.name: variant.words for variant in body.variants})


def laid_over(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """`base` with the values of `changes`, table by table."""
    merged = dict(base)
    for key, value in changes.items():
        old = merged.get(key)
        merged[key] = laid_over(old, value) if isinstance(old, Mapping) and isinstance(value, Mapping) else value
    return merged


def run(
    plan: Plan, data: Path, out: Path, *, valid: Path | None, only: Sequence[str], cache: Path, quiet: bool = False
) -> Path:
    """Train what isn't trained yet; write comparison.md, .json and .png; the path of comparison.md."""
    if unknown := sorted(set(only) - set(plan.recipes)):
        raise BadComparison(f"no variant {', '.join(unknown)}; there are {', '.join(plan.recipes)}")
    results: dict[str, dict[str, Any]] = {}
    for name, recipe in plan.recipes.items():
        if only and name not in only:
            continue
        faces, others = faces_of(data, recipe.data.crop), None if valid is None else faces_of(valid, recipe.data.crop)
        missing = next((folder for folder in (faces, others) if folder is not None and not folder.exists()), None)
        if missing is not None:
            results[name] = {
                "not_run": f"no {missing}: make it with `attendance train prepare --crop {recipe.data.crop}`"
            }
        else:
            _train(recipe, faces, others, out / name, cache, quiet)
            results[name] = result_of(recipe, out / name)
        write_table(plan, results, out)
    return write_table(plan, results, out)


def faces_of(folder: Path, crop: str) -> Path:
    """The folder itself, or the one inside it that is named after the crop where it has such."""
    both = [folder / name for name in ("mtcnn-margin", "five-points")]
    return folder / crop if any(path.is_dir() for path in both) else folder


def _train(recipe: Recipe, faces: Path, valid: Path | None, folder: Path, cache: Path, quiet: bool) -> None:
    rows = read_rows(folder, "valid")
    if rows and int(rows[-1]["epoch"]) + 1 >= recipe.epochs:
        kept = recipe_file.check(recipe_file.read_toml(folder / "recipe.toml"), str(folder))
        if kept != recipe:
            raise BadComparison(f"{folder}: holds the run of another recipe; delete it, or take another --out")
        return
    begun = (folder / "checkpoints" / "last.pt").exists()
    options = train.TrainOptions(
        recipe.name, faces, folder, valid, resume="last" if begun else None, cache=cache, quiet=quiet
    )
    train.run(options, base=recipe)


def result_of(recipe: Recipe, folder: Path) -> dict[str, Any]:
    """A variant's line: its last validation, and what it cost."""
    learnt, measured = read_rows(folder, "train"), read_rows(folder, "valid")
    form = recipe.network
    seconds = sum(float(row["seconds"]) for row in learnt)
    views = sum(int(row["views"]) for row in learnt)
    return {
        "architecture": form.architecture,
        "parameters": networks.parameters_of(form),
        "crop": recipe.data.crop,
        "views": views,
        "minutes": seconds / 60,
        "pictures_per_s": views / max(seconds, 1e-9),
        **{name: float(measured[-1][name]) for name in MEASURES},
    }


def write_table(plan: Plan, results: Mapping[str, Mapping[str, Any]], out: Path) -> Path:
    out.mkdir(parents=True, exist_ok=True)
    body = {"name": plan.name, "words": plan.words, "variants": results}
    (out / "comparison.json").write_text(json.dumps(body, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    head = ["variant", "what", "network", "parameters", "pictures seen", "minutes", "accuracy", "AUC", "EER"]
    head += ["TAR at FAR 1e-2", "TAR at FAR 1e-3"]
    rows = []
    for name, result in results.items():
        if "not_run" in result:
            rows.append([name, plan.said[name], result["not_run"], *[""] * (len(head) - 3)])
            continue
        numbers = [f"{result['parameters']:,}", f"{result['views']:,}", f"{result['minutes']:.1f}"]
        numbers += [f"{result[measure]:.4f}" for measure in MEASURES]
        rows.append([name, plan.said[name], f"{result['architecture']}, {result['crop']}", *numbers])
    done = {name: result["auc"] for name, result in results.items() if "auc" in result}
    parts = [f"# Comparison {plan.name}", plan.words, report.table(head, rows)]
    if done:
        curves.draw_bars(done, out / "comparison.png", "AUC on the same pairs, after as many pictures", "AUC")
        parts.append("![AUC by variant](comparison.png)")
    parts.append(
        "Each line: one run from random weights unless its recipe says otherwise, one seed, measured after its last epoch on the "
        "same validation pairs. `accuracy` is the thesis' (ten folds); differences of a few thousandths are noise."
    )
    path = out / "comparison.md"
    path.write_text("\n\n".join(part for part in parts if part) + "\n", encoding="utf-8")
    return path
