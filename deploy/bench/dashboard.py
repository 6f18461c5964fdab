"""`attendance bench dashboard`: the pages' server time and the exports' memory on a database of a large site's size."""

import json
import sys
import tempfile
import time
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from sqlalchemy import func, select

from dashboard.access.accounts import hasher
from dashboard.access.roles import Role
from dashboard.database import BadDatabase, SessionFactory, engine_for, now_ms, reading, session_factory, upgrade
from dashboard.models import Employee, User, UserRole
from dashboard.settings import DashboardSettings
from deploy import demo_home
from deploy.bench import dashboard_data, dashboard_pages, dashboard_plans, machine
from deploy.bench.dashboard_client import NAME, PASSWORD, Browser, highest_rss_mb, rss_mb
from deploy.bench.figures import percentiles
from deploy.errors import Problem
from deploy.launcher import Launcher, NotReady
from deploy.redis_server import NoRedis, free_port
from deploy.secret_store import Passwords
from deploy.site import Site

WARM_UP = 2
"""Rounds before those that count."""
TARGET_MS = 150
READY_S = 60.0


@dataclass(frozen=True)
class Options:
    """As on the command line; see deploy/bench_cli.py."""

    people: int = 10_000
    events: int = 5_000_000
    rounds: int = 30
    database_url: str | None = None
    home: Path | None = None
    plans: bool = False
    json: bool = False


def run(options: Options) -> int:
    """0 when every page's p95 is within TARGET_MS, 1 otherwise. Raises Problem where something is missing."""
    with (
        nullcontext(options.home) if options.home else tempfile.TemporaryDirectory(prefix="attendance-bench-") as folder
    ):
        home = Path(folder)
        home.mkdir(parents=True, exist_ok=True)
        try:
            figures = _measure(options, home, options.database_url or f"sqlite:///{home.resolve() / 'attendance.db'}")
        except (BadDatabase, NoRedis, NotReady) as error:
            raise Problem(str(error)) from None
    if options.json:
        print(json.dumps(figures), flush=True)
    else:
        _show(figures)
    return 0 if all(page["p95"] <= TARGET_MS for page in figures["pages_ms"].values()) else 1


def _say(words: str) -> None:
    print(f"bench: {words}", file=sys.stderr, flush=True)


def _measure(options: Options, home: Path, url: str) -> dict[str, Any]:
    upgrade(url)
    engine = engine_for(url)
    sessions = session_factory(engine)
    figures: dict[str, Any] = {**machine.describe("cpu"), "database": engine.dialect.name}
    figures |= _prepare(sessions, options)
    with reading(sessions) as session:
        pages, exports = dashboard_pages.pages(session), dashboard_pages.exports(session)
    engine.dispose()
    if options.plans:
        settings = DashboardSettings(
            home=home, database_url=url, redis_url="redis://127.0.0.1:1", time_zone=dashboard_data.ZONE.key
        )
        figures["plans"] = dashboard_plans.plans(settings, pages)
    return figures | _over_http(options, home, url, pages, exports)


def _prepare(sessions: SessionFactory, options: Options) -> dict[str, Any]:
    """A database with people in it is measured as it is; an empty one is filled. Our own user is added."""
    with sessions() as session:
        there = session.scalar(select(func.count()).select_from(Employee)) or 0
    figures: dict[str, Any] = {"people": there or options.people}
    engine: Any = sessions.kw["bind"]
    if there and not dashboard_data.whole(engine):
        raise Problem("the database was left half filled: delete it, or give another one")
    if not there:
        started = time.monotonic()
        dashboard_data.fill(engine, dashboard_data.Size(options.people, options.events), _say)
        figures |= {"events": options.events, "filled_s": round(time.monotonic() - started, 1)}
    with sessions.begin() as session:
        if session.scalar(select(User).where(User.name == NAME)) is None:
            user = User(name=NAME, password_hash=hasher.hash(PASSWORD), created_ms=now_ms())
            session.add(user)
            session.flush()
            session.add(UserRole(user_id=user.id, role=Role.HR))
    return figures


def _over_http(
    options: Options, home: Path, url: str, pages: dict[str, str], exports: dict[str, str]
) -> dict[str, Any]:
    launcher = Launcher(lambda words: None)
    site = Site(home=home, shard=demo_home.new_shard(), passwords=Passwords(), database_url=url)
    site.dashboard_port = free_port()
    with launcher.handling_signals():
        site.start_redis(launcher, [])
        settings = {"ATTENDANCE_DASHBOARD_TIME_ZONE": dashboard_data.ZONE.key}
        child = launcher.start(site.child("dashboard", settings=settings))
        if not launcher.wait_until(lambda: [] if site.dashboard_answers() else [child.name], READY_S):
            raise Problem("stopped before the dashboard was ready")
        assert child.process is not None
        browser = Browser(site.dashboard_url)
        browser.log_in()
        figures: dict[str, Any] = {"pages_ms": {}, "exports": {}}
        for name, path in pages.items():
            times = [browser.get_ms(path) for _ in range(WARM_UP + options.rounds)][WARM_UP:]
            figures["pages_ms"][name] = {**percentiles(times), "highest": round(max(times), 1)}
        for name, path in exports.items():
            before = rss_mb(child.process.pid)
            with highest_rss_mb(child.process.pid) as highest:
                first_s, all_s, size, lines = browser.download(path)
            figures["exports"][name] = {
                "first_byte_s": round(first_s, 2),
                "seconds": round(all_s, 2),
                "mb": round(size / 2**20, 2),
                "rows_per_s": round(max(0, lines - 1) / all_s) if path.split("?")[0].endswith(".csv") else None,
                "rss_before_mb": before,
                "rss_highest_mb": highest[0],
            }
    return figures


def _show(figures: dict[str, Any]) -> None:
    if "plans" in figures:
        print(dashboard_plans.markdown(figures["plans"]))
    console = Console(highlight=False)
    pages = Table("page", "p50, ms", "p95, ms", "p99, ms", title=f"{figures['people']:,} people, {figures['database']}")
    for name, row in figures["pages_ms"].items():
        late = "[red]" if row["p95"] > TARGET_MS else ""
        pages.add_row(name, str(row["p50"]), f"{late}{row['p95']}", str(row["p99"]))
    console.print(pages)
    exports = Table("export", "begins, s", "ends, s", "MB", "rows/s", "memory, MB", "highest, MB")
    for name, row in figures["exports"].items():
        exports.add_row(name, *("-" if value is None else str(value) for value in row.values()))
    console.print(exports)
