"""Several worker processes on one machine: the cores are shared out, and each process has a name and a port of its own."""

import os
import sys
from collections.abc import Mapping

from deploy.children import Child
from deploy.launcher import Launcher
from worker.settings import WorkerSettings


def environments(settings: WorkerSettings, count: int, name: str, cores: int | None = None) -> list[dict[str, str]]:
    """What each of `count` workers has of its own. Threads that were set hold for each; else the cores are shared out.

    Metrics ports follow one another from the one that was set.
    """
    threads = settings.threads or max(1, (cores or os.cpu_count() or 1) // count)
    return [
        {
            "ATTENDANCE_WORKER_NAME": f"{name[:60]}-{number}" if count > 1 else name,
            "ATTENDANCE_WORKER_THREADS": str(threads),
            **(
                {"ATTENDANCE_WORKER_METRICS_PORT": str(settings.metrics_port + number - 1)}
                if settings.metrics_port
                else {}
            ),
        }
        for number in range(1, count + 1)
    ]


def run(settings: WorkerSettings, count: int, options: Mapping[str, str]) -> int:
    """Run `count` workers until SIGTERM or SIGINT, starting again what dies. `options` are variables of the command line."""
    launcher = Launcher()
    with launcher.handling_signals():
        for number, own in enumerate(environments(settings, count, settings.name), 1):
            environment = {**os.environ, **options, **own, "PYTHONUNBUFFERED": "1"}
            command = [sys.executable, "-m", "deploy.cli", "worker", "--count", "1"]
            log_path = settings.home / "logs" / f"worker-{number}.log"
            launcher.start(Child(f"worker-{number}", command, environment, log_path))
        print(f"{count} workers; their logs are in {settings.home / 'logs'}", file=sys.stderr, flush=True)
        launcher.run()
    return 0
