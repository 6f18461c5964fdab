"""Settings: bounds, environment, and an import that needs neither OpenCV nor Flask nor torch."""

import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from kiosk.settings import KioskSettings

WITHOUT = """
import importlib.abc, sys

class Blocked(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {blocked!r}:
            raise ImportError(name + " is blocked")

sys.meta_path.insert(0, Blocked())
import {module}
"""


def test_defaults_serve_the_first_webcam() -> None:
    settings = KioskSettings()
    assert (settings.name, settings.source, settings.screen_host) == ("door-1", "0", "127.0.0.1")
    assert settings.name_shown_s <= 4


def test_environment_and_keywords(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATTENDANCE_KIOSK_NAME", "back-door")
    monkeypatch.setenv("ATTENDANCE_KIOSK_MAX_FRAMES_PER_S", "4")
    monkeypatch.setenv("ATTENDANCE_LIVE_URL", "redis://live:1")
    settings = KioskSettings(language="id")
    assert (settings.name, settings.max_frames_per_s, settings.language) == ("back-door", 4, "id")
    assert settings.url("live") == "redis://live:1"
    assert KioskSettings(name="front").name == "front"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "Front Door"),
        ("name", ""),
        ("name", "a" * 33),
        ("source", ""),
        ("folder_fps", 0),
        ("max_frames_per_s", 0.4),
        ("max_frames_per_s", 31),
        ("send_width_px", 10),
        ("jpeg_quality", 100),
        ("idle_interval_s", 0),
        ("gate_hold_s", float("nan")),
        ("motion_share", 0),
        ("motion_levels", 1000),
        ("answer_deadline_ms", 60_001),
        ("screen_port", 70_000),
        ("screen_host", ""),
        ("language", "fr"),
        ("name_shown_s", 4.1),
        ("start_delay_s", -1),
    ],
)
def test_out_of_bounds_is_refused_by_name(field: str, value: object) -> None:
    with pytest.raises(ValidationError, match=field):
        KioskSettings.model_validate({field: value})


@pytest.mark.parametrize(
    ("module", "blocked"),
    [
        ("kiosk.settings", ["cv2", "torch", "flask", "cheroot"]),
        ("kiosk.screen_state", ["cv2", "torch", "flask", "cheroot"]),
        ("kiosk.main", ["torch", "torchvision", "facenet_pytorch", "sqlalchemy"]),
    ],
)
def test_imports_only_what_it_needs(module: str, blocked: list[str]) -> None:
    code = WITHOUT.format(module=module, blocked=blocked)
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, cwd=root)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("key", ["", "abc", "Z" * 64, "a" * 63, "a" * 65])
def test_a_site_key_that_is_none_is_refused(key: str) -> None:
    with pytest.raises(ValidationError, match="64 hex digits"):
        KioskSettings(site_public_key=key)


def test_the_private_key_is_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    from deploy.errors import problem_lines
    from worker.settings import WorkerSettings

    assert "ab" * 32 not in repr(WorkerSettings(site_private_key="ab" * 32))  # type: ignore[arg-type]
    monkeypatch.setenv("ATTENDANCE_SITE_PRIVATE_KEY", "AB" * 32)
    with pytest.raises(ValidationError) as caught:
        WorkerSettings()
    (line,) = problem_lines(caught.value, WorkerSettings)
    assert line.startswith("ATTENDANCE_SITE_PRIVATE_KEY=***: a key is 64 hex digits")
