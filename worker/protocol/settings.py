"""Where Redis is, which shard this process serves, and where the product keeps its files. Shared by every room."""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from worker.protocol import cluster
from worker.protocol.keys import check_kiosk_name, check_shard_name


def N_(words: str) -> str:
    """Marks words for translators; whoever shows them translates them (the dashboard's Settings page)."""
    return words


ShardName = Annotated[str, AfterValidator(check_shard_name)]
KioskName = Annotated[str, AfterValidator(check_kiosk_name)]


def _check_url(url: str | None) -> str | None:
    if url is not None and cluster.is_cluster(url):
        cluster.parse(url)
    return url


RedisUrl = Annotated[str | None, AfterValidator(_check_url)]


class CommonSettings(BaseSettings):
    """What every room needs. A room's class sets its own `env_prefix`; these keep their names, hence the aliases.

    A `.env` file in the working directory is read too.
    """

    model_config = SettingsConfigDict(env_prefix="ATTENDANCE_", env_file=".env", extra="ignore", populate_by_name=True)

    home: Path = Field(
        default=Path("var"),
        validation_alias="ATTENDANCE_HOME",
        description=N_("folder for database, Redis files, logs and caches"),
    )
    redis_url: RedisUrl = Field(
        default=None,
        validation_alias="ATTENDANCE_REDIS_URL",
        description=N_("one server for both roles; live_url and ledger_url win over it"),
    )
    live_url: RedisUrl = Field(
        default=None,
        validation_alias="ATTENDANCE_LIVE_URL",
        description=N_("frames, feedback, requests, heartbeats: no persistence wanted"),
    )
    ledger_url: RedisUrl = Field(
        default=None,
        validation_alias="ATTENDANCE_LEDGER_URL",
        description=N_("decisions and gallery: appendfsync always, noeviction"),
    )
    shard: ShardName = Field(default="s0", validation_alias="ATTENDANCE_SHARD", description=N_("hash tag of every key"))
    shards: Annotated[tuple[ShardName, ...] | None, NoDecode] = Field(
        default=None,
        min_length=1,
        max_length=64,
        validation_alias="ATTENDANCE_SHARDS",
        description=N_(
            "all shards of the site, with commas between: for dashboard, status and doctor; unset: the one shard"
        ),
    )

    @field_validator("shards", mode="before")
    @classmethod
    def _split_shards(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        names = [name.strip() for name in value.split(",") if name.strip()]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"{', '.join(twice)}: there twice")
        return tuple(names) or None

    @property
    def all_shards(self) -> tuple[str, ...]:
        """The shards that a dashboard shows, the one of `shard` unless several are set."""
        return self.shards or (self.shard,)

    def require_shard(self) -> None:
        """Raise ValueError unless our shard is one of the site's."""
        if self.shard not in self.all_shards:
            others = ", ".join(self.all_shards)
            raise ValueError(f"shard {self.shard} is none of ATTENDANCE_SHARDS ({others}): set ATTENDANCE_SHARD")

    def url(self, role: str, shard: str | None = None) -> str:
        """URL of the `live` or `ledger` role; raises ValueError saying what to set when there is none.

        On a Redis Cluster it names the shard too (ours unless another is given), which decides the node to talk to.
        """
        url = (self.live_url if role == "live" else self.ledger_url) or self.redis_url
        if not url:
            raise ValueError(
                f"no Redis for the {role} role: set ATTENDANCE_{role.upper()}_URL or ATTENDANCE_REDIS_URL, "
                "or run `attendance up`, which starts both servers"
            )
        return cluster.with_shard(url, shard or self.shard) if cluster.is_cluster(url) else url
