"""The work of `attendance calibrate`: the report in words, and the limit's way to the workers."""

import getpass
import json
import time
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from dashboard.database import SessionFactory
from dashboard.gallery import calibrating, calibration
from dashboard.gallery.calibrating import Looked, Near, NoneReady, Served, ServeDifferently
from dashboard.gallery.likeness import Rate
from deploy.errors import Problem
from deploy.operator import SiteClients, plain, site_clients
from deploy.site_database import site_database
from worker.protocol import heartbeats

FOLLOW_S = 5.0
"""Workers follow within about a second; after this the command says who hasn't."""
LOOK_S = 0.1


def run(as_json: bool, apply: bool, reset: bool) -> int:
    """Print the report, or what was done; 0. Raises Problem."""
    with site_clients("calibrate", every_shard=True) as sites, site_database() as factory:
        now = served(sites)
        if reset:
            return _reset(factory, sites, now, as_json)
        looked = calibrating.look(factory, now)
        limit = looked.said.stricter if apply else None
        try:
            calibrating.keep(factory, looked, _who(), limit=limit)
        except ValueError as error:
            raise Problem(f"{error}; somebody else set it meanwhile: look again") from None
        behind = _wait(sites, limit) if limit is not None else []
        if as_json:
            print(json.dumps(report(looked) | {"applied": limit, "not_followed_by": behind}))
        else:
            for line in [*words(looked), *_done(limit, apply, behind)]:
                print(line)
    return 0


def served(sites: Sequence[SiteClients]) -> Served:
    """Raises Problem where no worker is ready, or they serve different models."""
    try:
        return calibrating.served(beat for site in sites for beat in heartbeats.read(site.live, site.shard, "worker"))
    except NoneReady:
        raise Problem(
            "no worker is ready, or all are of an older version, so nothing says which threshold serves; "
            "start one: `attendance worker`, or `attendance up`"
        ) from None
    except ServeDifferently as error:
        models = ", ".join(map(plain, error.args))
        raise Problem(f"workers serve different models: {models}; see `attendance model list`") from None


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


# --- words -----------------------------------------------------------------------------------------------------------


def report(looked: Looked) -> dict[str, Any]:
    """For --json."""
    now, people, said = looked.now, looked.people, looked.said
    return {
        **asdict(now),
        "people": len(people),
        "templates": len(people.vectors),
        "templates_left_out": people.left_out,
        "nearest": [_pair(near) for near in looked.nearest],
        "false_matches": asdict(said.matches),
        "wanted_false_match_rate": said.wanted,
        "meets_target": said.meets_target,
        "inseparable_pairs": said.inseparable,
        "own_pictures_refused": asdict(said.refused),
        "stricter": said.stricter,
        "own_pictures_refused_then": asdict(said.refused_then) if said.refused_then else None,
    }


def _pair(near: Near) -> dict[str, Any]:
    one, other = ({"code": who.code, "name": who.name} for who in (near.one, near.other))
    return {"one": one, "other": other, "distance": near.distance}


def words(looked: Looked) -> list[str]:
    """The report, line by line."""
    now, people, said = looked.now, looked.people, looked.said
    limit = "" if now.limit is None else f" (the site's limit; the bundle's rule gives {now.rule:.4f})"
    lines = [
        f"{plain(now.model_id)}: {len(people)} people, {len(people.vectors)} templates, threshold {now.threshold:.4f}{limit}"
    ]
    if people.left_out:
        lines.append(f"{people.left_out} templates can't be read and are left out; enrol those people again")
    if not people.pairs:
        return [*lines, "There are no two people to compare yet."]
    lines.append("The nearest pairs of different people:")
    for near in looked.nearest:
        mark = "WITHIN the threshold" if near.distance <= now.threshold else ""
        sides = " and ".join(plain(f"{who.code} {who.name}", 60) for who in (near.one, near.other))
        lines.append(f"  {near.distance:8.4f}  {sides}  {mark}".rstrip())
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
