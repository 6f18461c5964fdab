"""Comparisons: equal budgets or none, one table, nothing trained twice."""

import json
from pathlib import Path

import pytest

from tests.training.tiny_run import people
from training import comparison, recipe_file
from training.comparison import BadComparison

TWO = """
name = "two"
words = "two ways"

[recipe]
name = "base"
data = { held_out_share = 0.25, loader_processes = 0 }
network = { architecture = "resnet18", head = "pooled", input_px = 32, embedding_size = 16 }
validation = { triplets = 24, batch = 8 }
compute = { device = "cpu", threads = 1 }
[[recipe.stages]]
name = "train"
epochs = 1
sampling = { kind = "triplets", count = 24, batch = 6 }

[[variants]]
name = "blind"
words = "random triplets"

[[variants]]
name = "hard"
words = "batch-hard"
[[variants.recipe.stages]]
name = "train"
epochs = 1
sampling = { kind = "pk", people = 4, pictures = 2, batches = 9 }
loss = { kind = "triplet", mining = "batch-hard" }

[[variants]]
name = "aligned"
[variants.recipe.data]
crop = "five-points"
"""


def written(tmp_path: Path, text: str = TWO) -> Path:
    path = tmp_path / "two.toml"
    path.write_text(text)
    return path


def test_variants_run_once_and_fill_one_table(tmp_path: Path) -> None:
    faces = people(tmp_path / "data" / "mtcnn-margin")
    plan = comparison.read(written(tmp_path), ["network.alpha=8"])
    assert {r.network.alpha for r in plan.recipes.values()} == {8.0}
    out = tmp_path / "out"
    table = comparison.run(plan, faces.parent, out, valid=None, only=[], cache=tmp_path / "cache", quiet=True)
    text = table.read_text()
    assert "| blind | random triplets | resnet18, mtcnn-margin | 11," in text
    assert "five-points: make it with `attendance train prepare --crop five-points`" in text
    results = json.loads((out / "comparison.json").read_text())["variants"]
    assert results["blind"]["views"] == results["hard"]["views"] == 72
    assert (out / "comparison.png").stat().st_size > 1000
    before = (out / "hard" / "checkpoints" / "last.pt").stat().st_mtime_ns
    comparison.run(plan, faces.parent, out, valid=None, only=["hard"], cache=tmp_path / "cache", quiet=True)
    assert (out / "hard" / "checkpoints" / "last.pt").stat().st_mtime_ns == before
    other = comparison.read(written(tmp_path), ["network.alpha=9"])
    with pytest.raises(BadComparison, match="holds the run of another recipe"):
        comparison.run(other, faces.parent, out, valid=None, only=["hard"], cache=tmp_path / "cache", quiet=True)
    with pytest.raises(BadComparison, match="no variant soft; there are blind, hard, aligned"):
        comparison.run(plan, faces, out, valid=None, only=["soft"], cache=tmp_path / "cache")


def test_unequal_budgets_are_refused(tmp_path: Path) -> None:
    path = written(tmp_path, TWO.replace("batches = 9", "batches = 4"))
    with pytest.raises(BadComparison, match="blind would see 72 pictures and hard 32; give all the same budget"):
        comparison.read(path)


def test_a_file_that_is_no_comparison(tmp_path: Path) -> None:
    with pytest.raises(BadComparison, match=r"thesis\.toml: .*a comparison has recipe and variants"):
        comparison.read(recipe_file.find("thesis"))
    twice = written(tmp_path, TWO.replace('name = "hard"', 'name = "blind"'))
    with pytest.raises(BadComparison, match="two variants have one name"):
        comparison.read(twice)


def test_tables_are_laid_over_tables_and_lists_replace_lists() -> None:
    base = {"a": {"x": 1, "y": 2}, "b": [1, 2]}
    assert comparison.laid_over(base, {"a": {"y": 3}, "b": [3]}) == {"a": {"x": 1, "y": 3}, "b": [3]}
    assert base == {"a": {"x": 1, "y": 2}, "b": [1, 2]}
