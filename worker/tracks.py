"""Tracks: one face followed over the frames of one kiosk. Pure state, times passed in.

A face belongs to a track when it lies where the track's last face lay and, where both have a template, looks like the
same person. So two people who swap places between two frames get two tracks, and no name passes from one to the other.
"""

from collections import Counter, deque
from dataclasses import dataclass, field
from itertools import count

import numpy as np
from numpy.typing import NDArray

from worker.decision import Rules, Verdict, Vote, decide
from worker.protocol.entries import new_id
from worker.protocol.outcomes import Outcome

Box = NDArray[np.float32]
SUPPORT_MS = 1_000
"""A name stays on the screen this long after the last good frame that named the person."""
COMPARED_EVERY_MS = 400
"""Somebody accepted who stays where they are is compared with the gallery this often, not in every frame."""
_numbers = count(1)


@dataclass(eq=False)  # a track is itself: comparing boxes field by field would raise
class Track:
    """What is remembered of one presence. `accepted_id` and `event_id` are set once it has been decided."""

    rules: Rules
    presence: str
    box: Box
    first_ms: int
    last_ms: int
    number: int = field(default_factory=lambda: next(_numbers))
    votes: deque[Vote] = field(default_factory=deque)
    template: NDArray[np.float32] | None = None
    outcomes: Counter[Outcome] = field(default_factory=Counter)
    good_frames: int = 0
    accepted_id: str | None = None
    event_id: str = field(default_factory=new_id)
    supported_ms: int = 0
    compared_ms: int = 0
    """Capture time of the newest frame that voted."""
    last_verdict: Verdict = field(default_factory=lambda: Verdict(Outcome.DECIDING))

    def see(self, box: Box, captured_ms: int, outcome: Outcome) -> None:
        """A frame showed this face; `outcome` is its quality fault or `deciding` for a good one."""
        self.box, self.last_ms = box, max(self.last_ms, captured_ms)
        self.outcomes[outcome] += 1

    def vote(self, vote: Vote, template: NDArray[np.float32]) -> Verdict:
        """Count a good frame and decide; the remembered template is that of the newest good frame."""
        self.template, self.compared_ms = template, vote.captured_ms
        self.good_frames += 1
        self.votes.append(vote)
        while len(self.votes) > self.rules.votes_kept:
            self.votes.popleft()
        self.last_verdict = decide(self.votes, self.rules)
        if self.accepted_id is not None and vote.employee_id == self.accepted_id:
            self.supported_ms = vote.captured_ms
        return self.last_verdict

    def accept(self, employee_id: str, captured_ms: int) -> None:
        self.accepted_id, self.supported_ms = employee_id, captured_ms

    def names_now(self, captured_ms: int) -> bool:
        """Whether the accepted name may be shown beside a face of this track at that time."""
        return self.accepted_id is not None and captured_ms - self.supported_ms <= SUPPORT_MS

    def known_still(self, box: Box, captured_ms: int) -> bool:
        """Whether a face there plainly is the person who was accepted, and compared only a moment ago."""
        recent = 0 <= captured_ms - self.compared_ms < COMPARED_EVERY_MS
        return recent and self.names_now(captured_ms) and overlap(self.box, box) > 0.5

    def contradicted(self) -> bool:
        """Accepted once, but the newest good frames say somebody else: this is another person after all."""
        last = list(self.votes)[-2:]
        return self.accepted_id is not None and len(last) == 2 and all(v.employee_id != self.accepted_id for v in last)

    def final_outcome(self) -> Outcome:
        """What a presence without acceptance comes to: the verdict on its good frames, else its commonest fault."""
        if self.last_verdict.outcome is not Outcome.DECIDING:
            return self.last_verdict.outcome
        faults = [(n, outcome) for outcome, n in self.outcomes.items() if outcome is not Outcome.DECIDING]
        return max(faults)[1] if faults else Outcome.DECIDING


def overlap(a: Box, b: Box) -> float:
    """Intersection over union of two boxes (left, top, right, bottom)."""
    width = min(float(a[2]), float(b[2])) - max(float(a[0]), float(b[0]))
    height = min(float(a[3]), float(b[3])) - max(float(a[1]), float(b[1]))
    if width <= 0 or height <= 0:
        return 0.0
    inside = width * height
    total = float((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]))
    return inside / (total - inside)


def near(a: Box, b: Box) -> bool:
    """Whether two faces lie close enough to be one that moved: overlapping, or centres within a face's width."""
    if overlap(a, b) > 0.1:
        return True
    width = max(float(a[2] - a[0]), float(b[2] - b[0]))
    dx = float(a[0] + a[2] - b[0] - b[2]) / 2
    dy = float(a[1] + a[3] - b[1] - b[3]) / 2
    return bool((dx * dx + dy * dy) ** 0.5 < width)


def same_face(track: Track, box: Box, template: NDArray[np.float32] | None, limit: float) -> bool:
    """Whether a face of a frame continues the track; `limit` is the distance beyond which two templates are two people."""
    if not near(track.box, box):
        return False
    if template is None:
        # Nothing to compare: a name may pass to this face only if it plainly stayed where it was.
        return track.accepted_id is None or overlap(track.box, box) > 0.3
    if track.template is None:
        return True
    return bool(np.linalg.norm(template - track.template) <= limit)
