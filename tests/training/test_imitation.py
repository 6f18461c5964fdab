"""Learning a teacher's maps: what the teacher shows, how the linear layer is made, and a run of it."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional

from tests.training.tiny_run import assert_equal, go, people, recipe, stage, weights
from training import networks
from training.export_run import model_card
from training.feature_teacher import PLANES, FeatureTeacher, answer_layer
from training.imitation import Imitation, stage_maps
from training.loop import Stopped
from training.recipe import ImitateLoss
from training.recipe_file import BadRecipe
from worker.embedder import SFaceEmbedder

KIOSK = {
    "data": {"crop": "five-points", "held_out_share": 0.25, "loader_processes": 0},
    "transform": {"augment": "kiosk"},
}
SMALL = {"architecture": "resnet18", "head": "pooled", "input_px": 64}
WHOLE = {"architecture": "resnet18", "head": "flatten"}
PICTURES = {"kind": "pictures", "batch": 4, "batches": 2}
IMITATE = {"sampling": PICTURES, "loss": {"kind": "imitate"}}
MADE = {"train": "named", "freeze": ["fc"]}


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def chips() -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(1).integers(0, 256, (3, 3, 112, 112)).astype(np.uint8))


def imitation(cache: Path, **values: float) -> Imitation:
    torch.manual_seed(1)
    return Imitation(ImitateLoss(**values), networks.stage_planes("resnet18"), cache, 1)  # type: ignore[arg-type]


def test_the_teacher_answers_as_it_does_at_the_door_and_shows_four_maps(cache: Path, chips: torch.Tensor) -> None:
    answers, maps = FeatureTeacher(cache, 1, bf16=False)(chips.numpy())
    assert [tuple(m.shape) for m in maps] == [(3, p, s, s) for p, s in zip(PLANES, (56, 28, 14, 7), strict=True)]
    served = SFaceEmbedder(cache, 1).embed([(chip,) for chip in chips.permute(0, 2, 3, 1).numpy()])
    unit = functional.normalize(answers, dim=1)
    torch.testing.assert_close(unit * 10, torch.from_numpy(served), atol=1e-3, rtol=0)
    layer = answer_layer(cache)
    by_hand = functional.linear(maps[-1].flatten(1), layer.weight, layer.bias)
    torch.testing.assert_close(functional.normalize(by_hand, dim=1), unit, atol=1e-4, rtol=0)


def test_the_linear_layer_is_made_of_what_was_learnt_exactly(cache: Path, chips: torch.Tensor) -> None:
    network = networks.build("resnet18").eval()
    loss = imitation(cache)
    pictures = torch.randn(3, 3, 224, 224, generator=torch.Generator().manual_seed(3))
    with torch.no_grad():
        (total, count), answers = loss(network, pictures, chips)
        loss.settle(network)
        own = network(pictures)
    assert count == 3
    assert torch.isfinite(total)
    torch.testing.assert_close(own, functional.normalize(answers, dim=1) * 10, atol=2e-3, rtol=0)


def test_before_the_first_batch_there_is_nothing_to_settle(cache: Path) -> None:
    network = networks.build("resnet18")
    before = network.head.weight.clone()
    imitation(cache).settle(network)
    assert torch.equal(before, network.head.weight)


def test_other_sizes_learn_the_averaged_maps_and_their_own_head(cache: Path, chips: torch.Tensor) -> None:
    network = networks.build("resnet18", head="pooled")
    loss = imitation(cache)
    pictures = torch.randn(3, 3, 64, 64, generator=torch.Generator().manual_seed(3))
    assert [m.shape[-1] for m in stage_maps(network, pictures)] == [16, 8, 4, 2]
    parameters = [*network.parameters(), *loss.parameters()]
    optimizer = torch.optim.Adam(parameters, lr=1e-3)
    losses = []
    for _ in range(6):
        found, _ = loss(network, pictures, chips)
        optimizer.zero_grad()
        found.total.backward()
        optimizer.step()
        losses.append(found.total.item())
    assert network.head.weight.grad is not None
    assert losses[-1] < 0.8 * losses[0]


def test_weights_of_the_two_parts(cache: Path, chips: torch.Tensor) -> None:
    network = networks.build("resnet18", head="pooled").eval()
    pictures = torch.randn(3, 3, 64, 64, generator=torch.Generator().manual_seed(3))
    with torch.no_grad():
        both, maps, answer = (
            float(imitation(cache, direction=d, maps=m)(network, pictures, chips)[0].total)
            for d, m in ((1, 1), (0, 1), (1, 0))
        )
    assert both == pytest.approx(maps + answer, rel=1e-4)
    assert answer <= 3 * 4


def test_a_run_begins_small_goes_on_whole_and_its_layer_answers(tmp_path: Path) -> None:
    faces = people(tmp_path / "faces")
    small = recipe(stage("imitate", 1, **IMITATE), network=SMALL, **KIOSK)
    first = go(small, faces, tmp_path / "small")
    whole = recipe(stage("imitate", 1, **IMITATE, **MADE), network=WHOLE, **KIOSK)
    run = go(whole, faces, tmp_path / "whole", init=str(first / "checkpoints" / "last.pt"))
    body = torch.load(run / "checkpoints" / "last.pt", weights_only=True)
    network = networks.build("resnet18")
    network.load_state_dict(body["network"])
    loss = imitation(tmp_path / "cache")
    loss.load_state_dict(body["loss"])
    settled = networks.build("resnet18")
    loss.settle(settled)
    torch.testing.assert_close(network.head.weight, settled.head.weight)
    assert "started_from" in (run / "machine.json").read_text()
    assert "without its head, which is of another form" in (run / "machine.json").read_text()
    card = model_card(run, whole, {**body, "ema": None}, "resnet18-triplet", [], "nothing", "MIT", False)
    assert "pictures; nothing was learnt from who is on them" in card


def test_a_stopped_run_goes_on_bit_for_bit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    faces = people(tmp_path / "faces")
    base = recipe(stage("imitate", 2, **IMITATE), network=SMALL, compute={"checkpoint_every_batches": 1}, **KIOSK)
    whole = go(base, faces, tmp_path / "whole")
    from training.loop import Trainer

    update = Trainer._update

    def stopping(self: Trainer, *given: object) -> None:
        update(self, *given)  # type: ignore[arg-type]
        if self.position.steps == 3:
            self.stop.set()

    monkeypatch.setattr(Trainer, "_update", stopping)
    with pytest.raises(Stopped):
        go(base, faces, tmp_path / "stopped")
    monkeypatch.setattr(Trainer, "_update", update)
    assert_equal(whole, go(base, faces, tmp_path / "stopped", resume="last"))
    assert weights(whole)


@pytest.mark.parametrize(
    ("stages", "values", "said"),
    [
        ([stage(**IMITATE)], {"network": WHOLE, **KIOSK}, "makes a flatten head of what it learns"),
        ([stage(**IMITATE, **MADE)], {"network": SMALL, **KIOSK}, "lets a pooled one learn"),
        ([stage(**IMITATE)], {"network": SMALL}, "data.crop=five-points and transform.augment=kiosk"),
        ([stage(**IMITATE)], {"network": {**SMALL, "embedding_size": 16}, **KIOSK}, "a ResNet with 128 numbers"),
        (
            [stage(sampling={"kind": "pk"}, loss={"kind": "imitate"})],
            {"network": SMALL, **KIOSK},
            "sampling.kind=pictures",
        ),
    ],
)
def test_what_cant_be_imitated_is_refused(stages, values, said: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(BadRecipe, match=said):
        recipe(*stages, **values)


def test_stages_that_learnt_alone_are_put_together_exactly(cache: Path, chips: torch.Tensor) -> None:
    torch.manual_seed(5)
    network = networks.build("resnet50").eval()
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)  # type: ignore[union-attr]
    planes = networks.stage_planes("resnet50")
    loss = Imitation(ImitateLoss(), planes, cache, 1)
    pictures = torch.randn(2, 3, 224, 224, generator=torch.Generator().manual_seed(3))
    parts = list(network.trunk.children())
    with torch.no_grad():
        loss(network, pictures, chips[:2])  # measures the teacher's maps
        seen = torch.nn.Sequential(*parts[:5])(pictures)
        for number in range(1, 4):
            seen = parts[4 + number](loss.feed[number - 1](loss.foretell[number - 1](seen)))
        loss.stitch(network)
        together = network.trunk(pictures)
    torch.testing.assert_close(together, seen, atol=1e-3, rtol=1e-3)


def test_a_stage_alone_is_fed_with_the_teachers_map_and_nothing_else_learns(cache: Path, chips: torch.Tensor) -> None:
    network = networks.build("resnet50")
    pictures = torch.randn(3, 3, 224, 224)
    for number, layer in ((1, 4), (2, 5), (4, 7)):
        loss = Imitation(ImitateLoss(alone=number), networks.stage_planes("resnet50"), cache, 1)
        network.zero_grad()
        found, answers = loss(network, pictures, chips)
        found.total.backward()
        moved = {name.split(".")[1] for name, p in network.named_parameters() if p.grad is not None and p.grad.any()}
        assert moved == ({"0", "1", "4"} if number == 1 else {str(layer)})
        assert answers.shape == (3, 128)


def test_a_run_of_stages_alone_then_together_goes_on_where_it_was(tmp_path: Path) -> None:
    faces = people(tmp_path / "faces")
    one = {"kind": "pictures", "batch": 2, "batches": 1}
    alone = stage("layer4", 1, sampling=one, train="named", unfreeze=["layer4"], loss={"kind": "imitate", "alone": 4})
    whole = stage("whole", 1, sampling=one, loss={"kind": "imitate"}, **MADE)
    form = {
        "network": {"architecture": "resnet50", "head": "flatten"},
        "validation": {"triplets": 10, "batch": 8},
        **KIOSK,
    }
    run = go(recipe(alone, whole, **form), faces, tmp_path / "run")
    go(recipe(alone, {**whole, "epochs": 0}, **form), faces, tmp_path / "parts")
    assert_equal(run, go(recipe(alone, whole, **form), faces, tmp_path / "parts", resume="last"))


def test_alone_names_its_layers() -> None:
    with pytest.raises(
        BadRecipe, match=r"alone=2 is for resnet50 with the flatten head, train=named and unfreeze=\['layer2'\]"
    ):
        recipe(
            stage(train="named", unfreeze=["layer3"], sampling=PICTURES, loss={"kind": "imitate", "alone": 2}),
            network={"architecture": "resnet50"},
            **KIOSK,
        )
