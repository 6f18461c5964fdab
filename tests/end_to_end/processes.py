"""Looking at processes by id: whose child, still alive, working in which home; and waiting for a condition."""

import os
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")


def wait_for(what: Callable[[], T], within_s: float, why: str) -> T:
    """The first true value of `what()`; fails with `why` after `within_s`."""
    end_s = time.monotonic() + within_s
    while not (value := what()):
        assert time.monotonic() < end_s, f"not within {within_s:g} s: {why}"
        time.sleep(0.05)
    return value


def command_lines() -> dict[int, tuple[int, str]]:
    """Parent and command line of every living process by its id; zombies don't live."""
    found = {}
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            state, parent = (folder / "stat").read_text().rsplit(")", 1)[1].split()[:2]
            words = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except (OSError, ValueError):
            continue
        if state not in ("Z", "X"):
            found[int(folder.name)] = int(parent), words
    return found


def descendants(root: int) -> dict[int, str]:
    """Command lines of the living processes below `root`, by id."""
    living = command_lines()
    family = {root}
    while more := {pid for pid, (parent, _) in living.items() if parent in family} - family:
        family |= more
    return {pid: living[pid][1] for pid in family - {root}}


def alive(pids: set[int]) -> set[int]:
    return pids & command_lines().keys()


PORTS_IN_A_ROW = 4
"""Of a site: dashboard, kiosk's screen, both Redis roles."""


def working_in(home: Path) -> dict[int, str]:
    """Processes, other than ours, whose environment or command line names `home`."""
    found = {}
    for pid, (_, words) in command_lines().items():
        try:
            environment = Path(f"/proc/{pid}/environ").read_bytes()
        except OSError:
            continue
        if pid != os.getpid() and (str(home).encode() in environment or str(home) in words):
            found[pid] = words
    return found


_FIRST_PORT = 11_000 + 10_000 * (os.environ.get("PYTEST_XDIST_WORKER", "gw0") != "gw0")
"""The suite's two processes look in ranges of their own: what the other one found free may not be open yet."""
_rows = iter(range(_FIRST_PORT, _FIRST_PORT + 10_000, PORTS_IN_A_ROW))


def free_ports() -> int:
    """The first of PORTS_IN_A_ROW free ports in a row. None is given twice: a site that is being started again, or whose last
    connections are still closing, isn't seen by a probe."""
    for first in _rows:
        probes = [socket.socket() for _ in range(PORTS_IN_A_ROW)]
        try:
            for number, probe in enumerate(probes):
                probe.bind(("127.0.0.1", first + number))
            return first
        except OSError:
            continue
        finally:
            for probe in probes:
                probe.close()
    raise AssertionError("no free ports")
