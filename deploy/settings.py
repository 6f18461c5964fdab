"""Settings of `attendance up`: which doors there are, and the ports of what it starts."""

import re
from typing import Annotated

from pydantic import Field, field_validator
from pydantic_settings import NoDecode, SettingsConfigDict

from worker.protocol.keys import check_kiosk_name
from worker.protocol.settings import CommonSettings

NEXT_KIOSK = re.compile(r",\s*(?=[a-z0-9-]+=)")
"""A comma that another `name=` follows; an RTSP address may hold commas of its own."""


class DeploySettings(CommonSettings):
    model_config = SettingsConfigDict(env_prefix="ATTENDANCE_")

    kiosks: Annotated[dict[str, str], NoDecode] = Field(
        default={"front-door": "0"},
        max_length=64,
        description="name=source of each kiosk on this machine, with commas between: front-door=0,back=rtsp://…",
    )
    kiosk_screen_base_port: int = Field(
        default=8010, ge=1024, le=65_000, description="screen of the first kiosk; the others follow"
    )
    workers: int = Field(
        default=1, ge=1, le=32, description="worker processes of this machine; they share out its cores and the kiosks"
    )
    redis_base_port: int = Field(
        default=6390, ge=1024, le=65_000, description="live role of the started Redis; the ledger takes the next one"
    )
    ready_timeout_s: float = Field(default=120, ge=5, le=900, description="how long a service may take to get ready")

    @field_validator("kiosks", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        kiosks: dict[str, str] = {}
        for part in NEXT_KIOSK.split(value.strip().strip(",")):
            name, equals, source = part.partition("=")
            if not part:
                continue
            if not equals or not source.strip():
                raise ValueError(f"{part!r}: write name=source, for example front-door=0")
            if name.strip() in kiosks:
                raise ValueError(f"kiosk {name.strip()!r} is there twice; every door needs a name of its own")
            kiosks[name.strip()] = source.strip()
        return kiosks

    @field_validator("kiosks")
    @classmethod
    def _names(cls, kiosks: dict[str, str]) -> dict[str, str]:
        for name in kiosks:
            check_kiosk_name(name)
        return kiosks
