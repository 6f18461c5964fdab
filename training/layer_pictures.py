"""What each layer makes of a face, as in section 4.3 of the thesis: 64 maps of each as a grid, and the template as numbers."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from training.embedding import centre_chip, main_face, open_detector, read_bytes
from training.pictures import decode
from training.transforms import test_transform
from worker import bundle, crop
from worker.named_models import folder_of
from worker.network import INPUT_PX
from worker.protocol.bundle import BadBundle

THESIS_LAYERS = ("conv1", "bn1", "relu", "maxpool", "layer1", "layer2", "layer3", "layer4")
MAPS = 64
COLUMNS = 8
TILE_PX = 112
"""conv1 of a 224 px face shows each number as one pixel; smaller maps are enlarged without smoothing."""
GAP_PX = 4


def draw(model: str, photo: Path, out: Path, *, cache: Path) -> dict[str, Any]:
    """Write input.png, conv1.png … layer4.png and fc.txt into `out`; returns what was made of what.

    Raises BadBundle for a model whose layers can't be looked into, BadPicture for a photograph that can't be read.
    """
    folder = folder_of(model)
    if folder is None:
        raise BadBundle("sface is a closed network; --layers looks into a ResNet bundle: --model BUNDLE")
    info, network = bundle.load(folder)
    assert info.crop is not None
    picture = decode(read_bytes(photo), str(photo))
    faces = open_detector(cache).find([picture])[0]
    chip = centre_chip(picture, INPUT_PX)
    if faces:
        face = main_face(faces, *picture.shape[:2])
        chip = crop.by_rule(info.crop, picture, face.box, face.landmarks, INPUT_PX)
    outputs, template = write(network, chip, out)
    return {
        "protocol": "layers",
        "model_id": info.id,
        "photo": str(photo),
        "faces_not_found": int(not faces),
        "layers": {name: list(maps.shape) for name, maps in outputs.items()},
        "fc": [round(float(value), 6) for value in template],
    }


def write(
    network: nn.Module, chip: NDArray[np.uint8], out: Path
) -> tuple[dict[str, NDArray[np.float32]], NDArray[np.float32]]:
    """The pictures and numbers of a chip, as files in `out` (made if missing); returns what `layer_outputs` does."""
    out.mkdir(parents=True, exist_ok=True)
    outputs, template = layer_outputs(network, chip)
    cv2.imwrite(str(out / "input.png"), cv2.cvtColor(chip, cv2.COLOR_RGB2BGR))
    for name, maps in outputs.items():
        if maps.ndim == 3:  # parts of an Inception's trunk may leave numbers, not maps
            cv2.imwrite(str(out / f"{name}.png"), grid_picture(maps))
    (out / "fc.txt").write_text(numbers_text(template), encoding="utf-8")
    return outputs, template


def layer_outputs(
    network: nn.Module, chip: NDArray[np.uint8]
) -> tuple[dict[str, NDArray[np.float32]], NDArray[np.float32]]:
    """(maps, h, w) of each child of `network.trunk`, in order, and the template of an RGB chip (px, px, 3).

    A trunk of eight children has the thesis' names; any other its own.
    """
    children = list(network.trunk.named_children())  # type: ignore[union-attr]
    names = THESIS_LAYERS if len(children) == len(THESIS_LAYERS) else [name for name, _ in children]
    outputs: dict[str, NDArray[np.float32]] = {}

    def keep(name: str) -> Callable[[nn.Module, Any, Tensor], None]:
        def hook(module: nn.Module, inputs: Any, output: Tensor) -> None:
            outputs[name] = output[0].detach().float().cpu().numpy().copy()  # ReLU may overwrite it in place

        return hook

    hooks = [child.register_forward_hook(keep(name)) for name, (_, child) in zip(names, children, strict=True)]
    try:
        with torch.inference_mode():
            template = network.eval()(normalised(chip)[None])[0]
    finally:
        for hook in hooks:
            hook.remove()
    return outputs, template.float().cpu().numpy()


def normalised(chip: NDArray[np.uint8]) -> Tensor:
    """(3, px, px) as the network was trained on."""
    picture: Tensor = test_transform(chip.shape[0])(torch.from_numpy(chip).permute(2, 0, 1))
    return picture


def grid_picture(maps: NDArray[np.float32]) -> NDArray[np.uint8]:
    """The first 64 maps in rows of 8, grey on white, each from its own least to its own most; one that is flat is black."""
    shown = maps[:MAPS]
    rows = -(-len(shown) // COLUMNS)
    step = TILE_PX + GAP_PX
    grid = np.full((rows * step + GAP_PX, COLUMNS * step + GAP_PX), 255, np.uint8)
    for place, one in enumerate(shown):
        low, high = float(one.min()), float(one.max())
        grey = np.rint((one - low) * (255 / (high - low) if high > low else 0)).astype(np.uint8)
        y, x = (GAP_PX + step * number for number in divmod(place, COLUMNS))
        grid[y : y + TILE_PX, x : x + TILE_PX] = cv2.resize(grey, (TILE_PX, TILE_PX), interpolation=cv2.INTER_NEAREST)
    return grid


def numbers_text(template: NDArray[np.float32]) -> str:
    """Eight numbers a line, as the thesis' figure 4.15."""
    lines = [" ".join(f"{value:8.4f}" for value in template[i : i + 8]) for i in range(0, len(template), 8)]
    return "\n".join(lines) + "\n"
