"""A real worker process that reads markers instead of faces: `python -m tests.chaos.marker_worker`."""

import signal

from deploy import logs
from deploy.errors import settings_from
from tests.chaos.marker_engine import MarkerEngine
from worker.main import Worker
from worker.settings import WorkerSettings


def main() -> None:
    logs.set_up("worker")
    settings = settings_from(WorkerSettings)
    worker = Worker(settings, MarkerEngine(settings))
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: worker.stop())
    worker.run()


if __name__ == "__main__":
    main()
