"""Settings of the worker (environment prefix `ATTENDANCE_WORKER_`)."""

import os
import socket
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import SettingsConfigDict

from worker.named_models import DEFAULT, HELP
from worker.protocol.sealing import check_key
from worker.protocol.settings import CommonSettings


class WorkerSettings(CommonSettings):
    model_config = SettingsConfigDict(env_prefix="ATTENDANCE_WORKER_")

    name: str = Field(
        default_factory=lambda: f"{socket.gethostname().lower()[:40]}-{os.getpid()}",
        pattern=r"^[A-Za-z0-9_.-]{1,64}$",
        description="shown in heartbeats and decisions; unique among the workers of a shard",
    )
    model: str = Field(
        default=DEFAULT,
        validation_alias="ATTENDANCE_MODEL",
        description=f"{HELP}; random weights never serve",
    )
    fpir: float = Field(
        default=1e-3,
        ge=1e-6,
        le=0.05,
        validation_alias="ATTENDANCE_FPIR",
        description="wanted chance that a stranger's presence is accepted as anybody, at the gallery's size",
    )
    device: Literal["auto", "cpu", "cuda"] = Field(default="auto", description="auto takes CUDA where torch finds it")
    threads: int = Field(default=0, ge=0, le=256, description="CPU threads of the networks; 0 takes every core")
    batch_size: int = Field(default=4, ge=1, le=64, description="frames, one a kiosk, taken at a time")
    lease_ms: int = Field(default=2_000, ge=500, le=10_000, description="how long a kiosk stays ours without renewal")
    detect_width_px: int = Field(
        default=1920, ge=160, le=4096, description="frames are shrunk to this width to find faces"
    )
    min_face_px: int = Field(default=48, ge=20, le=400, description="smallest face looked for, at detect_width_px")
    good_face_px: int = Field(
        default=80, ge=32, le=1000, description="smallest face width, in the frame, that may decide"
    )
    min_sharpness: float = Field(
        default=30.0, ge=0, le=10_000, description="variance of the Laplacian of the 112 px chip"
    )
    min_brightness: float = Field(default=45.0, ge=0, le=255, description="mean grey level of the chip")
    max_brightness: float = Field(default=225.0, ge=0, le=255)
    max_yaw: float = Field(default=0.45, ge=0.05, le=1, description="nose off the eyes' middle, in half eye distances")
    votes_needed: int = Field(default=3, ge=1, le=20, description="k of the last n good frames must agree")
    votes_kept: int = Field(default=5, ge=1, le=50, description="n: good frames that count")
    margin: float = Field(
        default=0.5, ge=0, le=5, description="distance by which the second nearest person must be farther"
    )
    track_gap_ms: int = Field(
        default=2_500, ge=300, le=10_000, description="a face missing from the frames looked at for this long is gone"
    )
    cooldown_s: float = Field(
        default=10.0,
        ge=0,
        le=600,
        description="someone seen again within it is the same presence: greeted, not decided anew",
    )
    metrics_port: int = Field(default=0, ge=0, le=65_000, description="Prometheus metrics at /metrics; 0: none")
    metrics_host: str = Field(
        default="127.0.0.1", min_length=1, max_length=255, description="address the metrics listen on"
    )
    keep_snapshots: bool = Field(default=False, description="send a face crop (at most 40 KB) with accepted decisions")

    site_private_key: SecretStr | None = Field(
        default=None,
        validation_alias="ATTENDANCE_SITE_PRIVATE_KEY",
        description="64 hex digits: opens what kiosks kept while Redis was away; no kiosk may have it",
    )

    @field_validator("site_private_key")
    @classmethod
    def _is_a_key(cls, key: SecretStr | None) -> SecretStr | None:
        if key is not None:
            check_key(key.get_secret_value())
        return key

    @property
    def cache(self) -> Path:
        """Where converted models are kept, by model id."""
        return self.home / "cache"

    @property
    def models_folder(self) -> Path:
        """Where bundles are that `attendance model push` brought, by model id."""
        return self.home / "models"

    @property
    def thread_count(self) -> int:
        return self.threads or os.cpu_count() or 1
