"""The best pictures of who is here, kept in memory until the answers say that nothing is owed to them any more.

An answer speaks for the pictures that were taken while that worker was looking: from where its looks begin, without a gap
of more than COVERS_S, up to the frame that it answers. Looks also speak for the time before them in which nothing moved:
who had been there would be there still. What nobody looked at stays owed, whoever comes next and whatever is
said of them. A picture leaves when the worker saw it and found nobody or refused, when `recorded` has come, or when
somebody looked and the presence went on well. What is still owed goes to the spool in parts: at once when Redis is known to
be away, else when ten seconds have passed without a useful answer, or an entry is full. No face is looked for here; the
best picture of each half second is the one where most has changed and most is sharp.
"""

import math
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace

from kiosk.sources import Picture
from worker.protocol.backlog import MAX_PICTURES, OVERLAP_MS
from worker.protocol.entries import Feedback, Recorded
from worker.protocol.outcomes import Outcome

SLOT_S = 0.5
"""One picture is kept of each."""
OVERLAP = round(OVERLAP_MS / 1000 / SLOT_S)
"""Pictures that a part shares with the one before it."""
PATIENCE_S = 10.0
"""Pictures without a useful answer for this long are spooled, whatever the links say."""
UNSAFE_S = 1.0
"""Pictures without a useful answer for this long are worth a copy on disk, in case that this process dies."""
COVERS_S = 1.0
"""Answers farther apart than this leave a gap in which nobody looked."""
LOOKED_KEPT_S = PATIENCE_S + 2
"""Pictures that a worker saw without deciding are kept this long: with the next ones they may be evidence."""
PRESENCE_MAX_S = 30.0
"""A presence that goes on counts as a new one after this: each gives one late record a person, so that somebody who stands
there through an outage is seen often enough to be one punch (see the recorder's `presence_gap_s`)."""
IDS_KEPT = 128

REFUSALS = frozenset(
    {
        *(Outcome.NO_FACE, Outcome.UNKNOWN, Outcome.SPOOF_SUSPECTED, Outcome.NOT_LIVE),
        *(Outcome.INACTIVE, Outcome.BAD_FRAME, Outcome.BAD_CLOCK, Outcome.ENROLLING),
    }
)
"""Answers after which nothing is owed for the pictures that they speak for."""
NO_ANSWERS = frozenset({Outcome.NOT_READY, Outcome.STALE})
"""The worker didn't judge."""


@dataclass(frozen=True)
class Kept:
    """A picture in memory; `looked` once an answer covered it, or a part that went to the spool holds it."""

    captured_s: float
    presence: str
    score: float
    jpeg: bytes
    looked: bool = False


@dataclass(frozen=True)
class Part:
    """Pictures of one presence that are due for the spool, oldest first."""

    presence: str
    number: int
    more: bool
    pictures: tuple[Kept, ...]


@dataclass
class _Looks:
    """Capture times between which a worker looked without a gap."""

    worker: str
    from_s: float
    to_s: float

    def cover(self, captured_s: float) -> bool:
        return self.from_s <= captured_s <= self.to_s

    def go_on(self, worker: str, captured_s: float, moved_s: float) -> "_Looks":
        """With an answer to the frame of that time: the same looks, or new ones after a gap or of another worker.

        New ones begin after the last motion (at `moved_s`), where that is longer ago than a slot.
        """
        if worker == self.worker and captured_s - self.to_s <= COVERS_S:
            self.to_s = max(self.to_s, captured_s)
            return self
        return _Looks(worker, min(captured_s - SLOT_S, math.nextafter(moved_s, math.inf)), captured_s)


@dataclass
class _Owed:
    """Accepted, not yet recorded: since when, and the capture times that the name speaks for."""

    since_s: float
    from_s: float
    to_s: float


class Keeper:
    """Times are monotonic seconds, passed in. Pictures, answers and `due` come from three threads."""

    def __init__(self, encode: Callable[[Picture], bytes | None]) -> None:
        self._encode = encode
        self._kept: list[Kept] = []
        self._slot: tuple[float, str, float, Picture] | None = None
        """Captured, presence, score and picture of the best one of the half second that runs."""
        self._slot_began_s = 0.0
        self._looks = _Looks("", -math.inf, -math.inf)
        self._moved_s = -math.inf
        """Capture time of the last picture with motion."""
        self._owed: dict[str, _Owed] = {}
        """By event id."""
        self._settled: OrderedDict[str, None] = OrderedDict()
        """Event ids that are recorded, or whose pictures were spooled."""
        self._spooling = ("", 0.0, 0, 0)
        """Presence, its first time, the piece of at most PRESENCE_MAX_S, the next part's number."""
        self._lock = threading.Lock()

    def offer(self, picture: Picture, captured_s: float, presence: str, score: float, moving: bool = True) -> None:
        """A picture in which somebody may be; the best of each half second is encoded and kept."""
        with self._lock:
            if moving:
                self._moved_s = captured_s
            if self._slot is not None and (
                captured_s - self._slot_began_s >= SLOT_S
                or captured_s < self._slot_began_s
                or self._slot[1] != presence
            ):
                self._close_slot()
            if self._slot is None:
                self._slot_began_s = captured_s
            if self._slot is None or score > self._slot[2]:
                self._slot = (captured_s, presence, score, picture)

    def _close_slot(self) -> None:
        if self._slot is not None:
            captured_s, presence, score, picture = self._slot
            self._slot = None
            jpeg = self._encode(picture)
            if jpeg is not None:
                looked = not self._owed and self._looks.cover(captured_s)
                self._kept.append(Kept(captured_s, presence, score, jpeg, looked))

    def answered(self, feedback: Feedback, captured_s: float, now_s: float) -> None:
        """A fresh answer to the frame of that capture time."""
        with self._lock:
            if feedback.outcome in NO_ANSWERS:
                self._looks = _Looks("", -math.inf, -math.inf)  # it forgot what it had seen before
                return
            self._looks = looks = self._looks.go_on(feedback.worker, captured_s, self._moved_s)
            events = {face.event_id for face in feedback.faces if face.event_id is not None}
            for event in events - set(self._settled):
                if event not in self._owed:
                    self._owed[event] = _Owed(now_s, looks.from_s, captured_s)
                    self._kept = [replace(k, looked=k.looked and k.captured_s < looks.from_s) for k in self._kept]
                self._owed[event].to_s = captured_s
            if self._owed:
                return
            if feedback.outcome in REFUSALS or feedback.outcome is Outcome.ACCEPTED:
                self._drop(looks.from_s, looks.to_s)
            else:
                self._kept = [replace(k, looked=k.looked or looks.cover(k.captured_s)) for k in self._kept]

    def recorded(self, entry: Recorded) -> None:
        """A decision is safe, or refused for good; it may come before the answer that names it."""
        with self._lock:
            self._settle(entry.decision_id)
            owed = self._owed.pop(entry.decision_id, None)
            if owed is not None and not self._owed:
                self._drop(owed.from_s, owed.to_s)

    def _settle(self, event: str) -> None:
        self._settled[event] = None
        while len(self._settled) > IDS_KEPT:
            self._settled.popitem(last=False)

    def _drop(self, from_s: float, to_s: float) -> None:
        self._kept = [kept for kept in self._kept if not from_s <= kept.captured_s <= to_s]
        if self._slot is not None and from_s <= self._slot[0] <= to_s:
            self._slot = None

    def due(self, now_s: float, presence: str | None, links_up: bool, patience_s: float = PATIENCE_S) -> list[Part]:
        """What must go to the spool now. `presence` is the one in front of the camera; None when nobody is."""
        with self._lock:
            if self._slot is not None and (presence is None or now_s - self._slot_began_s >= SLOT_S):
                self._close_slot()
            if not self._owed:
                self._kept = [k for k in self._kept if not k.looked or now_s - k.captured_s <= LOOKED_KEPT_S]
            owed = any(now_s - owed.since_s >= patience_s for owed in self._owed.values())
            parts: list[Part] = []
            for name, mine in self._presences():
                waiting_s = [kept.captured_s for kept in mine if not kept.looked]
                here = name == presence
                silent = not self._owed and now_s - min(waiting_s, default=now_s) >= patience_s
                away = not links_up and not here
                if waiting_s and (owed or silent or away or len(waiting_s) >= MAX_PICTURES):
                    parts += self._take(name, mine, here)
            if parts:
                for event in self._owed:
                    self._settle(event)
                self._owed.clear()
            return parts

    def unsafe(self, now_s: float) -> list[Part]:
        """What would be lost if this process died now: of each presence that waits for an answer its last pictures.

        They stay here. At most MAX_PICTURES wait (`due`), so nothing that is owed is left out.
        """
        with self._lock:
            name, _, piece, number = self._spooling
            return [
                Part(f"{one}.{piece}" if one == name and piece else one, number, False, tuple(mine[-MAX_PICTURES:]))
                for one, mine in self._presences()
                if any(not kept.looked and now_s - kept.captured_s >= UNSAFE_S for kept in mine)
            ]

    def _presences(self) -> list[tuple[str, list[Kept]]]:
        names = dict.fromkeys(kept.presence for kept in self._kept)
        return [(name, [kept for kept in self._kept if kept.presence == name]) for name in names]

    def flush(self, now_s: float, links_up: bool) -> list[Part]:
        """The kiosk stops: what would be lost. With the links up, the worker sees what it hasn't answered just now."""
        return self.due(now_s, None, links_up, patience_s=UNSAFE_S if links_up and not self._owed else 0.0)

    def _take(self, presence: str, mine: list[Kept], here: bool) -> list[Part]:
        """All pictures of a presence in parts; where it goes on, the last ones stay to begin the next part."""
        parts, rest = [], mine
        while True:
            now, later = rest[:MAX_PICTURES], rest[MAX_PICTURES:]
            parts.append(self._numbered(presence, now, here or bool(later)))
            if not later:
                break
            rest = now[-OVERLAP:] + later
        tail = [replace(kept, looked=True) for kept in now[-OVERLAP:]] if here else []
        self._kept = sorted([k for k in self._kept if k.presence != presence] + tail, key=lambda k: k.captured_s)
        return parts

    def _numbered(self, presence: str, pictures: list[Kept], more: bool) -> Part:
        name, began_s, piece, number = self._spooling
        if name != presence:
            began_s, piece, number = pictures[0].captured_s, 0, 0
        elif pictures[0].captured_s - began_s >= PRESENCE_MAX_S:
            began_s, piece, number = pictures[0].captured_s, piece + 1, 0
        self._spooling = (presence, began_s, piece, number + 1)
        return Part(f"{presence}.{piece}" if piece else presence, number, more, tuple(pictures))
