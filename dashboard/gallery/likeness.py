"""How alike a site's own people are, from the templates of its gallery: pure functions, no I/O.

One comparison is a pair of people, at the distance of the nearest two of their templates: a presence shows several frames, so
the nearest counts at a door too, and where it errs, it errs on the strict side. Pairs share people: somebody who looks like
many others makes many errors at once. So an interval is Wilson's at the effective number of pairs, which is the number of
pairs over the design effect that a jackknife over people measures (Korn & Graubard 1998; at no error at all there is nothing
to measure, and the interval is that of as many pairs: 3.84/pairs, a little wider than the rule of three).
"""

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]

ROWS = 1_024
"""Templates multiplied with all others at once: 120 MB of products in a gallery of 30,000 templates."""
SHOWN = 10
"""Nearest pairs that are kept by name."""
Z = 1.959964
"""Of a 95 % interval."""
OFF_SPHERE = 0.02
"""A template whose length differs from α by more than this share is none."""
STRICTEST = 0.75
"""A site's limit is never less than this share of the bundle's threshold: what is nearer no threshold parts."""
MOST_REFUSED = 0.10
"""Nor does it refuse more of the people's own pictures (DESIGN: a true accept rate of 90 %), where they are measured."""
LIMIT_DIGITS = 4
"""After the decimal sign of a limit: what people read is what serves."""
ENOUGH_PEOPLE = 20
"""With two or more templates each, for that measure to bind."""


@dataclass(frozen=True)
class Rate:
    """`hits` of `of`, with its 95 % interval."""

    hits: int
    of: int
    rate: float
    low: float
    high: float


@dataclass(frozen=True)
class Gallery:
    """The people's templates, sorted by person; person i has the rows bounds[i] … bounds[i + 1] − 1."""

    people: tuple[str, ...]
    vectors: Vectors
    bounds: NDArray[np.intp]
    alpha: float
    left_out: int = 0
    """Templates that can't be read as points of the model's sphere."""

    def __len__(self) -> int:
        return len(self.people)

    @property
    def pairs(self) -> int:
        return len(self) * (len(self) - 1) // 2


@dataclass(frozen=True)
class Genuine:
    """Each template of the people who have several, against the nearest other one of the same person."""

    distances: NDArray[np.float64]
    people: int

    def refused(self, threshold: float) -> Rate:
        """The share farther away than that; pictures of one person count as one in the interval."""
        hits, of = int((self.distances > threshold).sum()), len(self.distances)
        return rate(hits, of, of / self.people if self.people else 1.0)


@dataclass(frozen=True)
class Pair:
    """Two people (numbers in the gallery) and the distance of their nearest templates."""

    one: int
    other: int
    distance: float


@dataclass(frozen=True)
class Likeness:
    """What a gallery says about a threshold."""

    nearest: tuple[Pair, ...]
    matches: Rate
    """Pairs of different people within the serving threshold, of all pairs."""
    wanted: float
    """The rate per pair that the FPIR target allows: 1 − (1 − FPIR)^(1/people)."""
    inseparable: int
    """Pairs nearer than any limit may be: twins, or one person entered twice."""
    refused: Rate
    stricter: float | None
    """The limit that brings the observed rate to the target, as far as one may; None where none is needed or helps."""
    refused_then: Rate | None

    @property
    def meets_target(self) -> bool:
        return self.matches.rate <= self.wanted


def rate(hits: int, of: int, design_effect: float = 1.0) -> Rate:
    """With Wilson's interval at the effective number of trials, of / design_effect (at least one)."""
    if of == 0:
        return Rate(0, 0, 0.0, 0.0, 1.0)
    p, n = hits / of, max(1.0, of / max(1.0, design_effect))
    middle = (p + Z * Z / (2 * n)) / (1 + Z * Z / n)
    half = Z / (1 + Z * Z / n) * math.sqrt(p * (1 - p) / n + Z * Z / (4 * n * n))
    return Rate(hits, of, p, max(0.0, middle - half) if hits else 0.0, min(1.0, middle + half) if hits < of else 1.0)


def gallery(templates: Iterable[tuple[str, bytes]], alpha: float) -> Gallery:
    """From (person, float32 little-endian bytes). What isn't a point of the sphere, or of another length, is left out."""
    rows = sorted(templates, key=lambda row: row[0])
    sizes = Counter(len(raw) for _, raw in rows if len(raw) and len(raw) % 4 == 0)
    if not sizes:
        return Gallery((), np.zeros((0, 1), np.float32), np.zeros(1, np.intp), alpha, len(rows))
    size = sizes.most_common(1)[0][0]
    fit = [(who, raw) for who, raw in rows if len(raw) == size]
    vectors = np.frombuffer(b"".join(raw for _, raw in fit), "<f4").reshape(len(fit), size // 4)
    with np.errstate(all="ignore"):
        lengths = np.linalg.norm(vectors, axis=1)
        good = np.abs(lengths - alpha) <= OFF_SPHERE * alpha
    counts: dict[str, int] = {}
    for (who, _), kept in zip(fit, good, strict=True):
        if kept:
            counts[who] = counts.get(who, 0) + 1
    bounds = np.array([0, *np.cumsum(list(counts.values()))], np.intp)
    return Gallery(tuple(counts), vectors[good], bounds, alpha, len(rows) - int(good.sum()))


def genuine(people: Gallery) -> Genuine:
    found = []
    several = 0
    for start, end in zip(people.bounds[:-1], people.bounds[1:], strict=True):
        if end - start > 1:
            own = people.vectors[start:end].astype(np.float64)
            apart = np.linalg.norm(own[:, None] - own[None], axis=2)
            np.fill_diagonal(apart, np.inf)
            found.append(apart.min(axis=1))
            several += 1
    return Genuine(np.concatenate(found) if found else np.zeros(0), several)


def strictest(threshold: float, own: Genuine) -> float:
    """Where a limit ends, from the bundle's threshold and the people's own distances."""
    bound = STRICTEST * threshold
    if own.people >= ENOUGH_PEOPLE:
        bound = max(bound, float(np.quantile(own.distances, 1 - MOST_REFUSED)))
    return min(threshold, bound)


def look(people: Gallery, rule: float, serving: float, fpir: float) -> Likeness:
    """`rule` is the bundle's threshold for this gallery, `serving` what is in force (the rule, or a limit of the site)."""
    own = genuine(people)
    floor = strictest(rule, own)
    wanted = -math.expm1(math.log1p(-fpir) / max(1, len(people)))
    allowed = math.floor(wanted * people.pairs)
    found = _scan(people, serving, floor, allowed + 1)
    hits = int(found.by_person.sum()) // 2
    rest = max(0, allowed - found.below_floor)
    stricter = None
    if hits > allowed and len(found.above_floor) > rest:
        limit = _just_below(float(found.above_floor[rest]))
        stricter = max(limit, floor)
        stricter = stricter if stricter < serving else None
    return Likeness(
        nearest=found.nearest,
        matches=rate(hits, people.pairs, design_effect(found.by_person, people.pairs)),
        wanted=wanted,
        inseparable=found.below_floor,
        refused=own.refused(serving),
        stricter=stricter,
        refused_then=own.refused(stricter) if stricter is not None else None,
    )


def design_effect(by_person: NDArray[np.int64], pairs: int) -> float:
    """How much less the pairs say than as many independent ones, from the errors in which each person takes part.

    The jackknife counts the noise of the pairs themselves twice, once for each side, so that is taken off once.
    """
    n, hits = len(by_person), int(by_person.sum()) // 2
    if n < 3 or hits == 0 or hits == pairs:
        return 1.0
    without = (hits - by_person) / ((n - 1) * (n - 2) / 2)
    jackknife = (n - 1) / n * float(((without - without.mean()) ** 2).sum())
    p = hits / pairs
    return max(1.0, jackknife / (p * (1 - p) / pairs) - 1)


@dataclass(frozen=True)
class _Found:
    nearest: tuple[Pair, ...]
    by_person: NDArray[np.int64]
    """(people,) pairs within the threshold in which each takes part."""
    below_floor: int
    above_floor: NDArray[np.float64]
    """The nearest distances from the floor to the threshold, rising, as many as were asked for."""


def _scan(people: Gallery, serving: float, floor: float, kept: int) -> _Found:
    """All pairs of people once, a block of people's templates at a time; what is kept doesn't grow with the gallery."""
    by_person = np.zeros(len(people), np.int64)
    nearest: list[Pair] = []
    above = np.zeros(0)
    below = 0
    first = 0
    while first < len(people) - 1:
        last = int(np.searchsorted(people.bounds, people.bounds[first] + ROWS, "right")) - 1
        last = min(len(people), max(first + 1, last))
        apart = _apart(people, first, last)
        # only pairs (one < other): those at and left of the diagonal were seen, or are one person
        apart[np.tril_indices(last - first, 0, len(people) - first)] = np.inf
        hits = apart <= serving
        by_person[first:last] += hits.sum(axis=1)
        by_person[first:] += hits.sum(axis=0)
        below += int((apart < floor).sum())
        flat = apart.ravel()
        near = np.argpartition(flat, SHOWN - 1)[:SHOWN] if len(flat) > SHOWN else np.arange(len(flat))
        rows, columns = np.divmod(near[np.isfinite(flat[near])], apart.shape[1])
        nearest += [
            Pair(first + int(i), first + int(j), float(apart[i, j])) for i, j in zip(rows, columns, strict=True)
        ]
        nearest = sorted(nearest, key=lambda pair: pair.distance)[:SHOWN]
        middle = flat[(flat >= floor) & (flat <= serving)].astype(np.float64)
        above = np.sort(np.concatenate([above, middle]))[:kept]
        first = last
    return _Found(tuple(nearest), by_person, below, above)


def _apart(people: Gallery, first: int, last: int) -> NDArray[np.float64]:
    """(last − first, people − first) distances of the nearest templates of the people first … last − 1 to those from first on."""
    start = people.bounds[first]
    rows = people.vectors[start : people.bounds[last]]
    products = rows @ people.vectors[start:].T
    by_column = np.maximum.reduceat(products, people.bounds[first:-1] - start, axis=1)
    likest = np.maximum.reduceat(by_column, people.bounds[first:last] - start, axis=0).astype(np.float64)
    # the float32 product's error is some 1e-6·α²: of no weight at distances that matter, and never negative below the root
    return np.sqrt(np.maximum(0.0, 2 * (people.alpha**2 - likest)))


def _just_below(distance: float) -> float:
    """The next smaller number of so many digits."""
    scale: int = 10**LIMIT_DIGITS
    return (math.ceil(distance * scale) - 1) / scale
