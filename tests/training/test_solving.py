"""The linear layer in closed form: right numbers, a better layer of the same trunk, and what is refused."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional

from deploy.errors import Problem
from deploy.train_run import solve as solve_command
from tests.training.test_imitation import IMITATE, KIOSK, MADE, SMALL, WHOLE
from tests.training.tiny_run import go, people, recipe, stage, weights
from training import checkpoint, solving
from training.export_run import model_card
from training.feature_teacher import answer_layer
from training.solving import BadSolve, ridge_regression, solve
from training.trained import faces_of, load_network


@pytest.mark.parametrize("rows", [5, 1024])
def test_as_numpy_solves_it(rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(solving, "ROWS", rows)
    dice = np.random.default_rng(3)
    features = (dice.normal(size=(40, 70)) + 2).astype(np.float16)
    targets = dice.normal(size=(40, 3)).astype(np.float32) + 1
    weight, bias = ridge_regression(features, torch.from_numpy(targets), 0.1)
    centred = features.astype(np.float64) - features.astype(np.float64).mean(axis=0)
    penalty = 0.1 * np.square(centred).sum() / 40
    by_hand = np.linalg.solve(centred.T @ centred + penalty * np.eye(70), centred.T @ (targets - targets.mean(axis=0)))
    np.testing.assert_allclose(weight.numpy(), by_hand.T, atol=2e-3 * np.abs(by_hand).max())
    at_the_middle = weight.numpy() @ features.astype(np.float64).mean(axis=0) + bias.numpy()
    np.testing.assert_allclose(at_the_middle, targets.mean(axis=0), atol=1e-3)


def test_faces_that_are_all_alike_change_the_bias_alone() -> None:
    weight, bias = ridge_regression(np.ones((8, 5), np.float16), torch.full((8, 2), 3.0), 1.0)
    assert not weight.any()
    assert bias.tolist() == [3.0, 3.0]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("solve")
    base = recipe(stage("imitate", 1, **IMITATE, **MADE), network=WHOLE, **KIOSK)
    return go(base, people(root / "faces"), root / "run")


def test_a_solved_layer_answers_more_like_the_teacher_on_the_same_trunk(run: Path) -> None:
    seen: list[tuple[int, int]] = []
    cache = run.parent / "cache"
    done = solve(run, "last", faces=1000, ridge=1e-3, cache=cache, on_progress=lambda *at: seen.append(at))
    assert done.path == run / "checkpoints" / "solved.pt"
    assert (done.faces, seen[-1]) == (36, (36, 36))  # nine people: three were held out
    before, after = weights(run), weights(run, "solved")
    assert {name for name in before if not torch.equal(before[name], after[name])} == {"head.weight", "head.bias"}
    base, network, kept = load_network(run, "solved")
    train, _, _ = faces_of(run, base)
    features, taught = solving._seen(network, train, base, kept["position"]["epoch"], 36, cache, lambda *at: None)
    rows = torch.from_numpy(features).float()
    alike = [
        float(
            (functional.normalize(functional.linear(rows, w["head.weight"], w["head.bias"])) * taught).sum(dim=1).mean()
        )
        for w in (before, after)
    ]
    assert alike[1] > max(alike[0] + 0.05, 0.9)
    card = model_card(run, base, kept, "resnet18-triplet", [], "nothing", "MIT", False)
    assert "then the linear layer was solved on 36 of the pictures" in card
    assert f"{done.after['auc']:.4f}"[:5] in card
    assert answer_layer(cache).weight.shape[0] == 128


def test_the_command_says_what_it_was_worth(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    solve_command(run, "last", 100, 1.0)
    said = capsys.readouterr().out
    assert "solved.pt: the linear layer solved on 36 faces" in said
    assert "auc on the validation: " in said


def test_a_layer_that_no_imitation_made_is_refused(tmp_path: Path) -> None:
    base = recipe(stage("imitate", 1, **IMITATE), network=SMALL, **KIOSK)
    pooled = go(base, people(tmp_path / "faces"), tmp_path / "run")
    with pytest.raises(BadSolve, match="learnt by itself"):
        solve(pooled, "last", faces=100, ridge=1.0, cache=tmp_path / "cache")
    with pytest.raises(Problem, match="learnt by itself"):
        solve_command(pooled, "last", 100, 1.0)
    assert not (pooled / "checkpoints" / "solved.pt").exists()


def test_faces_that_are_gone_and_weights_that_are_no_numbers(run: Path, tmp_path: Path) -> None:
    _, _, kept = load_network(run, "last")
    kept["network"]["trunk.0.weight"].fill_(float("nan"))
    broken = tmp_path / "broken"
    (broken / "checkpoints").mkdir(parents=True)
    (broken / "data.json").write_bytes((run / "data.json").read_bytes())
    checkpoint.save(
        broken / "checkpoints" / "last.pt", {k: v for k, v in kept.items() if k not in ("format", "version")}
    )
    with pytest.raises(Problem, match="NaN or infinity: the training has diverged; take the other"):
        solve_command(broken, "last", 100, 1.0)
    (broken / "data.json").unlink()
    with pytest.raises(Problem, match=r"data\.json is missing"):
        solve_command(broken, "last", 100, 1.0)
