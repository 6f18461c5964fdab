"""`make chaos`: random kill -9 of everything while people pass, and then the database is held against the truth.

KILLS (200) says how many, SEED which ones and who comes when, ENGINE=real takes the two real faces and the real networks
instead of drawn markers, MEAN_S how far the faults are apart. What counts as passed, lost, doubled and wrong is defined in
truth.py. Not part of the quick suite. Exit code 0 when all kills were done and nothing was lost, doubled, invented or given a
wrong time.
"""

import json
import os
import platform
import shutil
import statistics
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import redis

from deploy.launcher import Launcher
from tests.chaos import footage, plan
from tests.chaos.doors import Doors
from tests.chaos.faults import Faults, back_after_s
from tests.chaos.site import PEOPLE, ChaosSite, Chosen
from tests.chaos.truth import BACK_S, Comparison, Visit, compare, off_s
from tests.postgres import running_postgres

KILLS = int(os.environ.get("KILLS") or 200)
SEED = int(os.environ.get("SEED") or 20_261_124)
ENGINE = os.environ.get("ENGINE") or "markers"
MEAN_S = float(os.environ.get("MEAN_S") or 5.0)
STOPS_SHARE = 0.12
"""Stops (SIGSTOP) for each kill."""
CHOSEN = {
    "markers": Chosen("markers", ["door-a", "door-b", "door-c", "door-d"], workers=2, presence_gap_s=60),
    "real": Chosen("real", ["door-a", "door-b"], workers=1, presence_gap_s=45),
}
APART_S = 6.0
"""Visits of one person at one door lie farther apart than the presence gap by this, so that each is a punch of its own."""
QUIET_S, SETTLE_S = 16.0, 240.0
"""At the end everything must be through for so long (a kiosk waits ten seconds for an answer), and within this time."""
WORDS = {
    "markers": "people are drawn markers; the worker is the real process with its networks replaced, all else is real",
    "real": "two real faces, the real networks",
}


class Run:
    def __init__(self, home: Path, database_url: str) -> None:
        self.home, self.database_url = home, database_url
        self.began_s = time.monotonic()
        self.said = (home / "chaos.log").open("w", buffering=1)

    def say(self, words: str) -> None:
        """Into the log of the run: what was done when, beside the services' own logs."""
        now = time.time()
        self.said.write(
            f"{time.strftime('%Y-%m-%d %H:%M:%S', time.localtime(now))}.{int(now % 1 * 1000):03d} {words}\n"
        )

    def run(self) -> dict[str, Any]:
        chosen = CHOSEN[ENGINE]
        shown = footage.real_footage(self.home) if ENGINE == "real" else footage.marker_footage(PEOPLE)
        fps = 7.5 if ENGINE == "real" else footage.FPS
        site = ChaosSite(self.home, self.database_url, chosen, fps)
        doors = Doors(site.camera_folder, chosen.kiosks, shown, fps, chosen.presence_gap_s + APART_S, SEED)
        launcher = Launcher(self.say)
        stops = round(KILLS * STOPS_SHARE)
        kiosks = [f"kiosk-{name}" for name in chosen.kiosks]
        drawn = plan.draw(SEED, KILLS, stops, MEAN_S, site.workers, kiosks)
        faults = Faults(drawn, launcher, self.database_url, self.say)
        limit_s = drawn[-1].at_s * 1.3 + 120
        with launcher.handling_signals():
            site.start(launcher)
            print(f"chaos: seed {SEED}, {KILLS} kills and {stops} stops in about {drawn[-1].at_s / 60:.0f} minutes")
            print(f"  engine {ENGINE}: {WORDS[ENGINE]}", flush=True)
            doors.start()
            faults.start()
            began_s = time.monotonic()
            launcher.run(lambda: not faults.is_alive() or time.monotonic() - began_s > limit_s)
            faults.stop()
            doors.close_doors()
            launcher.run(doors.empty)
            left = self._settle(launcher, site)
            doors.stop()
            dead_letters = site.dead_letters()
            logs_end = [child.name for child in launcher.children if not child.running]
        punches, decisions = site.punches(), site.decisions()
        site.close()
        down = {name: faults.down[f"kiosk-{name}"] for name in chosen.kiosks}
        result = compare(doors.visits, down, punches)
        back_s = [
            after_s
            for name in chosen.kiosks
            for after_s in back_after_s(faults.killed_s[f"kiosk-{name}"], doors.doors[name].reads)
        ]
        self._tell_faults(result, down)
        return {
            "seed": SEED,
            "engine": ENGINE,
            "kills": faults.kills,
            "stops": faults.stops,
            "hit": dict(sorted(faults.done.items())),
            "minutes": round((time.monotonic() - self.began_s) / 60, 1),
            "doors": len(chosen.kiosks),
            "workers": chosen.workers,
            "visits": len(doors.visits),
            **result.standing,
            "recorded": dict(result.recorded),
            "lost": len(result.lost),
            "doubled": len(result.doubled),
            "wrong_time": len(result.wrong_time),
            "invented": len(result.invented),
            "punches": len(punches),
            "late": sum(punch.late for punch in punches),
            "time_uncertain": sum(punch.time_uncertain for punch in punches),
            "decisions": dict(Counter(f"{one.status}{', late' if one.late else ''}" for one in decisions)),
            "dead_letters": dead_letters,
            "left_waiting": left,
            "not_running": logs_end,
            "kiosk_back_s": {
                "n": len(back_s),
                "p50": round(statistics.median(back_s), 2) if back_s else None,
                "max": round(max(back_s), 2) if back_s else None,
                "over": sum(after_s > BACK_S for after_s in back_s),
            },
            "cores": os.cpu_count(),
            "machine": platform.processor() or platform.machine(),
        }

    def _settle(self, launcher: Launcher, site: ChaosSite) -> dict[str, int]:
        """Wait until nothing is on its way any more; returns what is left."""
        end_s, quiet_s, left = time.monotonic() + SETTLE_S, time.monotonic(), {"unknown": 1}

        def settled() -> bool:
            nonlocal quiet_s, left
            try:
                left = site.waiting()
            except redis.exceptions.RedisError:
                left = {"unknown": 1}
            if left:
                quiet_s = time.monotonic()
            return time.monotonic() - quiet_s > QUIET_S or time.monotonic() > end_s

        launcher.run(settled)
        return left

    def _tell_faults(self, result: Comparison, down: dict[str, Any]) -> None:
        """Every single fault with its times, for whoever looks for the reason."""

        def of(visit: Visit) -> str:
            return f"{visit.employee} at {visit.door}, {_clock(visit.came_s)} … {_clock(visit.left_s)}"

        lines = [f"lost: {of(visit)}, stood from {_clock(visit.stood_s)}" for visit in result.lost]
        lines += [
            f"{word}: {of(visit)}, punch {_clock(punch.captured_s)} {punch.event_id} late={punch.late} "
            f"off by {off_s(visit, punch.captured_s):.1f} s"
            for word, found in (("doubled", result.doubled), ("wrong time", result.wrong_time))
            for visit, punch in found
        ]
        lines += [f"invented: {punch}" for punch in result.invented]
        for line in lines:
            self.say(line)
            print(f"  {line}")
        self.say(f"down: { {door: [(_clock(a), _clock(b)) for a, b in spans] for door, spans in down.items()} }")


def _clock(at_s: float) -> str:
    return f"{time.strftime('%H:%M:%S', time.localtime(at_s))}.{int(at_s % 1 * 1000):03d}"


def tell(figures: dict[str, Any]) -> None:
    """Plain lines, then everything as one JSON object."""
    f, back = figures, figures["kiosk_back_s"]
    print(f"  {f['kills']} kills and {f['stops']} stops in {f['minutes']} min on {f['cores']} cores: {f['hit']}")
    print(
        f"  {f['visits']} visits at {f['doors']} doors: {f['counted']} count as passed, {f['at_dead_kiosk']} at a dead"
    )
    print(f"  kiosk ({f['recorded']['at_dead_kiosk']} of them recorded), {f['too_short']} too short")
    print(f"  lost {f['lost']}, doubled {f['doubled']}, wrong time {f['wrong_time']}, invented {f['invented']}")
    print(
        f"  punches {f['punches']}, late {f['late']}, time uncertain {f['time_uncertain']}; decisions {f['decisions']}"
    )
    print(f"  dead letters {f['dead_letters']}, left waiting {f['left_waiting']}, not running {f['not_running']}")
    print(
        f"  kiosk back after {back['p50']} s (median of {back['n']}), at most {back['max']} s, {back['over']} over {BACK_S} s"
    )
    print(json.dumps(figures), flush=True)


def main() -> int:
    if ENGINE not in CHOSEN:
        print(f"ENGINE={ENGINE}: use markers or real", file=sys.stderr)
        return 2
    with ExitStack() as stack:
        home = Path(tempfile.mkdtemp(prefix="attendance-chaos-"))
        run = Run(home, stack.enter_context(running_postgres()))
        figures = run.run()
    wrong = ("lost", "doubled", "wrong_time", "invented", "dead_letters", "left_waiting")
    holds = figures["kills"] == KILLS and figures["counted"] > 0 and not any(figures[name] for name in wrong)
    if holds:
        shutil.rmtree(home)
    else:
        print(f"  logs are in {home / 'logs'}, what was done when in {home / 'chaos.log'}")
    tell(figures)
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
