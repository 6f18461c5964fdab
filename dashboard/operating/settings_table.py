"""Every setting by the processes that read it, as the Settings page shows them."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from flask_babel import lazy_gettext
from pydantic import ValidationError

from dashboard.connectors.settings import FrappeSettings
from dashboard.operating.running import Running
from dashboard.settings import DashboardSettings
from worker.protocol.explained import LONGEST_WORDS, MOST_ANNOUNCED, Explained, explain
from worker.protocol.settings import CommonSettings

UNITS = {
    "_per_minute": lazy_gettext("per minute"),
    "_s": "s",
    "_ms": "ms",
    "_minutes": lazy_gettext("minutes"),
    "_hours": lazy_gettext("hours"),
    "_days": lazy_gettext("days"),
    "_months": lazy_gettext("months"),
    "_mb": "MB",
    "_px": "px",
}
"""By the end of a setting's name, the longest that fits."""


@dataclass(frozen=True)
class Announced:
    """What one worker or kiosk says that it has otherwise than it comes. `tells` is False where its version is too old."""

    shard: str
    name: str
    version: str
    tells: bool
    settings: tuple[Explained, ...]


def unit_of(name: str) -> str:
    fitting = [end for end in UNITS if name.endswith(end)]
    return str(UNITS[max(fitting, key=len)]) if fitting else ""


def of_everything(settings: DashboardSettings) -> list[Explained]:
    """What all processes read under the same names."""
    return [one for one in explain(settings) if one.name in CommonSettings.model_fields]


def of_dashboard(settings: DashboardSettings) -> list[Explained]:
    return [one for one in explain(settings) if one.name not in CommonSettings.model_fields]


def of_frappe() -> list[Explained] | None:
    """As this process' environment has them; None where they can't be read: the deliverer says why."""
    try:
        settings = FrappeSettings()
    except ValidationError:
        return None
    return [one for one in explain(settings) if one.name not in CommonSettings.model_fields]


def announced(now: Running, role: str) -> list[Announced]:
    """What living processes of a role say of theirs; nothing of a heartbeat is trusted to be there."""
    found = []
    for shard, beat in now.of_role(role):
        told, version = beat.data.get("settings"), beat.data.get("version")
        rows = tuple(_read(told)) if isinstance(told, list) else ()
        found.append(Announced(shard, beat.name, version if isinstance(version, str) else "", told is not None, rows))
    return found


def _read(told: list[Any]) -> Iterable[Explained]:
    for one in told[:MOST_ANNOUNCED]:
        if isinstance(one, dict) and one.get("variable"):
            variable, value, words = (str(one.get(name, ""))[:LONGEST_WORDS] for name in ("variable", "value", "words"))
            yield Explained("", variable, value, False, words)
