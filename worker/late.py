"""Who came while Redis was away: the same faces, gates, votes and rules as live, on a few pictures. Pure functions.

Live frames follow each other within a tenth of a second, these within half a second: so a face continues a track by its
template, and by its place only where there is no template to compare. Somebody is accepted exactly as live, when k of
the last n good pictures agree; fewer good pictures than k accept nobody, whatever they show.
"""

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from worker.decision import Match, Rules, Verdict, cast_vote
from worker.engine import Sight
from worker.protocol.backlog import OVERLAP_MS
from worker.protocol.outcomes import Outcome
from worker.tracks import Track, near

PRESENCE_MIN_MS = 1_000
"""As live: somebody seen for less and never named only passed by."""
NAMESPACE = uuid.UUID("5d0e6a52-54a3-4f0e-9a4f-9b2f6f0f6f2e")
JUDGED = frozenset({Outcome.UNKNOWN, Outcome.AMBIGUOUS})

Search = Callable[[NDArray[np.float32]], Match]


@dataclass(frozen=True)
class LatePicture:
    captured_ms: int
    sight: Sight


@dataclass(frozen=True)
class LatePerson:
    """One decision to be written; `picture` is the number of the picture that decided, for accepted ones."""

    outcome: Outcome
    employee_id: str | None
    captured_ms: int
    verdict: Verdict
    good_frames: int
    picture: int | None = None


def event_id(kiosk: str, presence: str, employee_id: str | None) -> str:
    """The same for every part of a presence and every delivery, so that nobody is recorded twice; None: not recognised."""
    return uuid.uuid5(NAMESPACE, f"{kiosk}/{presence}/{employee_id or ''}").hex


def judge(
    pictures: Sequence[LatePicture], presence: str, rules: Rules, limit: float, search: Search, more: bool
) -> list[LatePerson]:
    """The people of one part of a presence, each employee once, and at most one who wasn't recognised.

    `limit` is the distance beyond which two templates are two people. With `more`, a face that only begins in the end
    that the next part repeats is left to that one.
    """
    tracks: list[Track] = []
    accepted: dict[str, LatePerson] = {}
    for number, picture in enumerate(pictures):
        sight = picture.sight
        if not sight.faces or sight.quality is None:
            continue
        box = sight.faces[0].box
        track = _track_of(tracks, box, sight.template, limit)
        if track is None:
            track = Track(rules, presence, box, picture.captured_ms, picture.captured_ms)
            tracks.append(track)
        fault = Outcome.SEVERAL_FACES if sight.several else sight.quality.fault or Outcome.DECIDING
        track.see(box, picture.captured_ms, fault)
        if sight.template is None:
            continue
        verdict = track.vote(cast_vote(search(sight.template), picture.captured_ms, rules), sight.template)
        if verdict.outcome is Outcome.ACCEPTED and verdict.employee_id is not None and track.accepted_id is None:
            track.accept(verdict.employee_id, picture.captured_ms)
            person = LatePerson(
                Outcome.ACCEPTED, verdict.employee_id, picture.captured_ms, verdict, track.good_frames, number
            )
            accepted.setdefault(verdict.employee_id, person)
    rest = _unrecognised(tracks, pictures[-1].captured_ms - OVERLAP_MS if more else None, bool(accepted))
    return [*accepted.values(), *rest]


def _track_of(tracks: list[Track], box, template: NDArray[np.float32] | None, limit: float) -> Track | None:  # type: ignore[no-untyped-def]
    """The newest track that this face continues; one that was contradicted ends, as live."""
    for track in reversed(tracks):
        if track.contradicted():
            continue
        if template is None or track.template is None:
            if near(track.box, box):
                return track
        elif float(np.linalg.norm(template - track.template)) <= limit:
            return track
    return None


def _unrecognised(tracks: list[Track], left_from_ms: int | None, somebody_was: bool) -> list[LatePerson]:
    """The best seen track without a name. Where somebody was named, faults alone are no second person."""
    left = [
        track
        for track in tracks
        if track.accepted_id is None
        and track.last_ms - track.first_ms >= PRESENCE_MIN_MS
        and (left_from_ms is None or track.first_ms < left_from_ms)
        and (not somebody_was or track.final_outcome() in JUDGED)
    ]
    if not left:
        return []
    best = max(left, key=lambda track: (track.good_frames, track.last_ms))
    return [LatePerson(best.final_outcome(), None, best.last_ms, best.last_verdict, best.good_frames)]
