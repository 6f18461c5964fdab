"""One kiosk at 10 frames a second: from the shutter to the answer, and from standing still to the name."""

from itertools import pairwise
from typing import Any

from deploy import demo_scene
from deploy.bench import scene
from deploy.bench.figures import percentiles
from deploy.bench.load import Planned, Played, Player
from deploy.bench.site import BenchSite
from kiosk.motion import MotionGate
from kiosk.settings import KioskSettings
from worker.protocol.outcomes import Outcome

VISITS = 5
QUIET_S = 13.0
"""Between visits: longer than the cooldown, so that each is decided anew."""
EMPTY_S = 120


def measure(site: BenchSite, visits: int = VISITS) -> dict[str, Any]:
    """Latencies in ms, accept times in s after the mark `stands from`."""
    visit = demo_scene.timeline()[0]
    pictures = scene.visit_frames(visit, visit.in_view_from_ms, visit.in_view_to_ms)
    empty = next(scene.empty_frames(1))
    visit_s = len(pictures) / scene.FPS
    plan, marks = [], []
    for number in range(visits):
        begins_s = number * (visit_s + QUIET_S)
        marks.append(begins_s + (visit.stands_from_ms - visit.in_view_from_ms) / 1000)
        plan += [Planned(begins_s + i / scene.FPS, "bench-0", picture) for i, picture in enumerate(pictures)]
        idle = [begins_s + visit_s + after_s for after_s in range(2, round(QUIET_S), 2)]
        plan += [Planned(at_s, "bench-0", empty) for at_s in idle]
    played = Player(site.live_url, site.shard).play(plan)
    return {
        "latency_ms": percentiles([answer.latency_ms for answer in played.answers]),
        "stages_ms": _stages(played),
        "accept_s": _accepted(played, marks),
        "stream_frames": sum(played.offered.values()),
        "stream_drops": played.drops,
        "idle_frames_per_s": idle_frames_per_s(),
    }


def _stages(played: Played) -> dict[str, dict[str, float | None]]:
    """Where the milliseconds go: waiting (from the shutter to the worker), each stage, and the way back."""
    stages = {
        name: [answer.timings_ms[name] for answer in played.answers if name in answer.timings_ms]
        for name in ("queue", "decode", "detect", "embed")
    }
    stages["rest"] = [answer.latency_ms - sum(answer.timings_ms.values()) for answer in played.answers]
    return {name: percentiles(values, (50, 95)) for name, values in stages.items()}


def _accepted(played: Played, marks: list[float]) -> dict[str, Any]:
    """Seconds from standing still to the answer that names the person; 0 when that came while they still walked."""
    waits = []
    for begins_s, ends_s in pairwise([*marks, marks[-1] + 60]):
        first_s = begins_s - 3
        answers = [a for a in played.answers if first_s <= a.at_s < ends_s - 3 and a.outcome is Outcome.ACCEPTED]
        if answers:
            earliest = min(answers, key=lambda a: a.at_s)
            waits.append(max(0.0, earliest.at_s + earliest.latency_ms / 1e3 - begins_s))
    figures = percentiles([wait * 100 for wait in waits], (50, 95))
    seconds = {name: None if value is None else round(value / 100, 2) for name, value in figures.items()}
    return {**seconds, "visits": len(marks), "accepted": len(waits)}


def idle_frames_per_s(seconds: int = EMPTY_S) -> float:
    """Frames that the kiosk's own gate lets out of a scene with nobody in it, on a clock that doesn't wait."""
    settings = KioskSettings(name="bench")
    gate = MotionGate(
        hold_s=settings.gate_hold_s,
        idle_interval_s=settings.idle_interval_s,
        levels=settings.motion_levels,
        share=settings.motion_share,
        min_sharpness=settings.min_sharpness,
    )
    sent = 0
    for number, picture in enumerate(scene.empty_frames(seconds * scene.FPS)):
        now_s = number / scene.FPS
        gate.look(picture, now_s)
        if gate.may_send(now_s):
            gate.sent(now_s)
            gate.answered(False, now_s)
            sent += 1
    return round(sent / seconds, 3)
