"""Settings of the dashboard and its recorder (environment prefix `ATTENDANCE_DASHBOARD_`)."""

import os
import secrets
from functools import cached_property
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import tzlocal
from pydantic import Field, field_validator
from pydantic_settings import NoDecode, SettingsConfigDict

from dashboard.access.roles import Role, parse
from dashboard.recording.attendance_rules import known_zone
from worker.protocol.settings import N_, CommonSettings


class DashboardSettings(CommonSettings):
    model_config = SettingsConfigDict(env_prefix="ATTENDANCE_DASHBOARD_")

    database_url: str | None = Field(
        default=None,
        validation_alias="ATTENDANCE_DATABASE_URL",
        description=N_("SQLAlchemy URL (postgresql+psycopg://… or sqlite:///…); SQLite in `home` unless set"),
    )
    time_zone: str | None = Field(
        default=None, description=N_("the site's, such as Asia/Jakarta; the machine's unless set")
    )
    presence_gap_s: float = Field(
        default=60,
        ge=0,
        le=3_600,
        description=N_(
            "whoever is recognised at one kiosk again within this time is kept as repeated, not as another punch"
        ),
    )
    fpir: float = Field(
        default=1e-3,
        ge=1e-6,
        le=0.05,
        validation_alias="ATTENDANCE_FPIR",
        description=N_("wanted chance that a stranger's presence is accepted as anybody; shown, the worker applies it"),
    )
    host: str = Field(
        default="127.0.0.1", min_length=1, max_length=255, description=N_("address the dashboard listens on")
    )
    port: int = Field(
        default=8000, ge=0, le=65_535, description=N_("port that the dashboard listens on; 0 takes any free one")
    )
    metrics_port: int = Field(
        default=0, ge=0, le=65_000, description=N_("Prometheus metrics at /metrics; the recorder's; 0: none")
    )
    metrics_host: str = Field(
        default="127.0.0.1", min_length=1, max_length=255, description=N_("address the metrics listen on")
    )
    secret_key: str | None = Field(
        default=None,
        min_length=32,
        max_length=1_000,
        description=N_("signs sessions; made once in `home` unless set"),
        repr=False,
    )
    secure_cookie: bool = Field(
        default=False, description=N_("send the session's cookie over HTTPS only; set it behind TLS")
    )
    session_hours: float = Field(
        default=12, ge=0.25, le=720, description=N_("a login ends so many hours after it began, whatever happens")
    )
    session_idle_minutes: float = Field(
        default=120, ge=5, le=43_200, description=N_("a login ends after so many minutes without a page being opened")
    )
    require_second_factor: str = Field(
        default="off",
        max_length=100,
        description=N_("roles that must set up a second factor, with commas between, such as hr,operator; or off"),
    )
    page_size: int = Field(
        default=50, ge=5, le=500, description=N_("rows on one page of a list: records, people, the audit trail")
    )
    max_upload_mb: int = Field(
        default=25, ge=1, le=100, description=N_("largest upload, all pictures of a form together")
    )
    max_pictures: int = Field(default=5, ge=1, le=20, description=N_("enrolment pictures kept of one employee"))
    reenrol_months: int = Field(
        default=24,
        ge=0,
        le=120,
        description=N_(
            "people whose newest enrolment picture is older are named as due to be enrolled again; 0: nobody"
        ),
    )
    picture_days: int = Field(
        default=0,
        ge=0,
        le=365,
        description=N_(
            "how long the face crop of a record is kept; 0: not at all; ATTENDANCE_WORKER_KEEP_SNAPSHOTS sends it"
        ),
    )
    api_requests_per_minute: int = Field(
        default=600, ge=10, le=100_000, description=N_("requests that one API key may send a minute")
    )
    private_targets: Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode] = Field(
        default=(),
        max_length=32,
        description=N_(
            "private networks that webhooks may lead to, with commas between: 10.20.0.0/16; http is allowed there too"
        ),
    )
    enrol_timeout_s: float = Field(default=20, ge=1, le=120, description=N_("how long an enrolment waits for a worker"))

    @field_validator("time_zone")
    @classmethod
    def _zone_exists(cls, name: str | None) -> str | None:
        if name is not None and known_zone(name) is None:
            raise ValueError(f"time zone {name!r}: not known; use a name such as Asia/Jakarta or UTC")
        return name

    @field_validator("require_second_factor")
    @classmethod
    def _roles_exist(cls, text: str) -> str:
        if text.strip().lower() != "off" and not parse(text):
            raise ValueError(f"{text!r}: name roles, with commas between, or write off")
        return text

    @property
    def second_factor_roles(self) -> frozenset[Role]:
        """The roles that don't get in by a password alone."""
        return frozenset() if self.require_second_factor.strip().lower() == "off" else parse(self.require_second_factor)

    @field_validator("private_targets", mode="before")
    @classmethod
    def _split_networks(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        return tuple(part.strip() for part in value.split(",") if part.strip())

    @property
    def database(self) -> str:
        """The database's URL: the one set, or SQLite in `home` (which is made)."""
        if self.database_url:
            return self.database_url
        self.home.mkdir(parents=True, exist_ok=True)
        return f"sqlite:///{self.home.resolve() / 'attendance.db'}"

    @cached_property
    def zone(self) -> ZoneInfo:
        """The site's time zone."""
        return ZoneInfo(self.time_zone or tzlocal.get_localzone_name() or "UTC")

    @cached_property
    def session_key(self) -> str:
        """The key that signs sessions; the same for all processes that share `home`."""
        return self.secret_key or kept_secret(self.home / "secret_key")


def kept_secret(path: Path) -> str:
    """The secret in `path`, made at the first call. Safe between processes: a whole file is linked into place, once."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}-{secrets.token_hex(8)}")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(48))
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:
            pass  # another process was first; its secret holds
        finally:
            draft.unlink()
    secret = path.read_text().strip()
    if len(secret) < 32:
        raise ValueError(
            f"{path}: holds {len(secret)} characters, at least 32 are needed; delete the file to make a new one"
        )
    return secret
