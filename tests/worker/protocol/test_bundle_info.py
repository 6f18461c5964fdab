"""What a model.json may say, and the threshold that follows from it."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from tests.worker.fakes import INFO
from worker.protocol.bundle import (
    FORMAT,
    BadBundle,
    ModelInfo,
    Threshold,
    cosine_to_distance,
    read_info,
    serving_threshold,
)

sizes = st.integers(0, 100_000)
targets = st.floats(1e-6, 0.05)


def changed(**values: Any) -> dict[str, Any]:
    return INFO.model_dump(mode="json") | values


@given(sizes, targets)
def test_never_outside_what_was_measured(size: int, fpir: float) -> None:
    serving = serving_threshold(INFO, size, fpir)
    assert 9.0 <= serving.distance <= 10.0
    assert 1e-4 <= serving.promised_false_match_rate <= 1e-3
    assert serving.meets_target == (serving.wanted_false_match_rate >= 1e-4 * (1 - 1e-9))
    if serving.meets_target:
        assert serving.promised_fpir <= fpir * (1 + 1e-6)


@given(sizes, sizes, targets)
def test_more_people_never_loosen_it(one: int, other: int, fpir: float) -> None:
    few, many = sorted((one, other))
    assert serving_threshold(INFO, many, fpir).distance <= serving_threshold(INFO, few, fpir).distance


@given(sizes, targets, targets)
def test_a_stricter_target_never_loosens_it(size: int, one: float, other: float) -> None:
    strict, loose = sorted((one, other))
    assert serving_threshold(INFO, size, strict).distance <= serving_threshold(INFO, size, loose).distance


def test_between_two_points_it_is_interpolated_over_the_logarithm() -> None:
    serving = serving_threshold(INFO, 1, math.sqrt(1e-3 * 1e-4))
    assert serving.distance == pytest.approx(9.5)
    assert serving.meets_target


def test_the_rule_keeps_its_promise_in_a_simulation() -> None:
    """N independent comparisons at the promised rate: at most the target's share of strangers is accepted as anybody."""
    size, fpir, strangers = 40, 0.02, 40_000
    serving = serving_threshold(INFO, size, fpir)
    hits = np.random.default_rng(1).random((strangers, size)) < serving.promised_false_match_rate
    accepted = hits.any(axis=1).mean()
    assert accepted == pytest.approx(serving.promised_fpir, abs=4 * math.sqrt(fpir / strangers))
    assert accepted <= fpir + 4 * math.sqrt(fpir / strangers)


def test_past_the_strictest_point_it_says_so() -> None:
    serving = serving_threshold(INFO, 1000, 1e-3)  # wants 1e-6
    assert serving.distance == 9.0
    assert not serving.meets_target
    assert serving.wanted_false_match_rate == pytest.approx(1e-6, rel=1e-3)
    assert serving.promised_fpir == pytest.approx(1 - (1 - 1e-4) ** 1000)


def test_distance_of_a_cosine() -> None:
    assert cosine_to_distance(1, 10) == 0
    assert cosine_to_distance(-1, 10) == pytest.approx(20)
    assert cosine_to_distance(0.5, 10) == pytest.approx(10)


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"thresholds": []}, "thresholds"),
        (
            {"thresholds": [{"false_match_rate": 1e-4, "distance": 9}, {"false_match_rate": 1e-3, "distance": 8}]},
            "rates",
        ),
        (
            {"thresholds": [{"false_match_rate": 1e-3, "distance": 8}, {"false_match_rate": 1e-4, "distance": 9}]},
            "dist",
        ),
        ({"thresholds": [{"false_match_rate": 1e-3, "distance": 8}] * 2}, "rates"),
        ({"thresholds": [{"false_match_rate": 1e-3, "distance": 20.0}]}, "accepts everybody"),
        ({"thresholds": [{"false_match_rate": 0, "distance": 8}]}, "false_match_rate"),
        ({"thresholds": [{"false_match_rate": 1e-3, "distance": -1}]}, "distance"),
        ({"thresholds": [{"false_match_rate": 1e-3, "distance": float("nan")}]}, "distance"),
        ({"thresholds": [{"false_match_rate": 1e-3, "distance": float("inf")}]}, "everybody"),
        ({"threshold_source": ""}, "threshold_source"),
        ({"architecture": "dlib"}, "architecture"),
        ({"id": "sface"}, "id"),
        ({"id": "sface-0123456789AB"}, "id"),
        ({"weights_sha256": "abc"}, "weights_sha256"),
        ({"input_px": 8}, "input_px"),
        ({"alpha": 0}, "alpha"),
        ({"embedding_size": 512}, "embedding_size"),
        ({"metric": "cosine"}, "metric"),
        ({"crop": "centre"}, "crop"),
        ({"parameters": 0}, "parameters"),
    ],
)
def test_metadata_that_must_not_serve(values: dict[str, Any], named: str) -> None:
    with pytest.raises(ValidationError, match=named):
        ModelInfo.model_validate(changed(**values))


def test_a_good_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "model.json"
    path.write_text(INFO.model_dump_json())
    assert read_info(path) == INFO
    assert read_info(path).thresholds[0] == Threshold(false_match_rate=1e-3, distance=10.0)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "not there; a bundle is a folder with"),
        (b"", "file: Invalid JSON"),
        (b"not json", "file: Invalid JSON"),
        (b"\xff\xfe\x00", "file: Invalid JSON"),
        (b"[]", "file: "),
        (b"[" * 10_000, "file: "),
        (json.dumps(changed(format=FORMAT + 1)).encode(), "newer version"),
        (json.dumps(changed(format=FORMAT + 1, fields_of_the_future=1)).encode(), "newer version"),
        (json.dumps(changed(format="one")).encode(), "format: "),
        (json.dumps(changed(format=0)).encode(), "format: "),
        (json.dumps(changed(colour="blue")).encode(), "colour: Extra inputs"),
        (json.dumps({k: v for k, v in changed().items() if k != "thresholds"}).encode(), "thresholds: Field required"),
    ],
)
def test_a_bad_file_is_refused_by_its_path(tmp_path: Path, content: bytes | None, said: str) -> None:
    path = tmp_path / "model.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(BadBundle) as caught:
        read_info(path)
    assert str(path) in str(caught.value)
    assert said in str(caught.value)


def test_a_folder_in_the_place_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "model.json").mkdir()
    with pytest.raises(BadBundle, match=r"model\.json"):
        read_info(tmp_path / "model.json")


def test_a_sites_limit_only_makes_it_stricter() -> None:
    rule = serving_threshold(INFO, 1, 5e-4)
    assert serving_threshold(INFO, 1, 5e-4, rule.distance + 1) == rule
    strict = serving_threshold(INFO, 1, 5e-4, 8.0)
    assert (strict.distance, strict.rule_distance) == (8.0, rule.distance)
    assert strict.promised_fpir == rule.promised_fpir, "nothing was measured that would promise more"


@pytest.mark.parametrize(
    ("limit", "accepted", "few"), [(None, 0.85, True), (10.5, 0.85, True), (9.0, 0.85, True), (8.9, None, False)]
)
def test_the_accept_rate_is_that_of_the_next_stricter_point(
    limit: float | None, accepted: float | None, few: bool
) -> None:
    points = [
        Threshold(false_match_rate=1e-3, distance=10.0, true_accept_rate=0.95),
        Threshold(false_match_rate=1e-4, distance=9.0, true_accept_rate=0.85),
    ]
    info = INFO.model_copy(update={"thresholds": points})
    serving = serving_threshold(info, 1, 5e-4, limit)
    assert (serving.true_accept_rate, serving.accepts_too_few) == (accepted, few)
    assert not serving_threshold(info, 1, 1e-3).accepts_too_few
    assert not serving_threshold(INFO, 1, 1e-3).accepts_too_few, "not measured"
