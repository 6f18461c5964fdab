"""`attendance demo`: the whole product in a throw-away home, with a played scene or one's own people and cameras."""

import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from dashboard.access.accounts import ensure_admin
from dashboard.database import SessionFactory, engine_for, session_factory, upgrade
from dashboard.settings import DashboardSettings
from deploy import demo_home, demo_scene
from deploy.demo_events import EventLines
from deploy.demo_results import Beats, read_records, recorded_strangers, to_json, what_went_wrong
from deploy.demo_sources import Source, choose_sources
from deploy.enrol_folder import Plan
from deploy.enroll import enrol_with_bar, plan_for, show_report
from deploy.errors import Problem, settings_from
from deploy.launcher import Launcher, NotReady
from deploy.redis_server import NoRedis
from deploy.secret_store import RUNNING, Passwords, load_site_keys, write_private
from deploy.site import Site, port_is_free
from deploy.up import given_urls, running
from worker.protocol import keys
from worker.protocol.connection import FAILURES, Client
from worker.protocol.settings import CommonSettings

DRAIN_S = 20.0
"""How long the recorder may take for what is left once the worker has stopped."""
LOOK_EVERY_S = 0.5
DASHBOARD_PORT, SCREEN_PORT = 8000, 8010
READY_S = 180.0


@dataclass(frozen=True)
class DemoOptions:
    """As on the command line; see deploy/cli.py."""

    enroll: Path | None = None
    sources: tuple[str, ...] = ()
    stagger_s: float = 0.0
    fps: float = 2.0
    headless: bool = False
    json: bool = False
    seconds: float | None = None
    keep: Path | None = None


def run(options: DemoOptions) -> int:
    """0 when it ran to its end and, where the truth is known, was right. Raises Problem when it can't begin."""
    plan = plan_for(options.enroll) if options.enroll else None
    sources = choose_sources(options.sources, options.headless)
    if sources == [] and (options.seconds or 0) > demo_scene.MAX_LENGTH_S:
        raise Problem(f"--seconds {options.seconds:g}: the scene lasts {demo_scene.MAX_LENGTH_S:.0f} s at most")
    demo_home.remove_abandoned()
    with demo_home.fresh(options.keep) as home:
        run = Demo(options, home.path, plan, sources)
        code = run.run()
        if code == 0 or options.keep:
            return code
        if options.headless:
            home.keep = True
            print(f"logs are in {home.path / 'logs'}; delete {home.path} when you have read them", file=sys.stderr)
        return code


class Demo:
    """One run in `home`. An empty list of sources stands for the scene."""

    def __init__(self, options: DemoOptions, home: Path, plan: Plan | None, sources: list[Source]) -> None:
        self.options, self.home, self.plan, self.sources = options, home, plan, sources
        self.console = Console(stderr=True, highlight=False)
        self.launcher = Launcher(self.say)
        self.beats = Beats()
        self.start_file = home / "start"
        self.scene: demo_scene.Scene | None = None
        self.given_urls = given_urls(settings_from(CommonSettings))
        self.site = Site(
            home=home,
            shard=demo_home.new_shard(),
            passwords=Passwords(),
            urls=dict(self.given_urls),
            dashboard_port=self._port(DASHBOARD_PORT, "the dashboard"),
            ready_timeout_s=READY_S,
            database_url=f"sqlite:///{home / 'attendance.db'}",
            site_keys=load_site_keys(home),
        )
        self.settings: DashboardSettings = settings_from(
            DashboardSettings, home=home, shard=self.site.shard, database_url=self.site.database_url
        )

    def say(self, words: str) -> None:
        """To people: standard output belongs to the JSON when one is asked for."""
        print(words, file=sys.stderr if self.options.json else sys.stdout, flush=True)

    def run(self) -> int:
        upgrade(self.settings.database)
        engine = engine_for(self.settings.database)
        sessions = session_factory(engine)
        try:
            with self.launcher.handling_signals():
                return self._run(sessions)
        except (NotReady, NoRedis) as error:
            print(error, file=sys.stderr)
            return 1
        finally:
            engine.dispose()

    def _run(self, sessions: SessionFactory) -> int:
        self._start_services()
        live = self.site.admin("live")
        try:
            if not self._get_ready(live, sessions):
                return self._stopped_early()
            if not self.options.headless:
                self._announce(sessions)
            finished = self._play(live, sessions)
            result = self._finish(live, sessions)
        finally:
            if self.given_urls:
                self.launcher.stop_children()
                demo_home.delete_keys([live, self.site.admin("ledger")], self.site.shard)
            live.close()
        return self._report(result, finished)

    # --- before ----------------------------------------------------------------------------------------------------

    def _start_services(self) -> None:
        self.say("starting; this takes about half a minute")
        if not self.given_urls:
            self.site.start_redis(self.launcher, self._kiosk_names())
            write_private(self.home / RUNNING, running(self.site))
        self.launcher.start(self.site.child("worker", settings={"ATTENDANCE_WORKER_NAME": "worker-1"}))
        self.launcher.start(self.site.child("recorder"))
        self.launcher.start(self.site.child("dashboard"))
        if not self.sources:
            length_s = max(demo_scene.LOOP_S, (self.options.seconds or 0) + 5 if self.options.headless else 0)
            self.scene = demo_scene.render(self.home / "scene.avi", length_s)
            self.sources = [Source(str(self.scene.path), "scene")]
        self.screens: dict[str, str] = {}
        for number, (name, source) in enumerate(zip(self._kiosk_names(), self.sources, strict=True)):
            port = self._port(SCREEN_PORT + number, f"the screen of {name}")
            self.screens[name] = f"http://127.0.0.1:{port}/"
            environment = {
                "ATTENDANCE_KIOSK_SOURCE": source.opened,
                "ATTENDANCE_KIOSK_SCREEN_PORT": str(port),
                "ATTENDANCE_KIOSK_SCREEN_HOST": "127.0.0.1",
                "ATTENDANCE_KIOSK_FOLDER_FPS": str(self.options.fps),
                "ATTENDANCE_KIOSK_START_FILE": str(self.start_file),
                "ATTENDANCE_KIOSK_START_DELAY_S": str(number * self.options.stagger_s),
            }
            self.launcher.start(self.site.child("kiosk", name, environment))

    def _kiosk_names(self) -> list[str]:
        return [f"door-{number}" for number in range(1, max(1, len(self.sources)) + 1)]

    def _port(self, wanted: int, what: str) -> int:
        """The wanted port, or the next free one."""
        taken = {int(url.rsplit(":", 1)[1].strip("/")) for url in getattr(self, "screens", {}).values()}
        port = next(p for p in range(wanted, 65_536) if p not in taken and port_is_free(p))
        if port != wanted and not self.options.headless:
            self.say(f"port {wanted} is in use; {what} is at {port}")
        return port

    def _get_ready(self, live: Client, sessions: SessionFactory) -> bool:
        """Everything answers, everybody is enrolled, and the worker knows them. False when asked to stop."""
        if not self.launcher.wait_until(lambda: self.site.not_ready(self.launcher, live), READY_S):
            return False
        plan = self.plan or plan_for(demo_home.write_demo_people(self.home / "people"))
        if self.plan is not None:
            self.say("--enroll: you confirm that these people have agreed; what is stored is deleted at the end")
        settings = self.settings.model_copy(update={"live_url": self.site.user_urls("dashboard")["live"]})
        client = self.site.user_client("dashboard", "live")
        try:
            reports = enrol_with_bar(plan, sessions, client, settings, self.console, lambda: self.launcher.stopping)
        finally:
            client.close()
        enrolled = sum(report.has_template for report in reports)
        if self.plan is not None or enrolled < len(reports):
            show_report(plan, reports, self.console)
        if self.launcher.stopping:
            return False
        if not enrolled:
            raise NotReady("nobody could be enrolled")
        return self.launcher.wait_until(lambda: self._not_loaded(live, enrolled), 30)

    def _not_loaded(self, live: Client, people: int) -> list[str]:
        beats = Beats()
        beats.look(live, self.site.shard)
        return (
            []
            if any((data.get("gallery_size") or 0) >= people for data in beats.of("worker"))
            else ["recorder", "worker"]
        )

    def _announce(self, sessions: SessionFactory) -> None:
        from worker.recogniser import describe
        from worker.settings import WorkerSettings

        with sessions.begin() as session:
            password = ensure_admin(session)
        model = describe(settings_from(WorkerSettings))
        self.say(f"\nrecogniser:  {model['words']} ({model['model_id']})")
        self.say(f"dashboard:   {self.site.dashboard_url}/   log in as admin with the one-time password {password}")
        for name, url in self.screens.items():
            self.say(f"{name}:      {url}   the kiosk's screen")
        if not self.given_urls:
            self.say(f"commands:    ATTENDANCE_HOME={self.home} ATTENDANCE_SHARD={self.site.shard} attendance status")
        self.say("\neverything is running; Ctrl-C stops it\n")

    # --- while it runs ---------------------------------------------------------------------------------------------

    def _play(self, live: Client, sessions: SessionFactory) -> bool:
        """Let the sources begin and run for `--seconds`. False when asked to stop before."""
        lines = EventLines(live, self.site.shard, sessions)
        self.start_file.touch()
        began_s = looked_s = time.monotonic()

        def done() -> bool:
            nonlocal looked_s
            now_s = time.monotonic()
            if now_s - looked_s >= LOOK_EVERY_S:
                looked_s = now_s
                self.beats.look(live, self.site.shard)
                for line in lines.new():
                    self.say(line)
            return self.options.seconds is not None and now_s - began_s >= self.options.seconds

        self.launcher.run(done)
        return self.options.seconds is None or not self.launcher.stopping

    # --- after -----------------------------------------------------------------------------------------------------

    def _finish(self, live: Client, sessions: SessionFactory) -> dict[str, Any]:
        """Stop kiosks, then the worker (which writes down who is still there), wait for the recorder, and read."""
        for role in ("kiosk", "worker"):
            self.launcher.stop_children(lambda child, role=role: child.name.startswith(role))  # type: ignore[misc]
            self.beats.look(live, self.site.shard)
        ledger = self.site.admin("ledger")
        deadline_s = time.monotonic() + DRAIN_S
        while time.monotonic() < deadline_s and self._waiting(ledger):
            self.launcher.look_after()
            time.sleep(0.1)
        ledger.close()
        names = self._kiosk_names()
        records, unknown = read_records(
            sessions, {n: source.given for n, source in zip(names, self.sources, strict=True)}
        )
        strangers = None
        if self.scene is not None and self.plan is None:
            strangers = recorded_strangers(records, self.scene, self.beats.source_starts_ms)
        return to_json(self.beats, records, unknown, strangers)

    def _waiting(self, ledger: Client) -> bool:
        try:
            return bool(ledger.xlen(keys.decisions(self.site.shard)))
        except FAILURES:
            return True

    def _report(self, result: dict[str, Any], finished: bool) -> int:
        if self.options.json:
            print(json.dumps(result), flush=True)
        wrong = None if finished else "stopped before its end"
        if finished and self.options.headless and result["strangers_recorded"] is not None:
            wrong = what_went_wrong(result)
        if wrong is None or not self.options.headless:
            return 0
        print(f"demo: {wrong}", file=sys.stderr)
        return 1

    def _stopped_early(self) -> int:
        self.say("stopped before everything was ready")
        return 1 if self.options.headless else 0
