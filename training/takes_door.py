"""What a kiosk would have done with people's takes: each take is one presence, judged by the worker's own rule over frames."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.verification import Counts, Floats
from worker.decision import Match, Rules, Vote, cast_vote, decide
from worker.protocol.outcomes import Outcome as Code
from worker.settings import WorkerSettings


@dataclass(frozen=True)
class Entry:
    """Somebody enrolled from one take."""

    person: int
    take: int
    round: int
    frames: NDArray[np.int64]
    """Numbers of the frames that gave the templates."""


@dataclass(frozen=True)
class Door:
    """Every frame against every entry. A gallery holds the entries of one round; another round is another gallery."""

    distances: Floats
    """(frames, entries)"""
    entries: list[Entry]
    people: Counts
    """(frames,)"""
    takes: Counts
    """(frames,)"""
    face_found: NDArray[np.bool_]
    """(frames,) a frame without a face has no vote at a door."""

    def rounds(self) -> list[int]:
        return sorted({entry.round for entry in self.entries})

    def pairs(self) -> tuple[Counts, Counts, Counts]:
        """Frames and entries that are compared, and 1 for one person: all but a take with itself."""
        owners, own_take = (np.array([getattr(entry, name) for entry in self.entries]) for name in ("person", "take"))
        rows, columns = np.nonzero(self.takes[:, None] != own_take[None])
        return rows, columns, (self.people[rows] == owners[columns]).astype(np.int64)


@dataclass(frozen=True)
class Presence:
    """A take shown to a gallery: who it was, whether enrolled there, what each frame said, and who was let in as whom."""

    take: int
    person: int
    enrolled: bool
    votes: list[int | None]
    accepted: int | None


def rules(threshold: float) -> Rules:
    """The worker's, with the margin and the votes that it has unless a site says otherwise."""
    margin, needed, kept = (WorkerSettings.model_fields[n].default for n in ("margin", "votes_needed", "votes_kept"))
    return Rules(threshold, margin, needed, kept)


def presences(door: Door, threshold: float) -> list[Presence]:
    """Each take before each gallery in which it isn't itself."""
    found = []
    for number in door.rounds():
        columns = [i for i, entry in enumerate(door.entries) if entry.round == number]
        held = {door.entries[i].person for i in columns}
        own = {door.entries[i].take for i in columns}
        for take in np.unique(door.takes):
            if int(take) in own:
                continue
            frames = np.flatnonzero(door.takes == take)
            votes = [_vote(door, int(i), columns, rules(threshold)) for i in frames if door.face_found[i]]
            person = int(door.people[frames[0]])
            named = [None if vote.employee_id is None else int(vote.employee_id) for vote in votes]
            found.append(Presence(int(take), person, person in held, named, _let_in(votes, rules(threshold))))
    return found


def row(door: Door, threshold: float, names: list[str], take_names: list[str]) -> dict[str, Any]:
    """Counts at one threshold, of frames and of presences; confusions by name, those of frames that didn't decide too."""
    seen = presences(door, threshold)
    known, strangers = ([p for p in seen if p.enrolled == kind] for kind in (True, False))
    confused: Counter[tuple[int, int]] = Counter()
    for presence in seen:
        confused.update((presence.take, vote) for vote in presence.votes if vote not in (None, presence.person))
    accepted_as = {(p.take, p.accepted) for p in seen if p.accepted not in (None, p.person)}
    refused = sorted({take_names[p.take] for p in known if p.accepted != p.person})
    return {
        "threshold": threshold,
        "every_person_recognised": not refused,
        "presences": len(known),
        "presences_recognised": sum(p.accepted == p.person for p in known),
        "presences_not_recognised": refused,
        "presences_confused": sum(p.accepted not in (None, p.person) for p in seen),
        "stranger_presences": len(strangers),
        "frames": sum(len(p.votes) for p in known),
        "frames_recognised": sum(vote == p.person for p in known for vote in p.votes),
        "frames_confused": confused.total(),
        "stranger_frames": sum(len(p.votes) for p in strangers),
        "confusions": [
            {"take": take_names[take], "taken_for": names[vote], "frames": n, "accepted": (take, vote) in accepted_as}
            for (take, vote), n in sorted(confused.items())
        ],
    }


def _vote(door: Door, frame: int, columns: list[int], by: Rules) -> Vote:
    """One person has one entry in a gallery, so the second nearest entry is the runner-up."""
    near = sorted((float(door.distances[frame, i]), door.entries[i].person) for i in columns)
    second = near[1][0] if len(near) > 1 else float("inf")
    return cast_vote(Match(str(near[0][1]), near[0][0], second), frame, by)


def _let_in(votes: list[Vote], by: Rules) -> int | None:
    """Whom the presence is accepted as, at the first frame at which the rule is satisfied."""
    for end in range(1, len(votes) + 1):
        verdict = decide(votes[:end], by)
        if verdict.outcome is Code.ACCEPTED and verdict.employee_id is not None:
            return int(verdict.employee_id)
    return None
