"""A site for the benchmark: real Redis servers and real worker processes in a throw-away home, one person enrolled."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dashboard.enrolling.worker_requests import ask_worker
from deploy import demo_home
from deploy.demo_scene import ENROLLED, ENROLLED_CODE, portrait_jpeg
from deploy.errors import Problem
from deploy.launcher import Launcher
from deploy.secret_store import Passwords
from deploy.site import Site
from worker.protocol import heartbeats, keys
from worker.protocol.connection import Client
from worker.protocol.entries import GALLERY_VERSION_FIELD, GalleryChange, GalleryPerson, as_any

READY_S = 180.0


@dataclass(frozen=True)
class BenchSite:
    live_url: str
    shard: str
    recogniser: str
    model_id: str


@contextmanager
def running(home: Path, threads: int, device: str, workers: int = 1) -> Iterator[BenchSite]:
    """Started, ready and with the demo's person enrolled; stopped at the end. Raises NotReady, NoRedis, Problem.

    `threads` are those of each worker.
    """
    launcher = Launcher(lambda words: None)
    site = Site(home=home, shard=demo_home.new_shard(), passwords=Passwords())
    with launcher.handling_signals():
        site.start_redis(launcher, [])
        live, ledger = site.admin("live"), site.admin("ledger")
        for number in range(1, workers + 1):
            settings = {
                "ATTENDANCE_WORKER_NAME": f"bench-{number}",
                "ATTENDANCE_WORKER_THREADS": str(threads),
                "ATTENDANCE_WORKER_DEVICE": device,
            }
            launcher.start(site.child("worker", str(number), settings))

        def beats() -> list[dict[str, Any]]:
            return [one.data for one in heartbeats.read(live, site.shard, "worker")]

        def wait(true: Callable[[dict[str, Any]], bool]) -> None:
            """Until it is true of every worker."""
            if not launcher.wait_until(lambda: [] if sum(map(true, beats())) == workers else ["worker"], READY_S):
                raise Problem("stopped before everything was ready")

        wait(bool)
        data = beats()[0]
        model_id = str(data["model_id"])
        _publish(ledger, site.shard, model_id, 1)  # an empty gallery, so that the worker answers enrolments
        wait(lambda beat: bool(beat.get("ready")))
        reply = ask_worker(live, site.shard, portrait_jpeg(ENROLLED), None, 30)
        if reply.template is None:
            raise Problem(f"the demo's person could not be enrolled: {reply.outcome} {reply.reason or ''}")
        person = GalleryPerson(employee_id=ENROLLED_CODE, name=ENROLLED, templates=[reply.template])
        _publish(ledger, site.shard, model_id, 2, person)
        wait(lambda beat: beat.get("gallery_size") == 1)
        yield BenchSite(site.urls["live"], site.shard, str(data["recogniser"]), model_id)


def _publish(ledger: Client, shard: str, model_id: str, version: int, person: GalleryPerson | None = None) -> None:
    """As the dashboard's publisher does it: the hash, its version and the log in one transaction."""
    pipe = ledger.pipeline(transaction=True)
    if person is not None:
        pipe.hset(keys.gallery(shard, model_id), person.employee_id, person.model_dump_json())
    change = GalleryChange(version=version, op="reset", model_id=model_id)
    pipe.hset(keys.gallery(shard, model_id), GALLERY_VERSION_FIELD, version)
    pipe.xadd(keys.gallery_log(shard), as_any(change.to_fields()), id=f"{version}-0")
    pipe.execute()
