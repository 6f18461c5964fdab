"""One service of the product as a child process: start, stop, its log, and when to start it again after it died."""

import contextlib
import os
import signal
import subprocess
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from deploy.processes import die_with_parent
from worker.protocol.connection import Backoff

CRASHES, CRASH_WINDOW_S = 5, 60.0
"""So many deaths within the window are a crash loop: told once with the log's end, then tried slowly."""
SLOW_RETRY_S = 30.0
STEADY_S = 10.0
"""Who ran for so long is started again at once: a door must not wait for what happened to it earlier."""
MAX_LOG_BYTES = 20_000_000
"""A log larger than this at a start is kept once as `.1` and begun anew."""


@dataclass
class Child:
    """`rank` is its place in the order of stopping, lowest first. The environment is the whole one, nothing is inherited."""

    name: str
    command: list[str]
    environment: Mapping[str, str]
    log_path: Path
    rank: int = 0
    process: subprocess.Popen[bytes] | None = None
    restarts: int = 0
    crash_looping: bool = False
    _deaths_s: deque[float] = field(default_factory=lambda: deque(maxlen=CRASHES))
    _retry_at_s: float | None = None
    _started_s: float = 0.0
    _backoff: Backoff = field(default_factory=lambda: Backoff(cap_s=5.0, first_s=0.3))

    def start(self) -> None:
        """Start it; call from the main thread only, see die_with_parent. Its own group keeps a terminal's Ctrl-C away."""
        self.log_path.parent.mkdir(parents=True, exist_ok=True)
        if self.log_path.exists() and self.log_path.stat().st_size > MAX_LOG_BYTES:
            self.log_path.replace(self.log_path.with_name(self.log_path.name + ".1"))
        with self.log_path.open("ab") as log:
            self.process = subprocess.Popen(
                self.command,
                env=dict(self.environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=die_with_parent,
                process_group=0,
            )
        self._retry_at_s = None
        self._started_s = time.monotonic()

    @property
    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def look_after(self, now_s: float | None = None) -> str | None:
        """Notice a death, and start again when its time has come. Returns what happened in words, or None."""
        now_s = time.monotonic() if now_s is None else now_s
        if self.process is None or self.running:
            return None
        if self._retry_at_s is None:
            words = self._died(now_s)
            if self._retry_at_s is not None and self._retry_at_s <= now_s:
                self._start_again()
            return words
        if now_s < self._retry_at_s:
            return None
        self._start_again()
        return f"{self.name}: started again"

    def _start_again(self) -> None:
        self.restarts += 1
        self.start()

    def _died(self, now_s: float) -> str:
        assert self.process is not None
        steady = now_s - self._started_s >= STEADY_S
        if self._deaths_s and now_s - self._deaths_s[-1] > CRASH_WINDOW_S:
            self.crash_looping = False
        if steady:
            self._backoff.reset()
        self._deaths_s.append(now_s)
        self._end_group()
        often = len(self._deaths_s) == CRASHES and now_s - self._deaths_s[0] <= CRASH_WINDOW_S
        wait_s = 0.0 if steady else self._backoff.next_s()
        wait_s = SLOW_RETRY_S if often or self.crash_looping else wait_s
        self._retry_at_s = now_s + wait_s
        when = f"in {wait_s:.1f} s" if wait_s else "at once"
        words = f"{self.name}: ended ({_how(self.process.returncode)}), starting it again {when}"
        if often and not self.crash_looping:
            words += f". It died {CRASHES} times within {CRASH_WINDOW_S:.0f} s; the end of {self.log_path}:\n{self.log_end()}"
        self.crash_looping = self.crash_looping or often
        return words

    def ask_to_stop(self) -> None:
        if self.process is not None and self.running:
            self.process.terminate()

    def wait_or_kill(self, timeout_s: float) -> bool:
        """Wait for the end, then end whatever is left of its process group. False when it had to be killed."""
        if self.process is None:
            return True
        try:
            self.process.wait(max(0.0, timeout_s))
            return True
        except subprocess.TimeoutExpired:
            return False
        finally:
            self._end_group()
            self.process.wait()

    def _end_group(self) -> None:
        """SIGKILL to the group: the child itself, or what a dead child left behind (gunicorn's workers)."""
        assert self.process is not None
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)

    def log_end(self, lines: int = 12) -> str:
        """The last lines of its log, indented, for a message to people."""
        try:
            with self.log_path.open("rb") as log:
                log.seek(max(0, self.log_path.stat().st_size - 8_000))
                text = log.read().decode(errors="replace")
        except OSError:
            return "    (no log)"
        return "\n".join(f"    {line}" for line in text.splitlines()[-lines:]) or "    (the log is empty)"


def _how(code: int) -> str:
    return f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
