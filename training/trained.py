"""The network that a run has trained, from its folder."""

from pathlib import Path
from typing import Any

from training import checkpoint, networks, recipe_file
from training.recipe import Recipe


def load_network(run: Path, which: str) -> tuple[Recipe, networks.FaceNetwork, dict[str, Any]]:
    """A run's recipe, its network with the weights that were validated (evaluation mode), and the checkpoint's tables.

    `which` is best or last. Raises BadCheckpoint, BadRecipe.
    """
    kept = checkpoint.load(run / "checkpoints" / f"{which}.pt")
    recipe = recipe_file.check(kept["recipe"], f"{which}.pt")
    network = networks.of_recipe(recipe.network)
    network.load_state_dict(kept["ema"] or kept["network"])
    return recipe, network.eval(), kept
