"""A look at how alike the site's own people are under what serves, and the limit that follows: for the command and the page.

Model, threshold and target are taken from the workers' heartbeats: they say what really serves, and no weights are needed.
"""

import threading
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from dashboard.auditing import audit
from dashboard.database import SessionFactory, reading
from dashboard.gallery import calibration, likeness
from dashboard.gallery.likeness import Gallery, Likeness
from dashboard.models import Employee
from worker.protocol.heartbeats import Heartbeat

_turn = threading.Lock()
"""One look at a time: a full gallery takes hundreds of megabytes for seconds, however often a button is pressed."""


class NoneReady(LookupError):
    """No worker says which threshold serves: none is ready, or all are of an older version."""


class ServeDifferently(LookupError):
    """Workers serve several models; `args` are their ids."""


@dataclass(frozen=True)
class Served:
    """What the site's workers serve; of several the strictest rule, which is that of the fullest gallery."""

    model_id: str
    alpha: float
    rule: float
    threshold: float
    limit: float | None
    wanted_fpir: float


@dataclass(frozen=True)
class Somebody:
    """`id` is empty where they were erased meanwhile."""

    id: str
    code: str
    name: str


@dataclass(frozen=True)
class Near:
    """Two people and the distance of their nearest templates."""

    one: Somebody
    other: Somebody
    distance: float


@dataclass(frozen=True)
class Looked:
    """What was found; `nearest` are the pairs of `said.nearest`, each by code."""

    now: Served
    people: Gallery
    said: Likeness
    nearest: tuple[Near, ...]


def served(workers: Iterable[Heartbeat]) -> Served:
    """Raises NoneReady or ServeDifferently."""
    found = [one for beat in workers if beat.data.get("ready") is True and (one := _served(beat.data)) is not None]
    models = sorted({one.model_id for one in found})
    if not models:
        raise NoneReady
    if len(models) > 1:
        raise ServeDifferently(*models)
    return min(found, key=lambda one: (one.threshold, one.rule))


def _served(data: dict[str, Any]) -> Served | None:
    """None where a heartbeat lacks what is needed: its worker is too old."""
    numbers = [data.get(name) for name in ("alpha", "rule_threshold", "threshold", "wanted_fpir")]
    model_id, limit = data.get("model_id"), data.get("site_limit")
    if not isinstance(model_id, str) or not all(_positive(one) for one in numbers):
        return None
    alpha, rule, threshold, fpir = (float(one) for one in numbers)  # type: ignore[arg-type]
    if not fpir < 1:
        return None
    return Served(model_id, alpha, rule, threshold, float(limit) if _positive(limit) else None, fpir)  # type: ignore[arg-type]


def _positive(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 1e6


def look(factory: SessionFactory, now: Served) -> Looked:
    """Compare everybody who may be recognised with everybody else. It writes nothing."""
    with _turn:
        with reading(factory) as session:
            rows = calibration.templates(session, now.model_id)
        people = likeness.gallery(rows, now.alpha)
        said = likeness.look(people, now.rule, now.threshold, now.wanted_fpir)
    return Looked(now, people, said, _named(factory, people, said))


def _named(factory: SessionFactory, people: Gallery, said: Likeness) -> tuple[Near, ...]:
    ids = {people.people[number] for pair in said.nearest for number in (pair.one, pair.other)}
    with reading(factory) as session:
        query = select(Employee.id, Employee.code, Employee.name).where(Employee.id.in_(ids))
        known = {who: Somebody(who, code, name) for who, code, name in session.execute(query)}
    gone = Somebody("", "?", "erased meanwhile")
    found = []
    for pair in said.nearest:
        sides = (known.get(people.people[number], gone) for number in (pair.one, pair.other))
        one, other = sorted(sides, key=lambda who: who.code)
        found.append(Near(one, other, round(pair.distance, 4)))
    return tuple(found)


def keep(
    factory: SessionFactory, looked: Looked, by: str, actor: audit.Actor = audit.COMMAND, limit: float | None = None
) -> None:
    """Remember the look, with `limit` put in force where there is one. ValueError where that isn't stricter than what serves."""
    now, found = looked.now, looked.said.matches.hits
    made = calibration.Made(now.model_id, by, len(looked.people), found, now.threshold, actor)
    with factory.begin() as session:
        if limit is None:
            calibration.note_look(session, made)
        else:
            calibration.apply(session, made, limit)
