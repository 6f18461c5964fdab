"""Arrivals as lines of text, as they happen."""

from dashboard.database import SessionFactory, reading
from dashboard.models import DecisionRecord
from worker.protocol import keys
from worker.protocol.connection import FAILURES, Client
from worker.protocol.entries import Arrival, BadEntry


class EventLines:
    """Follows the live events; `new()` never blocks. A Redis that started anew is followed from its beginning."""

    def __init__(self, live: Client, shard: str, sessions: SessionFactory) -> None:
        self.live, self.key, self.sessions = live, keys.events(shard), sessions
        self._last_id: bytes = b"0-0"

    def new(self) -> list[str]:
        lines = []
        try:
            newest = self.live.xrevrange(self.key, count=1)
            if newest and _order(newest[0][0]) < _order(self._last_id):
                self._last_id = b"0-0"
            answer = self.live.xread({self.key: self._last_id}, count=100) if newest else []
        except FAILURES:
            return []
        for entry_id, fields in answer[0][1] if answer else []:
            self._last_id = entry_id
            try:
                lines.append(self._line(Arrival.from_fields(fields)))
            except BadEntry:
                continue
        return lines

    def _line(self, arrival: Arrival) -> str:
        """`07:58  door-1  recorded        Eileen Collins (E001)  in   distance 5.9 of 9.5`."""
        who = f"{arrival.name} ({arrival.code})" if arrival.name else "-"
        direction = arrival.direction.value if arrival.direction else ""
        figures = ""
        with reading(self.sessions) as session:
            decision = session.get(DecisionRecord, arrival.event_id)
            if decision is not None and decision.distance is not None and decision.threshold is not None:
                figures = f"distance {decision.distance:.2f} of {decision.threshold:.2f}"
        outcome = arrival.outcome.value.replace("_", " ")
        return f"{arrival.local_time}  {arrival.kiosk:<10} {outcome:<16} {who:<30} {direction:<4} {figures}".rstrip()


def _order(entry_id: bytes) -> tuple[int, int]:
    ms, _, number = entry_id.partition(b"-")
    return int(ms), int(number)
