"""How alike a gallery's people are: against plain loops, known worlds, and hostile templates."""

import itertools
import time

import numpy as np
import pytest

from dashboard.gallery import likeness
from dashboard.gallery.likeness import Gallery, design_effect, gallery, genuine, look, rate

ALPHA = 10.0


def on_sphere(vectors: np.ndarray) -> np.ndarray:
    return (ALPHA * vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)).astype("<f4")


def crowd(people: int, each: int, size: int = 16, spread: float = 0.2, seed: int = 1) -> list[tuple[str, bytes]]:
    random = np.random.default_rng(seed)
    centres = random.standard_normal((people, 1, size))
    faces = on_sphere(centres + spread * random.standard_normal((people, each, size)))
    return [(f"p{i:05d}", face.tobytes()) for i in range(people) for face in faces[i]]


def at(distance: float, seed: int) -> list[bytes]:
    """Two templates that far apart, far from most others."""
    random = np.random.default_rng(seed)
    one, way = on_sphere(random.standard_normal((2, 64)).astype(np.float64)).astype(np.float64)
    way = on_sphere(way - one * (way @ one) / ALPHA**2).astype(np.float64)
    angle = 2 * np.arcsin(distance / 2 / ALPHA)
    return [one.astype("<f4").tobytes(), (one * np.cos(angle) + way * np.sin(angle)).astype("<f4").tobytes()]


def slow_pairs(people: Gallery) -> dict[tuple[int, int], float]:
    own = [people.vectors[a:b].astype(np.float64) for a, b in itertools.pairwise(people.bounds)]
    return {
        (i, j): min(float(np.linalg.norm(a - b)) for a in own[i] for b in own[j])
        for i, j in itertools.combinations(range(len(own)), 2)
    }


@pytest.mark.parametrize("rows", [1, 7, 1_024])
def test_as_plain_loops_say(rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(likeness, "ROWS", rows)
    people = gallery([*crowd(14, 3), *crowd(1, 5, seed=2)], ALPHA)
    slow = slow_pairs(people)
    said = look(people, 11.0, 11.0, 0.05)
    assert said.matches.hits == sum(d <= 11.0 for d in slow.values()) > 5
    assert said.matches.of == len(slow)
    ordered = sorted(slow.values())
    assert [pair.distance for pair in said.nearest] == pytest.approx(ordered[:10], abs=1e-4)
    assert all(slow[pair.one, pair.other] == pytest.approx(pair.distance, abs=1e-4) for pair in said.nearest)


def test_a_stricter_limit_brings_the_observed_rate_to_the_target() -> None:
    rows = [(f"{i:02d}{side}", raw) for i in range(5) for side, raw in zip("ab", at(8.0 + i / 10, i), strict=True)]
    people = gallery(rows, ALPHA)
    said = look(people, 9.5, 9.5, 1e-3)
    assert said.matches.hits == 5
    assert not said.meets_target
    assert said.stricter == pytest.approx(8.0, abs=1e-3)
    assert said.stricter < 8.0
    then = look(people, 9.5, said.stricter, 1e-3)
    assert then.matches.hits == 0
    assert then.stricter is None
    assert then.meets_target


def test_whom_no_threshold_parts_does_not_pull_it_down() -> None:
    rows = [(f"{i}{side}", raw) for i, d in enumerate((1.0, 8.5)) for side, raw in zip("ab", at(d, i), strict=True)]
    said = look(gallery(rows, ALPHA), 9.5, 9.5, 1e-3)
    assert said.inseparable == 1
    assert said.stricter == pytest.approx(8.5, abs=1e-3)
    only = look(gallery(rows[:2], ALPHA), 9.5, 9.5, 1e-3)
    assert (only.inseparable, only.stricter) == (1, None)


def test_a_limit_never_refuses_more_than_a_tenth_of_the_peoples_own_pictures() -> None:
    own = [(f"g{i:02d}", raw) for i in range(30) for raw in at(8.0 if i < 20 else 9.0, 100 + i)]
    alike = [("x", at(8.5, 1)[0]), ("y", at(8.5, 1)[1])]
    said = look(gallery([*own, *alike], ALPHA), 9.2, 9.2, 1e-3)
    assert said.refused.of == 60
    assert said.refused.hits == 0
    assert said.inseparable == 1, "at 8.5 it lies below where a third would be refused"
    assert said.stricter is None
    few = look(gallery([*own[:20], *alike], ALPHA), 9.2, 9.2, 1e-3)
    assert few.stricter == pytest.approx(8.5, abs=1e-3)
    assert few.refused_then is not None
    assert few.refused_then.hits == 0


def test_own_pictures_are_left_out_one_by_one() -> None:
    people = gallery([("a", raw) for raw in at(4.0, 1)] + [("b", at(1, 2)[0])], ALPHA)
    own = genuine(people)
    assert own.people == 1
    assert own.distances == pytest.approx([4.0, 4.0], abs=1e-3)
    assert own.refused(3.9).rate == 1
    assert own.refused(4.1).rate == 0
    assert genuine(gallery([], ALPHA)).refused(1).of == 0


def test_interval_without_an_error_is_about_the_rule_of_three() -> None:
    one = rate(0, 10_000)
    assert one.low == 0
    assert 3e-4 <= one.high <= 4e-4
    assert rate(0, 0).high == 1.0


def world(random: np.random.Generator, lambs: float, n: int = 120, p: float = 0.01) -> np.ndarray:
    """Errors by person where each pair errs with the geometric mean of its people's tendencies, p on average."""
    tends = np.exp(lambs * random.standard_normal(n) - lambs**2 / 2)
    errs = np.triu(random.random((n, n)) < p * tends[:, None] * tends[None], 1)
    return (errs + errs.T).sum(axis=1).astype(np.int64)


@pytest.mark.parametrize("lambs", [0.0, 0.7])
def test_intervals_hold_where_pairs_share_people(lambs: float) -> None:
    random = np.random.default_rng(3)
    pairs, held, effects = 120 * 119 // 2, 0, []
    for _ in range(400):
        by_person = world(random, lambs)
        effect = design_effect(by_person, pairs)
        effects.append(effect)
        said = rate(int(by_person.sum()) // 2, pairs, effect)
        held += said.low <= 0.01 <= said.high
    assert held / 400 >= 0.90
    assert (np.mean(effects) < 1.3) if lambs == 0 else (np.mean(effects) > 2)


@pytest.mark.parametrize(
    "raw",
    [b"", b"abc", b"\0" * 64, np.full(16, np.nan, "<f4").tobytes(), np.full(16, 3e38, "<f4").tobytes(), b"\1" * 4_096],
)
def test_what_is_no_template_is_left_out(raw: bytes) -> None:
    people = gallery([*crowd(5, 2), ("p00000", raw), ("odd", raw)], ALPHA)
    assert (len(people), people.left_out) == (5, 2)
    assert look(people, 5.0, 5.0, 1e-3).matches.of == 10


@pytest.mark.parametrize("count", [0, 1])
def test_nobody_to_compare(count: int) -> None:
    said = look(gallery(crowd(count, 2), ALPHA), 9, 9, 1e-3)
    assert (said.matches.of, said.nearest, said.stricter) == (0, (), None)


def test_a_large_gallery_keeps_little() -> None:
    people = gallery(crowd(1_500, 3, size=128), ALPHA)
    began = time.monotonic()
    said = look(people, 19.0, 19.0, 1e-3)
    assert said.matches.hits > 1_000_000, "nearly everybody is within so loose a threshold"
    assert len(said.nearest) == 10
    assert time.monotonic() - began < 20
