"""Where Redis is, which shard this process serves, and where the product keeps its files. Shared by every room."""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from worker.protocol.keys import check_kiosk_name, check_shard_name

ShardName = Annotated[str, AfterValidator(check_shard_name)]
KioskName = Annotated[str, AfterValidator(check_kiosk_name)]


class CommonSettings(BaseSettings):
    """What every room needs. A room's class sets its own `env_prefix`; these keep their names, hence the aliases.

    A `.env` file in the working directory is read too.
    """

    model_config = SettingsConfigDict(env_prefix="ATTENDANCE_", env_file=".env", extra="ignore", populate_by_name=True)

    home: Path = Field(
        default=Path("var"),
        validation_alias="ATTENDANCE_HOME",
        description="folder for database, Redis files, logs and caches",
    )
    redis_url: str | None = Field(
        default=None,
        validation_alias="ATTENDANCE_REDIS_URL",
        description="one server for both roles; live_url and ledger_url win over it",
    )
    live_url: str | None = Field(
        default=None,
        validation_alias="ATTENDANCE_LIVE_URL",
        description="frames, feedback, requests, heartbeats: no persistence wanted",
    )
    ledger_url: str | None = Field(
        default=None,
        validation_alias="ATTENDANCE_LEDGER_URL",
        description="decisions and gallery: appendfsync always, noeviction",
    )
    shard: ShardName = Field(default="s0", validation_alias="ATTENDANCE_SHARD", description="hash tag of every key")

    def url(self, role: str) -> str:
        """URL of the `live` or `ledger` role; raises ValueError saying what to set when there is none."""
        url = (self.live_url if role == "live" else self.ledger_url) or self.redis_url
        if not url:
            raise ValueError(
                f"no Redis for the {role} role: set ATTENDANCE_{role.upper()}_URL or ATTENDANCE_REDIS_URL, "
                "or run `attendance up`, which starts both servers"
            )
        return url
