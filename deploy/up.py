"""`attendance up`: all services of one machine from one configuration, with a home that stays."""

import contextlib
import os
import sys

import redis
from sqlalchemy.exc import SQLAlchemyError

from dashboard.access.accounts import ensure_admin
from dashboard.database import BadDatabase, engine_for, session_factory, upgrade
from dashboard.settings import DashboardSettings
from deploy.errors import Problem, hide_passwords, settings_from
from deploy.launcher import Launcher, NotReady
from deploy.operator import USER as OPERATOR
from deploy.redis_server import NoRedis
from deploy.secret_store import RUNNING, load_passwords, load_site_keys, only_one, write_private
from deploy.settings import DeploySettings
from deploy.site import SINGLE_SERVICES, Site, require_port, require_redis
from deploy.workers import environments
from kiosk.settings import KioskSettings
from worker.protocol.settings import CommonSettings
from worker.settings import WorkerSettings


def run(settings: DeploySettings) -> int:
    """Run until Ctrl-C or SIGTERM; 0 when stopped as asked, 1 when something didn't get ready. Raises Problem."""
    shown: DashboardSettings = settings_from(DashboardSettings, home=settings.home)
    home = settings.home
    users = ["admin", OPERATOR, *SINGLE_SERVICES, *(f"kiosk-{name}" for name in settings.kiosks)]
    with only_one(home):
        site = Site(
            home=home,
            shard=settings.shard,
            passwords=load_passwords(home, users),
            dashboard_host=shown.host,
            dashboard_port=shown.port,
            ready_timeout_s=settings.ready_timeout_s,
            database_url=shown.database_url,
            site_keys=load_site_keys(home),
        )
        _require_ports(settings, shown)
        _prepare_database(shown)
        launcher = Launcher()
        with launcher.handling_signals():
            try:
                return _serve(launcher, site, settings, shown)
            except (NotReady, NoRedis) as error:
                print(error, file=sys.stderr)
                return 1
            finally:
                with contextlib.suppress(FileNotFoundError):
                    (home / RUNNING).unlink()


def running(site: Site) -> dict[str, object]:
    """What other commands of this machine need to reach the site: see secret_store.running_urls."""
    return {"pid": os.getpid(), **site.urls, OPERATOR: site.user_urls(OPERATOR)}


def _require_ports(settings: DeploySettings, shown: DashboardSettings) -> None:
    require_port(shown.port, "ATTENDANCE_DASHBOARD_PORT", "the dashboard", shown.host)
    for number, name in enumerate(settings.kiosks):
        port = settings.kiosk_screen_base_port + number
        require_port(port, "ATTENDANCE_KIOSK_SCREEN_BASE_PORT", f"the screen of {name}")


def _prepare_database(shown: DashboardSettings) -> None:
    """Bring the schema up to date before anything needs it; raises Problem."""
    try:
        upgrade(shown.database)
    except BadDatabase as error:
        raise Problem(hide_passwords(str(error))) from None
    except SQLAlchemyError as error:
        raise Problem(hide_passwords(f"the database can't be used: {str(error).splitlines()[0]}")) from None


def first_password(url: str) -> str | None:
    """The first user's one-time password when they were made just now."""
    engine = engine_for(url)
    try:
        with session_factory(engine).begin() as session:
            return ensure_admin(session)
    finally:
        engine.dispose()


def given_urls(settings: CommonSettings) -> dict[str, str]:
    """URLs of a Redis that the site has already; empty when it has none. Raises Problem when one doesn't answer."""
    if settings.redis_url is None and settings.live_url is None and settings.ledger_url is None:
        return {}
    urls = {}
    for role in ("live", "ledger"):
        try:
            urls[role] = settings.url(role)
        except ValueError as error:
            raise Problem(str(error)) from None
        variable = f"ATTENDANCE_{role.upper()}_URL" if getattr(settings, f"{role}_url") else "ATTENDANCE_REDIS_URL"
        require_redis(urls[role], variable)
    return urls


def _serve(launcher: Launcher, site: Site, settings: DeploySettings, shown: DashboardSettings) -> int:
    site.urls = given_urls(settings)
    if not site.urls:
        ports = {"live": settings.redis_base_port, "ledger": settings.redis_base_port + 1}
        for role, port in ports.items():
            require_port(port, "ATTENDANCE_REDIS_BASE_PORT", f"the {role} Redis")
        site.start_redis(launcher, list(settings.kiosks), ports)
    write_private(site.home / RUNNING, running(site))
    of_workers = environments(settings_from(WorkerSettings), settings.workers, f"worker-{os.uname().nodename[:40]}")
    for number, environment in enumerate(of_workers, 1):
        launcher.start(site.child("worker", str(number) if settings.workers > 1 else "", environment))
    for role in ("recorder", "deliverer", "dashboard"):
        launcher.start(site.child(role))
    print(f"starting in {site.home.resolve()}; logs are in {site.home / 'logs'}", flush=True)
    screens = {}
    kiosk_metrics_port = settings_from(KioskSettings).metrics_port
    for number, (name, source) in enumerate(settings.kiosks.items()):
        port = settings.kiosk_screen_base_port + number
        screens[name] = f"http://127.0.0.1:{port}/"
        kiosk = {"ATTENDANCE_KIOSK_SOURCE": source, "ATTENDANCE_KIOSK_SCREEN_PORT": str(port)}
        if kiosk_metrics_port:
            kiosk["ATTENDANCE_KIOSK_METRICS_PORT"] = str(kiosk_metrics_port + number)
        launcher.start(site.child("kiosk", name, kiosk))
    live = site.admin("live")
    try:
        ready = launcher.wait_until(lambda: site.not_ready(launcher, live), site.ready_timeout_s)
    except redis.exceptions.AuthenticationError as error:
        raise Problem(f"Redis refuses the password: {error}") from None
    finally:
        live.close()
    if ready:
        _announce(site, screens, first_password(shown.database))
        launcher.run()
    print("stopping", flush=True)
    return 0


def _announce(site: Site, screens: dict[str, str], password: str | None) -> None:
    print(f"dashboard:  {site.dashboard_url}/")
    for name, url in screens.items():
        print(f"kiosk {name}:  {url}")
    if password:
        print(f"first log-in:  admin / {password}   (shown this once; you choose your own at the first log-in)")
    print("everything is running; Ctrl-C stops it", flush=True)
