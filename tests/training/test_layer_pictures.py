"""What each layer makes of a face: a small network in full detail, and the thesis network once."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage.data
import torch
from torch import Tensor, nn
from torchvision.models import resnet18

from tests.training.drawn_people import drawn_face
from training import layer_pictures
from training.export import write_bundle
from training.pictures import BadPicture
from worker.network import build
from worker.protocol.bundle import BadBundle, Threshold


class Small(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        w = resnet18(weights=None)
        self.trunk = nn.Sequential(w.conv1, w.bn1, w.relu, w.maxpool, w.layer1, w.layer2, w.layer3, w.layer4)
        self.head = nn.Linear(512 * 2 * 2, 128)

    def forward(self, pictures: Tensor) -> Tensor:
        return self.head(torch.flatten(self.trunk(pictures), 1))


def test_each_layer_is_kept_as_it_was_before_the_next_wrote_over_it() -> None:
    network = Small().eval()
    chip = drawn_face(1, 1)
    outputs, template = layer_pictures.layer_outputs(network, chip)
    assert tuple(outputs) == layer_pictures.THESIS_LAYERS
    assert outputs["conv1"].shape == (64, 32, 32)
    assert outputs["layer4"].shape == (512, 2, 2)
    assert outputs["bn1"].min() < 0  # ReLU works in place
    np.testing.assert_array_equal(outputs["relu"], np.maximum(outputs["bn1"], 0))
    with torch.inference_mode():
        x = layer_pictures.normalised(chip)[None]
        np.testing.assert_allclose(template, network(x)[0].numpy(), atol=1e-5)
        for name, layer in zip(layer_pictures.THESIS_LAYERS, network.trunk, strict=True):
            x = layer(x)
            np.testing.assert_allclose(outputs[name], x[0].numpy(), atol=1e-4)


def test_grids_show_64_maps_at_most() -> None:
    maps = np.random.default_rng(0).normal(size=(256, 4, 4)).astype(np.float32)
    maps[1] = 3  # the same everywhere
    grid = layer_pictures.grid_picture(maps)
    assert grid.shape == (8 * 116 + 4, 8 * 116 + 4)
    first, flat = grid[4:116, 4:116], grid[4:116, 120:232]
    assert (first.min(), first.max(), flat.max()) == (0, 255, 0)
    assert layer_pictures.grid_picture(maps[:3]).shape == (120, 8 * 116 + 4)
    assert len(layer_pictures.numbers_text(np.arange(128, dtype=np.float32)).splitlines()) == 16


def test_a_bundle_draws_every_picture(tmp_path: Path) -> None:
    bundle, photo, out = tmp_path / "bundle", tmp_path / "portrait.jpg", tmp_path / "out"
    torch.manual_seed(0)
    write_bundle(
        build(), bundle, thresholds=[Threshold(false_match_rate=1e-3, distance=9.0)], threshold_source="made up",
        licence="none", card="random",
    )  # fmt: skip
    cv2.imwrite(str(photo), cv2.cvtColor(skimage.data.astronaut(), cv2.COLOR_RGB2BGR))  # type: ignore[no-untyped-call]
    said = layer_pictures.draw(str(bundle), photo, out, cache=tmp_path)
    assert said["layers"]["layer4"] == [2048, 7, 7]
    assert said["faces_not_found"] == 0
    assert len(said["fc"]) == 128
    expected = {f"{name}.png" for name in ("input", *layer_pictures.THESIS_LAYERS)} | {"fc.txt"}
    assert {path.name for path in out.iterdir()} == expected
    grid = cv2.imread(str(out / "conv1.png"))
    assert grid is not None
    assert grid.std() > 10
    photo.write_bytes(b"nothing")
    with pytest.raises(BadPicture, match=r"portrait\.jpg"):
        layer_pictures.draw(str(bundle), photo, out, cache=tmp_path)


def test_closed_and_broken_models_are_named(tmp_path: Path) -> None:
    with pytest.raises(BadBundle, match="--model BUNDLE"):
        layer_pictures.draw("sface", tmp_path / "x.jpg", tmp_path, cache=tmp_path)
    with pytest.raises(BadBundle, match="not there"):
        layer_pictures.draw(str(tmp_path), tmp_path / "x.jpg", tmp_path, cache=tmp_path)
