"""Carries out the plan of faults on a running site, in a thread of its own: the launcher must find out by itself."""

import contextlib
import os
import signal
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence

from sqlalchemy import create_engine, text
from sqlalchemy.exc import SQLAlchemyError

from deploy.launcher import Launcher
from tests.chaos.plan import Fault
from tests.chaos.truth import BACK_S, Span

ROUND_S = 0.02
CUT = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND client_port IS NOT NULL"


class Faults(threading.Thread):
    """`done` counts by what was hit. A target that is down already is hit as soon as it lives again."""

    def __init__(
        self, plan: Sequence[Fault], launcher: Launcher, database_url: str, say: Callable[[str], None]
    ) -> None:
        super().__init__(name="faults", daemon=True)
        self.plan, self.launcher, self.say = plan, launcher, say
        self.done: Counter[str] = Counter()
        self.kills = self.stops = 0
        self.down: dict[str, list[Span]] = defaultdict(list)
        """When each kiosk was not running, as truth.py has it; by the kiosk's name."""
        self.killed_s: dict[str, list[float]] = defaultdict(list)
        """By kiosk."""
        self._database = create_engine(database_url, isolation_level="AUTOCOMMIT")
        self._stop_asked = False

    def stop(self) -> None:
        self._stop_asked = True
        self.join(timeout=20)

    def run(self) -> None:
        began_s = time.monotonic()
        waiting, stopped = list(self.plan), []
        while (waiting or stopped) and not self._stop_asked:
            now_s = time.monotonic()
            for one in [one for one in stopped if one[0] <= now_s]:
                stopped.remove(one)
                self._go_on(*one[1:])
            while waiting and waiting[0].at_s <= now_s - began_s:
                fault = waiting.pop(0)
                stopped += [(now_s + fault.for_s, *one) for one in self._carry_out(fault)]
            time.sleep(ROUND_S)
        for one in stopped:
            self._go_on(*one[1:])

    def _carry_out(self, fault: Fault) -> list[tuple[str, int, float]]:
        """Returns what was stopped: (target, pid, since)."""
        self.say(f"{fault.kind} {' and '.join(fault.targets)}" + (f" for {fault.for_s:.1f} s" if fault.for_s else ""))
        if fault.kind == "cut":
            self._cut()
            return []
        pids = {target: self._pid(target) for target in fault.targets}
        now_s, stopped = time.time(), []
        for target, pid in pids.items():
            os.kill(pid, signal.SIGKILL if fault.kind == "kill" else signal.SIGSTOP)
            self.done[f"{fault.kind} {target}"] += 1
            if fault.kind == "stop":
                stopped.append((target, pid, now_s))
            elif target.startswith("kiosk-"):
                self.down[target].append((now_s, now_s + BACK_S))
                self.killed_s[target].append(now_s)
        self.kills += fault.kind == "kill"
        self.stops += fault.kind == "stop"
        return stopped

    def _go_on(self, target: str, pid: int, since_s: float) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)
        if target.startswith("kiosk-"):
            self.down[target].append((since_s, time.time()))

    def _cut(self) -> None:
        with contextlib.suppress(SQLAlchemyError), self._database.connect() as connection:
            connection.execute(text(CUT))
        self.done["cut database"] += 1
        self.kills += 1

    def _pid(self, target: str) -> int:
        """Waits for a target that is down."""
        while not self._stop_asked:
            processes = {server.role: server.process for server in self.launcher.redis}
            processes |= {child.name: child.process for child in self.launcher.children}
            process = processes[target]
            if process is not None and process.poll() is None:
                return process.pid
            time.sleep(ROUND_S)
        raise SystemExit


def back_after_s(killed_s: Sequence[float], reads_s: Sequence[float]) -> list[float]:
    """For each kill the time until a picture was read again; kills that another kill follows before that are left out."""
    found = []
    for number, at_s in enumerate(killed_s):
        back_s = next((read_s for read_s in reads_s if read_s > at_s), None)
        following_s = killed_s[number + 1] if number + 1 < len(killed_s) else float("inf")
        if back_s is not None and back_s < following_s:
            found.append(back_s - at_s)
    return found
