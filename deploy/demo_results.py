"""What a demo run came to: the figures of its one JSON object, and whether they are right where the truth is known."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import func, select

from dashboard.database import SessionFactory, reading
from dashboard.models import AttendanceEvent, DecisionRecord, Employee
from deploy.demo_scene import ENROLLED, ENROLLED_CODE, Scene
from worker.protocol import heartbeats
from worker.protocol.connection import FAILURES, Client
from worker.protocol.outcomes import Outcome
from worker.protocol.telemetry import LatencyHistogram


@dataclass
class Beats:
    """The last figures of every process that lived during the run; one that was started again counts from 0, so both stay."""

    last: dict[tuple[str, str, int], heartbeats.Heartbeat] = field(default_factory=dict)
    source_starts_ms: dict[str, set[int]] = field(default_factory=dict)
    """Kiosk → wall clock of each start of its clip."""

    def look(self, live: Client, shard: str) -> None:
        """Remember what the heartbeats say now; a Redis that is away is asked again at the next look."""
        try:
            beats = list(heartbeats.read(live, shard))
        except FAILURES:
            return
        for beat in beats:
            self.last[beat.role, beat.name, beat.pid] = beat
            started_ms = beat.data.get("source_started_ms") if beat.role == "kiosk" else None
            if isinstance(started_ms, int):
                self.source_starts_ms.setdefault(beat.name, set()).add(started_ms)

    def of(self, role: str) -> list[Mapping[str, Any]]:
        return [beat.data for (its_role, _, _), beat in self.last.items() if its_role == role]

    def total(self, role: str, name: str) -> int:
        return sum(int(data.get(name) or 0) for data in self.of(role))


@dataclass(frozen=True)
class Record:
    """One punch in the database, as the JSON has it, and its capture time for the judging."""

    employee: str
    kiosk: str
    captured_ms: int
    distance: float | None
    threshold: float | None
    source: str

    def to_json(self) -> dict[str, Any]:
        return {
            "employee": self.employee,
            "kiosk": self.kiosk,
            "captured_at": iso_utc(self.captured_ms),
            "distance": self.distance,
            "threshold": self.threshold,
            "source": self.source,
        }


def iso_utc(epoch_ms: int) -> str:
    """`2026-01-31T07:58:12.345Z`."""
    return datetime.fromtimestamp(epoch_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def read_records(sessions: SessionFactory, sources: Mapping[str, str]) -> tuple[list[Record], int]:
    """All punches in order of capture, and how many presences ended as unknown. `sources` is by kiosk."""
    query = (
        select(AttendanceEvent, DecisionRecord, Employee)
        .join(DecisionRecord, DecisionRecord.event_id == AttendanceEvent.event_id)
        .join(Employee, Employee.id == AttendanceEvent.employee_id)
        .order_by(AttendanceEvent.captured_ms)
    )
    unknown = select(func.count()).where(DecisionRecord.outcome == Outcome.UNKNOWN.value)
    with reading(sessions) as session:
        records = [
            Record(
                employee.code,
                event.kiosk,
                event.captured_ms,
                _rounded(decision.distance),
                _rounded(decision.threshold),
                sources.get(event.kiosk, ""),
            )
            for event, decision, employee in session.execute(query)
        ]
        return records, session.scalar(unknown) or 0


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def recorded_strangers(records: list[Record], scene: Scene, starts_ms: Mapping[str, set[int]]) -> int:
    """Punches of the scene's run that name the wrong person, or were captured while the enrolled one wasn't there."""
    wrong = 0
    for record in records:
        starts = [start for start in starts_ms.get(record.kiosk, ()) if start <= record.captured_ms]
        who = scene.person_at(record.captured_ms - max(starts)) if starts else None
        wrong += record.employee != ENROLLED_CODE or who != ENROLLED
    return wrong


def to_json(beats: Beats, records: list[Record], unknown: int, strangers: int | None) -> dict[str, Any]:
    latencies = LatencyHistogram.merged(data.get("latency") or {} for data in beats.of("kiosk"))
    models = sorted({str(data["model_id"]) for data in beats.of("worker") if data.get("model_id")})
    return {
        "frames_sent": beats.total("kiosk", "frames_sent"),
        "frames_processed": beats.total("worker", "frames_processed"),
        "frames_stale": beats.total("worker", "frames_stale"),
        "recorded": [record.to_json() for record in records],
        "unknown": unknown,
        "strangers_recorded": strangers,
        "latency_ms": latencies.summary(),
        "model_id": ", ".join(models) or None,
    }


def what_went_wrong(result: Mapping[str, Any]) -> str | None:
    """For a run of the scene: None when the enrolled person was recorded exactly once and the stranger never."""
    times = sum(record["employee"] == ENROLLED_CODE for record in result["recorded"])
    if result["strangers_recorded"]:
        return f"{result['strangers_recorded']} record(s) of the stranger, or of the wrong person"
    if times != 1:
        return f"{ENROLLED} ({ENROLLED_CODE}) was recorded {times} times, expected once"
    return None
