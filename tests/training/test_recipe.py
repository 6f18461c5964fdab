"""Recipes: every number of the thesis, overrides, and words for what can't be."""

from pathlib import Path

import pytest

from training import recipe_file
from training.comparison import read as read_comparison
from training.recipe import RandomTriplets, TripletLoss
from training.recipe_file import SHIPPED, BadRecipe


def test_the_thesis_recipe_keeps_each_number() -> None:
    recipe = recipe_file.load("thesis")
    assert (recipe.network.architecture, recipe.network.head, recipe.network.input_px) == ("resnet50", "flatten", 224)
    assert (recipe.network.embedding_size, recipe.network.alpha, recipe.network.init) == (128, 10.0, "imagenet")
    assert [(s.epochs, s.train, s.frozen_batch_norm) for s in recipe.stages] == [
        (50, "fc", "moves"),
        (50, "fc", "moves"),
        (250, "all-but-fc", "moves"),
    ]
    assert [s.lr for s in recipe.stages[:2]] == [1e-3, 1e-4]
    for stage in recipe.stages:
        assert isinstance(stage.sampling, RandomTriplets)
        assert isinstance(stage.loss, TripletLoss)
        assert (stage.sampling.count, stage.sampling.forward) == (10_000, "separate")
        assert (stage.loss.margin, stage.loss.distance, stage.loss.keep) == (0.5, "plain", "margin")
        assert (stage.schedule.kind, stage.schedule.gamma, stage.weight_decay) == ("step", 0.1, 0.0)
    assert [s.sampling.batch for s in recipe.stages[:2]] == [64, 64]  # type: ignore[union-attr]
    assert recipe.stages[0].schedule.step_epochs == 50
    assert (recipe.validation.triplets, recipe.validation.batch, recipe.validation.redraw) == (10_000, 64, True)
    assert recipe.transform.changes == {
        "rotation_degrees": 15,
        "scale": (0.08, 1.0),
        "ratio": (0.75, 4 / 3),
        "flip": 0.5,
    }
    assert recipe.epochs == 350


@pytest.mark.parametrize("path", sorted(SHIPPED.glob("*.toml")), ids=lambda path: path.stem)
def test_shipped_recipes_are_whole(path: Path, tmp_path: Path) -> None:
    if path.stem == "compare":
        plan = read_comparison(path)
        kinds = {stage.loss.kind for recipe in plan.recipes.values() for stage in recipe.stages}
        assert {"triplet", "contrastive", "softmax", "arcface", "distill"} <= kinds
        assert {recipe.network.architecture for recipe in plan.recipes.values()} >= {"resnet18", "resnet34", "resnet50"}
        assert {recipe.data.crop for recipe in plan.recipes.values()} == {"mtcnn-margin", "five-points"}
        return
    recipe = recipe_file.load(path.stem)
    assert recipe.name == path.stem
    copy = tmp_path / "recipe.toml"
    copy.write_text(recipe_file.to_toml(recipe), encoding="utf-8")
    again = recipe_file.read_toml(copy)
    assert recipe_file.check(again, "again") == recipe


def test_any_value_can_be_overridden_and_the_change_is_known() -> None:
    texts = [
        "stages.*.epochs=2",
        "stages.fc-1.lr=0.5",
        "stages.2.freeze=[]",
        "network.init=random",
        "data.source=a = b",
    ]
    overrides = dict(recipe_file.parse_override(text) for text in texts)
    recipe, base = recipe_file.load("thesis", overrides), recipe_file.load("thesis")
    assert [stage.epochs for stage in recipe.stages] == [2, 2, 2]
    assert recipe.stages[0].lr == 0.5
    assert recipe.data.source == "a = b"
    changed = recipe_file.changed(base, recipe)
    assert changed["stages.fc-1.lr"] == (1e-3, 0.5)
    assert changed["network.init"] == ("imagenet", "random")
    assert "stages.fc-2.lr" not in changed


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("stages.0.lr=-1", r"stages\.0\.lr: Input should be greater than 0 \(given: -1\)"),
        ("network.depth=3", r"network\.depth: Extra inputs"),
        ("network.architecture=vgg", r"architecture.*resnet50"),
        ("network.input_px=112", "made for 224 px, not 112; set network.head=pooled"),
        ("network.architecture=inception-resnet-v2", "no flatten head"),
        ("stages.7.lr=1", "no item '7' in the list; there are fc-1, fc-2, features"),
        ("seed.low=1", "can't be set inside 2019"),
        ("stages.*.epochs=0", "all stages have 0 epochs"),
        ("stages.0.train=named", "named needs one of them"),
        ("stages.0.unfreeze=['fc']", "go with train=named"),
        ("stages.0.loss={kind='softmax'}", "random triplets go with"),
        ("stages.0.sampling={kind='pk'}", "PK batches need loss.mining"),
        ("stages.2.keep_optimizer=true", "features: keep_optimizer needs the layers"),
        ("transform.scale=[0.9, 0.1]", "two rising numbers"),
        ("stages.0.lr=nan", "finite"),
    ],
)
def test_what_cant_be_is_refused_in_words(text: str, said: str) -> None:
    with pytest.raises(BadRecipe, match=said):
        recipe_file.load("thesis", dict([recipe_file.parse_override(text)]))


@pytest.mark.parametrize("text", ["lr", "=3", "a..b=1", ".a=1"])
def test_an_override_that_isnt_one(text: str) -> None:
    with pytest.raises(BadRecipe, match=r"write section\.key=value"):
        recipe_file.parse_override(text)


def test_a_recipe_that_isnt_there_names_those_that_are() -> None:
    with pytest.raises(
        BadRecipe,
        match=r"shipped recipe \(compare, imitate-112, modern, resnet50-triplet, small, small-clean, small-identities, thesis\)",
    ):
        recipe_file.load("thesys")


def test_a_file_that_is_no_toml(tmp_path: Path) -> None:
    path = tmp_path / "bad.toml"
    path.write_bytes(b"\xff\x00 = [")
    with pytest.raises(BadRecipe, match=r"bad\.toml"):
        recipe_file.load(str(path))
