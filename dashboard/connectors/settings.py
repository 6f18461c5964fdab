"""Settings of the connector to Frappe HR (environment prefix `ATTENDANCE_FRAPPE_`)."""

from typing import Annotated

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import NoDecode, SettingsConfigDict

from dashboard.webhooks.targets import BadTarget, parse
from worker.protocol.settings import N_, CommonSettings


class FrappeSettings(CommonSettings):
    model_config = SettingsConfigDict(env_prefix="ATTENDANCE_FRAPPE_")

    site: str | None = Field(
        default=None,
        validation_alias="ATTENDANCE_FRAPPE_URL",
        description=N_("the Frappe site, such as https://hr.example.com; unset: none"),
    )
    api_key: SecretStr | None = Field(
        default=None, description=N_("of the user that punches are entered by, in Frappe")
    )
    api_secret: SecretStr | None = Field(default=None, description=N_("that user's API secret"), repr=False)
    employee_field: str = Field(
        default="attendance_device_id",
        pattern=r"^[a-z][a-z0-9_]{0,60}$",
        description=N_("field of Frappe's Employee that holds our employee code"),
    )
    shift_types: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        max_length=50,
        description=N_("Shift Types whose Last Sync of Checkin is kept up to date, with commas between"),
    )
    send_log_type: bool = Field(
        default=True, description=N_("send IN or OUT; false where Frappe takes check-ins as alternating")
    )
    skip_auto_attendance: bool = Field(
        default=False, description=N_("enter check-ins that Frappe's auto attendance leaves aside")
    )
    sync_every_s: float = Field(
        default=300, ge=30, le=86_400, description=N_("pause between two updates of Last Sync of Checkin")
    )

    @field_validator("site")
    @classmethod
    def _is_a_site(cls, url: str | None) -> str | None:
        if not url:
            return None
        try:
            parts = parse(url)
        except BadTarget as error:
            raise ValueError(str(error)) from None
        if parts.path.strip("/") or parts.query:
            raise ValueError("the site alone, without a path, such as https://hr.example.com")
        return url.rstrip("/")

    @field_validator("shift_types", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        return tuple(part.strip() for part in value.split(",") if part.strip())

    def missing(self) -> list[str]:
        """Variables without which nothing can be sent."""
        values = {"URL": self.site, "API_KEY": self.api_key, "API_SECRET": self.api_secret}
        return [f"ATTENDANCE_FRAPPE_{name}" for name, value in values.items() if not value]
