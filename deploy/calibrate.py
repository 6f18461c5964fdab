"""The work of `attendance calibrate`: what workers serve, the gallery's look at itself, the report, the limit and its way.

Model, threshold and target are taken from the workers' heartbeats: they say what really serves, and no weights are needed.
"""

import getpass
import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import select

from dashboard.database import SessionFactory, reading
from dashboard.gallery import calibration, likeness
from dashboard.gallery.likeness import Gallery, Likeness, Rate
from dashboard.models import Employee
from deploy.errors import Problem
from deploy.operator import SiteClients, plain, site_clients
from deploy.site_database import site_database
from worker.protocol import heartbeats

FOLLOW_S = 5.0
"""Workers follow within about a second; after this the command says who hasn't."""
LOOK_S = 0.1


@dataclass(frozen=True)
class Served:
    """What the site's workers serve; of several the strictest rule, which is that of the fullest gallery."""

    model_id: str
    alpha: float
    rule: float
    threshold: float
    limit: float | None
    wanted_fpir: float


def run(as_json: bool, apply: bool, reset: bool) -> int:
    """Print the report, or what was done; 0. Raises Problem."""
    with site_clients("calibrate", every_shard=True) as sites, site_database() as factory:
        now = served(sites)
        if reset:
            return _reset(factory, sites, now, as_json)
        with reading(factory) as session:
            rows = calibration.templates(session, now.model_id)
        people = likeness.gallery(rows, now.alpha)
        said = likeness.look(people, now.rule, now.threshold, now.wanted_fpir)
        limit = said.stricter if apply else None
        about = (now.model_id, _who(), len(people), said.matches.hits, now.threshold)
        with factory.begin() as session:
            if limit is None:
                calibration.note_look(session, *about)
            else:
                try:
                    calibration.apply(session, *about, limit)
                except ValueError as error:
                    raise Problem(f"{error}; somebody else set it meanwhile: look again") from None
        behind = _wait(sites, limit) if limit is not None else []
        named = _named(factory, people, said)
        if as_json:
            print(json.dumps(report(now, people, said, named) | {"applied": limit, "not_followed_by": behind}))
        else:
            for line in [*words(now, people, said, named), *_done(limit, apply, behind)]:
                print(line)
    return 0


def served(sites: Sequence[SiteClients]) -> Served:
    """Raises Problem where no worker is ready, or they serve different models."""
    beats = [beat for site in sites for beat in heartbeats.read(site.live, site.shard, "worker")]
    found = [one for beat in beats if beat.data.get("ready") is True and (one := _served(beat.data)) is not None]
    if not found:
        raise Problem(
            "no worker is ready, or all are of an older version, so nothing says which threshold serves; "
            "start one: `attendance worker`, or `attendance up`"
        )
    models = sorted({one.model_id for one in found})
    if len(models) > 1:
        raise Problem(f"workers serve different models: {', '.join(map(plain, models))}; see `attendance model list`")
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


def _who() -> str:
    """The machine's account that runs the command."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "unknown"


def _reset(factory: SessionFactory, sites: Sequence[SiteClients], now: Served, as_json: bool) -> int:
    with factory.begin() as session:
        gone = calibration.reset(session, now.model_id, _who())
    behind = _wait(sites, None) if gone is not None else []
    if as_json:
        print(json.dumps({"model_id": now.model_id, "reset": gone, "not_followed_by": behind}))
    elif gone is None:
        print(f"the site has set no limit for {plain(now.model_id)}; nothing is changed")
    else:
        print(f"the limit of {gone:.4f} is taken back; the bundle's rule serves, now {now.rule:.4f}")
        for line in _late(behind):
            print(line)
    return 0


def _wait(sites: Sequence[SiteClients], limit: float | None) -> list[str]:
    """Until every living worker says that it has the limit; returns those that don't in time."""
    end_s = time.monotonic() + FOLLOW_S
    while True:
        behind = [
            plain(f"{site.shard}/{beat.name}", 64)
            for site in sites
            for beat in heartbeats.read(site.live, site.shard, "worker")
            if beat.data.get("site_limit") != limit
        ]
        if not behind or time.monotonic() > end_s:
            return sorted(behind)
        time.sleep(LOOK_S)


def _named(factory: SessionFactory, people: Gallery, said: Likeness) -> list[dict[str, Any]]:
    """The nearest pairs by code and name."""
    pairs = likeness.by_distance(people, said.nearest)
    ids = {str(pair[side]) for pair in pairs for side in ("one", "other")}
    with reading(factory) as session:
        query = select(Employee.id, Employee.code, Employee.name).where(Employee.id.in_(ids))
        known = {who: {"code": code, "name": name} for who, code, name in session.execute(query)}
    gone = {"code": "?", "name": "erased meanwhile"}
    found = []
    for pair in pairs:
        one, other = sorted(
            (known.get(str(pair[side]), gone) for side in ("one", "other")), key=lambda who: who["code"]
        )
        found.append({"one": one, "other": other, "distance": pair["distance"]})
    return found


# --- words -----------------------------------------------------------------------------------------------------------


def report(now: Served, people: Gallery, said: Likeness, named: list[dict[str, Any]]) -> dict[str, Any]:
    """For --json."""
    return {
        **asdict(now),
        "people": len(people),
        "templates": len(people.vectors),
        "templates_left_out": people.left_out,
        "nearest": named,
        "false_matches": asdict(said.matches),
        "wanted_false_match_rate": said.wanted,
        "meets_target": said.meets_target,
        "inseparable_pairs": said.inseparable,
        "own_pictures_refused": asdict(said.refused),
        "stricter": said.stricter,
        "own_pictures_refused_then": asdict(said.refused_then) if said.refused_then else None,
    }


def words(now: Served, people: Gallery, said: Likeness, named: list[dict[str, Any]]) -> list[str]:
    """The report, line by line."""
    limit = "" if now.limit is None else f" (the site's limit; the bundle's rule gives {now.rule:.4f})"
    lines = [
        f"{plain(now.model_id)}: {len(people)} people, {len(people.vectors)} templates, threshold {now.threshold:.4f}{limit}"
    ]
    if people.left_out:
        lines.append(f"{people.left_out} templates can't be read and are left out; enrol those people again")
    if not people.pairs:
        return [*lines, "There are no two people to compare yet."]
    lines.append("The nearest pairs of different people:")
    for pair in named:
        mark = "WITHIN the threshold" if pair["distance"] <= now.threshold else ""
        sides = " and ".join(plain(f"{pair[side]['code']} {pair[side]['name']}", 60) for side in ("one", "other"))
        lines.append(f"  {pair['distance']:8.4f}  {sides}  {mark}".rstrip())
    lines.append(
        f"{_counted(said.matches)} pairs of different people are within the threshold; the target "
        f"allows {said.wanted:.2g} of all pairs (a stranger accepted as anybody: {now.wanted_fpir:g})."
    )
    if said.meets_target and said.matches.high > said.wanted:
        lines.append("Too few pairs to prove that the target is met; nothing here speaks against it.")
    if said.inseparable:
        lines.append(
            f"{said.inseparable} of them are too near for any threshold: is somebody entered twice? "
            "Else they need a badge or PIN as well."
        )
    if said.refused.of:
        lines.append(f"{_counted(said.refused)} of people's own pictures are refused against their other ones.")
    else:
        lines.append("Nobody has two pictures, so what a threshold costs in refusals isn't known.")
    if said.stricter is not None:
        lines.append(f"A stricter threshold of {said.stricter:.4f} parts those that can be parted.")
        if said.refused_then is not None and said.refused_then.of:
            lines.append(f"It would refuse {_counted(said.refused_then)} of people's own pictures.")
    elif not said.meets_target:
        lines.append("No stricter threshold helps without refusing too many; have them show a badge or enter a PIN.")
    else:
        lines.append("No stricter threshold is needed.")
    return lines


def _counted(one: Rate) -> str:
    return f"{one.hits:,} of {one.of:,} ({one.rate:.3%}; 95 % interval {one.low:.3%} to {one.high:.3%})"


def _done(limit: float | None, wanted: bool, behind: list[str]) -> list[str]:
    if limit is not None:
        done = f"{limit:.4f} is the site's limit now; `attendance calibrate --reset` takes it back."
        return [done, *_late(behind)]
    return ["Nothing is changed."] if wanted else []


def _late(behind: list[str]) -> list[str]:
    if not behind:
        return []
    return [f"Not followed yet by {', '.join(behind)}: it is stored, and they follow once their recorder runs."]
