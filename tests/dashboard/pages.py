"""Fixtures for the tests of the pages (a pytest plugin): an app with a logged-in browser, on SQLite or on both databases."""

import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from dashboard import database
from dashboard.access import accounts
from dashboard.access.roles import FIRST_USER
from dashboard.app import create_app
from dashboard.settings import DashboardSettings
from tests.conftest import RedisPair
from tests.dashboard.site import MODEL, QUICK_HASHER, Browser, Site, add_user
from worker.protocol import keys
from worker.protocol.connection import connect
from worker.protocol.entries import EnrolReply, EnrolRequest, pack_fields
from worker.protocol.guided import Hint
from worker.protocol.outcomes import Outcome


def _site(settings: DashboardSettings) -> Iterator[Site]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(database, "upgrade", lambda _url: None)  # the fixtures' databases are up to date
        patch.setattr(accounts, "hasher", QUICK_HASHER)
        app = create_app(settings)
        app.testing = True
        site = Site(app, settings, app.extensions["attendance"].sessions)
        with site.sessions.begin() as session:
            add_user(session, "admin", FIRST_USER)
        yield site
        site.sessions.kw["bind"].dispose()


def _urls(pair: RedisPair) -> dict[str, Any]:
    return {"live_url": pair.live_server.url(), "ledger_url": pair.ledger_server.url()}


@pytest.fixture
def site(_migrated_sqlite: Path, tmp_path: Path, redis_pair: RedisPair) -> Iterator[Site]:
    shutil.copy(_migrated_sqlite, tmp_path / "attendance.db")
    yield from _site(
        DashboardSettings(
            home=tmp_path,
            time_zone="Asia/Jakarta",
            page_size=5,
            max_upload_mb=1,
            enrol_timeout_s=5,
            **_urls(redis_pair),
        )
    )


@pytest.fixture
def any_site(settings: DashboardSettings, redis_pair: RedisPair) -> Iterator[Site]:
    """The same on SQLite and on PostgreSQL, for pages whose queries matter."""
    yield from _site(settings.model_copy(update={**_urls(redis_pair), "page_size": 5}))


@pytest.fixture
def browser(site: Site) -> Browser:
    return site.browser()


@pytest.fixture
def worker(redis_pair: RedisPair) -> Iterator[Callable[..., list[EnrolRequest]]]:
    """worker(outcome, …) starts a worker that gives these verdicts in turn; returns the list of requests it saw.

    Frames of a guided enrolment get the `hint`.
    """
    stop, threads = threading.Event(), []

    def start(*outcomes: Outcome, similar: str | None = None, hint: Hint | None = None) -> list[EnrolRequest]:
        seen: list[EnrolRequest] = []

        def serve() -> None:
            live: Any = connect(redis_pair.live_server.url(), name="test-worker")
            after = "0"
            while not stop.is_set():
                for _, entries in live.xread({keys.requests("s0"): after}, block=50) or []:
                    for entry_id, fields in entries:
                        after = entry_id
                        request = EnrolRequest.from_fields(fields)
                        outcome = outcomes[len(seen) % len(outcomes)]
                        seen.append(request)
                        good = outcome in (Outcome.ENROLLED, Outcome.ALREADY_ENROLLED)
                        reply = EnrolReply(
                            request_id=request.request_id,
                            outcome=outcome,
                            model_id=MODEL,
                            template=bytes(4 * 128) if good else None,
                            similar_employee_id=similar if outcome is Outcome.ALREADY_ENROLLED else None,
                            similar_distance=4.5 if outcome is Outcome.ALREADY_ENROLLED else None,
                            hint=hint if request.pose else None,
                            score=0.75 if hint is Hint.GOOD and request.pose else None,
                        )
                        live.rpush(keys.reply("s0", request.request_id), pack_fields(reply.to_fields()))

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        threads.append(thread)
        return seen

    yield start
    stop.set()
    for thread in threads:
        thread.join(10)
