"""A site on one machine: which services it has, each with its own Redis user, and when they are ready."""

import os
import socket
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from deploy import acl
from deploy.children import Child
from deploy.errors import Problem, hide_passwords
from deploy.launcher import Launcher
from deploy.redis_server import RedisServer, find_server, server_version
from worker.protocol import heartbeats
from worker.protocol.connection import FAILURES, Client, connect

ROLES = ("live", "ledger")
STOP_ORDER = {"kiosk": 0, "worker": 1, "recorder": 2, "deliverer": 3, "dashboard": 4}
SINGLE_SERVICES = ("worker", "recorder", "dashboard")
COMMANDS = {"deliverer": ("webhooks", "deliver")}
"""Of services that aren't called as their command is."""
REDIS_USERS = {"deliverer": "dashboard"}
"""The deliverer sees the signs of life that the dashboard sees, and writes nothing."""
FOR_DELIVERER = "ATTENDANCE_FRAPPE_"
"""Credentials of other systems, which reach no other service."""
NOT_FOR_CHILDREN = (
    *("ATTENDANCE_REDIS_URL", "ATTENDANCE_LIVE_URL", "ATTENDANCE_LEDGER_URL"),
    *("ATTENDANCE_KIOSKS", "ATTENDANCE_WORKERS"),
    *("ATTENDANCE_SITE_PUBLIC_KEY", "ATTENDANCE_SITE_PRIVATE_KEY"),
)
"""A service gets its own user's URLs and its own half of the site's keys; the administrator's and others' never reach it.
What is to be started is ours to know."""


@dataclass
class Site:
    """`passwords` are those of the Redis users by name; `urls` of a Redis that runs already, by role, or empty."""

    home: Path
    shard: str
    passwords: Mapping[str, str]
    urls: dict[str, str] = field(default_factory=dict)
    dashboard_host: str = "127.0.0.1"
    dashboard_port: int = 8000
    ready_timeout_s: float = 120
    database_url: str | None = None
    started_redis: bool = False
    site_keys: tuple[str, str] | None = None
    """Public for kiosks, private for workers."""

    def user_urls(self, user: str) -> dict[str, str]:
        """Role → URL with that user's name and password; for a Redis that isn't ours, the URL as given."""
        if not self.started_redis:
            return self.urls
        return {role: _with_user(self.urls[role], user, self.passwords[user]) for role in ROLES}

    def start_redis(self, launcher: Launcher, kiosks: list[str], ports: Mapping[str, int] | None = None) -> None:
        """Start both roles with one user a service; raises NoRedis."""
        program, _ = find_server()
        version = server_version(program)
        grants = acl.site_users([self.shard], dict.fromkeys(kiosks, self.shard))
        for role in ROLES:
            server = RedisServer(
                role, self.home / "redis" / role, program=program, admin_password=self.passwords["admin"]
            )
            if ports is not None:
                server.port = ports[role]
            server.acl = [acl.user_line(u, self.passwords[u], g[role], version) for u, g in grants.items()]
            launcher.start_redis(server)
            self.urls[role] = server.url()
        self.started_redis = True

    def admin(self, role: str) -> Client:
        """A client with every right, for the launcher's own eyes."""
        return connect(self.urls[role], name="launcher")

    def user_client(self, user: str, role: str) -> Client:
        return connect(self.user_urls(user)[role], name=user)

    # --- services --------------------------------------------------------------------------------------------------

    def child(self, role: str, name: str = "", settings: Mapping[str, str] | None = None) -> Child:
        """A service as a child process. `settings` are further environment variables."""
        urls = self.user_urls(f"kiosk-{name}" if role == "kiosk" else REDIS_USERS.get(role, role))
        environment = {
            key: value
            for key, value in os.environ.items()
            if key not in NOT_FOR_CHILDREN and (role == "deliverer" or not key.startswith(FOR_DELIVERER))
        }
        environment |= {
            "ATTENDANCE_HOME": str(self.home.resolve()),
            "ATTENDANCE_SHARD": self.shard,
            "ATTENDANCE_LIVE_URL": urls["live"],
            "ATTENDANCE_LEDGER_URL": urls["ledger"],
            "PYTHONUNBUFFERED": "1",
            **(settings or {}),
        }
        if self.database_url:
            environment["ATTENDANCE_DATABASE_URL"] = self.database_url
        if role == "kiosk":
            environment["ATTENDANCE_KIOSK_NAME"] = name
        if self.site_keys is not None and role == "kiosk":
            environment["ATTENDANCE_SITE_PUBLIC_KEY"] = self.site_keys[0]
        if self.site_keys is not None and role == "worker":
            environment["ATTENDANCE_SITE_PRIVATE_KEY"] = self.site_keys[1]
        if role == "dashboard":
            environment["ATTENDANCE_DASHBOARD_HOST"] = self.dashboard_host
            environment["ATTENDANCE_DASHBOARD_PORT"] = str(self.dashboard_port)
        title = f"{role}-{name}" if name else role
        return Child(
            name=title,
            command=[sys.executable, "-m", "deploy.cli", *COMMANDS.get(role, (role,))],
            environment=environment,
            log_path=self.home / "logs" / f"{title}.log",
            rank=STOP_ORDER[role],
        )

    def not_ready(self, launcher: Launcher, live: Client) -> list[str]:
        """Names of the services that don't show a sign of life yet. The process id tells ours from others'."""
        try:
            beats = {beat.pid: beat for beat in heartbeats.read(live, self.shard)}
        except FAILURES:
            beats = {}
        missing = []
        for child in launcher.children:
            if child.name == "dashboard":
                if not self.dashboard_answers():
                    missing.append(child.name)
                continue
            if child.name == "deliverer":  # it writes nothing to Redis, so its process is its sign of life
                if not child.running:
                    missing.append(child.name)
                continue
            beat = beats.get(child.process.pid) if child.process else None
            if beat is None or not beat.data.get("ready", True):
                missing.append(child.name)
        return missing

    def dashboard_answers(self) -> bool:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(f"{self.dashboard_url}/healthz", timeout=2) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    @property
    def dashboard_url(self) -> str:
        host = "127.0.0.1" if self.dashboard_host in ("0.0.0.0", "::") else self.dashboard_host
        return f"http://{host}:{self.dashboard_port}"


def _with_user(url: str, user: str, password: str) -> str:
    scheme, rest = url.split("://", 1)
    return f"{scheme}://{user}:{password}@{rest.rsplit('@', 1)[-1]}"


def port_is_free(port: int, host: str = "127.0.0.1") -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a port in TIME_WAIT can be had
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def require_port(port: int, variable: str, what: str, host: str = "127.0.0.1") -> None:
    """Raise Problem unless `port` can be listened on."""
    if not port_is_free(port, host):
        raise Problem(f"port {port} for {what} is in use: stop what listens there, or set {variable} to another port")


def require_redis(url: str, variable: str) -> None:
    """Raise Problem, without the password, unless a Redis answers at `url`."""
    import redis

    try:
        client = connect(url, name="launcher")
        client.ping()
        client.close()
    except (redis.exceptions.RedisError, OSError, ValueError) as error:
        raise Problem(hide_passwords(f"{variable}={url}: no Redis answers there ({error})")) from None
