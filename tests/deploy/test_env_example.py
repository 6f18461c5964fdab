"""The example of the environment names every setting of every room, with its default."""

import re
from pathlib import Path

import pytest
from pydantic_core import PydanticUndefined
from pydantic_settings import BaseSettings

import deploy
from dashboard.connectors.settings import FrappeSettings
from dashboard.settings import DashboardSettings
from deploy.settings import DeploySettings
from kiosk.settings import KioskSettings
from worker.protocol.explained import variable_of
from worker.protocol.settings import CommonSettings
from worker.settings import WorkerSettings

ROOMS = (CommonSettings, DeploySettings, KioskSettings, WorkerSettings, DashboardSettings, FrappeSettings)
LINES = (Path(deploy.__file__).parent / "attendance.env.example").read_text().splitlines()
VALUES = dict(line[1:].split("=", 1) for line in LINES if re.match(r"#ATTENDANCE_\w+=", line))
OUTSIDE_ROOMS = {"ATTENDANCE_LOG_LEVEL", "ATTENDANCE_LOG_FORMAT"}


def shown(default: object) -> str:
    if default is None or default is PydanticUndefined:
        return ""
    if isinstance(default, dict):
        return ",".join(f"{name}={value}" for name, value in default.items())
    if isinstance(default, tuple):
        return ",".join(map(str, default))
    return str(default).lower() if isinstance(default, bool) else str(default)


@pytest.mark.parametrize("room", ROOMS)
def test_every_field_is_there_with_its_default_and_bounds(room: type[BaseSettings]) -> None:
    for name, field in room.model_fields.items():
        variable = variable_of(room, name)
        assert variable in VALUES, f"add {variable} to deploy/attendance.env.example"
        assert VALUES[variable] == shown(field.default), variable
        above = LINES[: LINES.index(f"#{variable}={VALUES[variable]}")]
        text = "\n".join(above[-6:])
        for bound in field.metadata:
            for limit in (getattr(bound, "ge", None), getattr(bound, "le", None)):
                assert limit is None or f"{limit:g}" in text or str(limit) in text, f"{variable}: say the bound {limit}"


def test_nothing_is_there_that_no_room_knows() -> None:
    known = {variable_of(room, name) for room in ROOMS for name in room.model_fields}
    assert set(VALUES) - known == OUTSIDE_ROOMS


def test_every_setting_is_commented_out() -> None:
    assert all(not line or line.startswith("#") for line in LINES)
