"""Settings of the kiosk (environment prefix `ATTENDANCE_KIOSK_`). Imports neither OpenCV nor Flask."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field
from pydantic_settings import SettingsConfigDict

from worker.protocol.sealing import check_key
from worker.protocol.settings import CommonSettings, KioskName


class KioskSettings(CommonSettings):
    model_config = SettingsConfigDict(env_prefix="ATTENDANCE_KIOSK_")

    name: KioskName = Field(
        default="door-1", description="this door's name: part of its Redis keys and of every record"
    )
    label: str = Field(default="", max_length=60, description="the door's name as the screen shows it; empty: its name")
    source: str = Field(
        default="0",
        min_length=1,
        max_length=2000,
        description="webcam index or device, rtsp:// or http(s):// stream, video file, or folder of pictures",
    )
    folder_fps: float = Field(default=2.0, ge=0.1, le=30, description="pictures a second of a folder")
    start_file: Path | None = Field(default=None, description="open the camera only once this file exists")
    start_delay_s: float = Field(default=0.0, ge=0, le=3600, description="and then only after this time")

    max_frames_per_s: float = Field(
        default=10.0, ge=0.5, le=30, description="frames sent at most while somebody is there"
    )
    send_width_px: int = Field(
        default=960, ge=160, le=1920, description="wider pictures are shrunk to this before sending"
    )
    jpeg_quality: int = Field(default=85, ge=40, le=98)
    answer_deadline_ms: int = Field(
        default=1500, ge=200, le=10_000, description="an answer later than this after the shutter is never shown"
    )

    idle_interval_s: float = Field(
        default=2.0, ge=0.5, le=60, description="nobody there: at most one frame in this time"
    )
    gate_hold_s: float = Field(
        default=3.0, ge=0.5, le=60, description="sending goes on this long after the last motion"
    )
    motion_levels: float = Field(default=16.0, ge=2, le=128, description="grey levels by which a pixel must change")
    motion_share: float = Field(default=0.01, ge=0.0005, le=0.5, description="share of pixels that must change")
    min_sharpness: float = Field(
        default=1.0,
        ge=0,
        le=1000,
        description="variance of the Laplacian of the small grey picture; below it (covered lens, no light) motion is ignored",
    )

    site_public_key: Annotated[str, AfterValidator(check_key)] | None = Field(
        default=None,
        validation_alias="ATTENDANCE_SITE_PUBLIC_KEY",
        description="64 hex digits: people who come while Redis is away are kept sealed to it; unset: they are not kept",
    )
    spool_max_mb: int = Field(default=1000, ge=10, le=100_000, description="disk for what waits; then the oldest goes")
    spool_max_age_h: float = Field(default=72.0, ge=1, le=720, description="what waited longer is deleted unrecorded")

    screen_host: str = Field(
        default="127.0.0.1", min_length=1, max_length=255, description="address the screen listens on"
    )
    screen_port: int = Field(default=8010, ge=0, le=65535, description="0 takes any free port")
    metrics_port: int = Field(default=0, ge=0, le=65_000, description="Prometheus metrics at /metrics; 0: none")
    metrics_host: str = Field(
        default="127.0.0.1", min_length=1, max_length=255, description="address the metrics listen on"
    )
    language: Literal["en", "id"] = Field(default="en", description="of the screen")
    sound: bool = Field(default=True, description="short tones, after the screen was touched once")
    mirror: bool | None = Field(default=None, description="show the picture as in a mirror; unset: for webcams only")
    name_shown_s: float = Field(
        default=3.0, ge=0.5, le=4, description="how long a name stays after the last frame that supported it"
    )
