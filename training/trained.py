"""The network that a run has trained, and on whom, from its folder."""

from pathlib import Path
from typing import Any

from training import checkpoint, networks, recipe_file
from training.dataset import BadData, FaceFolder, split_identities
from training.recipe import Recipe
from training.report import read_json
from training.run_data import people_of


def load_network(run: Path, which: str) -> tuple[Recipe, networks.FaceNetwork, dict[str, Any]]:
    """A run's recipe, its network with the weights that were validated (evaluation mode), and the checkpoint's tables.

    `which` is best or last. Raises BadCheckpoint, BadRecipe.
    """
    kept = checkpoint.load(run / "checkpoints" / f"{which}.pt")
    recipe = recipe_file.check(kept["recipe"], f"{which}.pt")
    network = networks.of_recipe(recipe.network)
    network.load_state_dict(kept["ema"] or kept["network"])
    return recipe, network.eval(), kept


def faces_of(run: Path, recipe: Recipe) -> tuple[FaceFolder, FaceFolder | None, Path]:
    """The pictures of training, those held out of the same folder, if any, and where the validation lies; raises BadData."""
    data = read_json(run / "data.json")
    try:
        root, valid_root = Path(data["train"]["root"]), Path(data["valid"]["root"])
    except KeyError:
        raise BadData(f"{run}: data.json is missing or damaged; the run's folder isn't whole any more") from None
    train = people_of(recipe, root)
    if not data["valid_is_held_out"]:
        return train, None, valid_root
    return *split_identities(train, recipe.data.held_out_share, recipe.seed), valid_root
