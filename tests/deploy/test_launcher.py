"""The launcher with tiny children: restarts, crash loops, the order of stopping, and nothing left behind."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deploy.children import CRASHES, SLOW_RETRY_S, STEADY_S, Child
from deploy.launcher import Launcher, NotReady
from deploy.redis_server import RedisServer
from worker.protocol.connection import connect

STAYS = "import signal, sys, time; signal.signal(signal.SIGTERM, lambda *_: (print('bye', flush=True), sys.exit(0)))\n"
FOREVER = "print('up', flush=True)\nwhile True: time.sleep(0.05)"
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"


def make(folder: Path, name: str, code: str, rank: int = 0) -> Child:
    command = [sys.executable, "-c", code]
    return Child(name, command, {**os.environ, "PYTHONUNBUFFERED": "1"}, folder / f"{name}.log", rank)


def wait_for(what: Callable[[], object], timeout_s: float = 20) -> None:
    deadline_s = time.monotonic() + timeout_s
    while not what():
        assert time.monotonic() < deadline_s, "waited too long"
        time.sleep(0.02)


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in ("Z", "X")


@pytest.fixture
def launcher() -> Iterator[Launcher]:
    said: list[str] = []
    launcher = Launcher(said.append)
    launcher.said = said  # type: ignore[attr-defined]
    with launcher.handling_signals():
        yield launcher


def test_a_child_that_dies_is_started_again(launcher: Launcher, tmp_path: Path) -> None:
    child = launcher.start(make(tmp_path, "one", STAYS + FOREVER))
    wait_for(lambda: "up" in child.log_path.read_text())
    first = child.process.pid  # type: ignore[union-attr]
    os.kill(first, signal.SIGKILL)

    def is_back() -> bool:
        launcher.look_after()
        return child.restarts == 1 and child.running

    wait_for(is_back)
    assert child.process.pid != first  # type: ignore[union-attr]
    words = " ".join(launcher.said)  # type: ignore[attr-defined]
    assert "one: ended (killed by SIGKILL)" in words


def test_who_ran_steadily_is_started_again_at_once_however_often(tmp_path: Path) -> None:
    """Back-off is for what can't start, not for what was killed."""
    child = make(tmp_path, "steady", STAYS + FOREVER)
    child.start()
    began_s = time.monotonic()
    for number in range(1, CRASHES):
        wait_for(lambda: child.log_path.read_text().count("up") == number)  # noqa: B023
        assert child.process
        child.process.kill()
        child.process.wait()
        words = child.look_after(began_s + number * (STEADY_S + 1))
        assert words == "steady: ended (killed by SIGKILL), starting it again at once"
        assert child.running
        child._started_s = began_s + number * (STEADY_S + 1)
    child.wait_or_kill(0)


def test_a_crash_loop_is_told_once_with_the_logs_end_and_tried_slowly(tmp_path: Path) -> None:
    child = make(tmp_path, "broken", "import sys; print('the reason is here'); sys.exit(3)")
    child.start()
    said, now_s = [], 1000.0
    for _ in range(20):
        if child.process and child.process.poll() is None:
            child.process.wait()
        words = child.look_after(now_s)
        said += [words] if words else []
        now_s += 1.0
    told = [words for words in said if "died 5 times" in words]
    assert len(told) == 1
    assert "the reason is here" in told[0]
    assert "exit code 3" in told[0]
    assert child.crash_looping
    assert child.restarts == 4
    assert child.look_after(now_s + SLOW_RETRY_S) == "broken: started again"
    child.wait_or_kill(5)


def test_children_stop_rank_by_rank(launcher: Launcher, tmp_path: Path) -> None:
    order = tmp_path / "order"
    code = textwrap.dedent("""
        import signal, sys, time
        def end(*_):
            with open({order!r}, "a") as file: file.write({name!r} + " ")
            sys.exit(0)
        signal.signal(signal.SIGTERM, end)
        print("up", flush=True)
        while True: time.sleep(0.05)
    """)
    for rank, name in ((3, "dashboard"), (1, "worker"), (0, "kiosk"), (2, "recorder")):
        launcher.start(make(tmp_path, name, code.format(order=str(order), name=name), rank))
    for child in launcher.children:
        wait_for(lambda child=child: "up" in child.log_path.read_text())  # type: ignore[misc]
    launcher.shut_down()
    assert order.read_text().split() == ["kiosk", "worker", "recorder", "dashboard"]


def test_one_that_ignores_sigterm_is_killed_with_its_own_children(
    launcher: Launcher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deploy.launcher.STOP_WAIT_S", 0.3)
    code = (
        f"import subprocess, sys; p = subprocess.Popen([sys.executable, '-c', {STUBBORN!r}]); print(p.pid)\n" + STUBBORN
    )
    child = launcher.start(make(tmp_path, "stubborn", code))
    wait_for(lambda: child.log_path.read_text().count("up") == 2)
    grandchild = int(next(line for line in child.log_path.read_text().split() if line.isdigit()))
    began_s = time.monotonic()
    launcher.shut_down()
    assert time.monotonic() - began_s < 5
    assert not child.running
    wait_for(lambda: not alive(grandchild))
    assert "was killed" in " ".join(launcher.said)  # type: ignore[attr-defined]


def test_not_ready_names_the_service_and_shows_its_log(launcher: Launcher, tmp_path: Path) -> None:
    child = launcher.start(make(tmp_path, "worker", "print('no model there', flush=True)\n" + STAYS + FOREVER))
    wait_for(lambda: "up" in child.log_path.read_text())
    with pytest.raises(NotReady, match=r"worker(.|\n)*no model there"):
        launcher.wait_until(lambda: ["worker"], 0.3)


def test_a_signal_ends_the_waiting(launcher: Launcher) -> None:
    os.kill(os.getpid(), signal.SIGTERM)
    assert launcher.wait_until(lambda: ["worker"], 30) is False
    launcher.run()


def test_a_redis_that_dies_comes_back_on_its_port_with_the_ledgers_data(launcher: Launcher, tmp_path: Path) -> None:
    server = launcher.start_redis(RedisServer("ledger", tmp_path / "ledger"))
    client = connect(server.url(), name="test")
    client.set("kept", "1")
    server.kill()
    launcher.look_after()
    assert client.get("kept") == b"1"
    client.close()
    launcher.shut_down()
    assert server.process is not None
    assert server.process.poll() is not None


def test_kill_9_of_the_launcher_leaves_nothing(tmp_path: Path) -> None:
    code = textwrap.dedent(f"""
        import os, sys, time
        from pathlib import Path
        from deploy.launcher import Launcher
        from deploy.redis_server import RedisServer
        from deploy.children import Child
        launcher, folder = Launcher(), Path({str(tmp_path)!r})
        server = launcher.start_redis(RedisServer("live", folder / "live"))
        child = launcher.start(Child("one", [sys.executable, "-c", {STAYS + FOREVER!r}], dict(os.environ), folder / "one.log"))
        print(server.process.pid, child.process.pid, flush=True)
        time.sleep(60)
    """)
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    pids = [int(pid) for pid in parent.stdout.readline().split()]
    assert len(pids) == 2
    wait_for(lambda: "up" in (tmp_path / "one.log").read_text())
    assert all(alive(pid) for pid in pids)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    wait_for(lambda: not any(alive(pid) for pid in pids))
