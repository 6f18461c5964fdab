"""What a process says of itself in its heartbeat, in words: for the Kiosks page. Words are gettext's, made in a request."""

from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _

from dashboard.operating.running import Running, number, text
from worker.protocol.heartbeats import Heartbeat
from worker.protocol.telemetry import LatencyHistogram

Facts = list[tuple[str, str]]
"""What, and its value; what isn't said is left out."""


@dataclass(frozen=True)
class Process:
    """`line` is what to see at a glance, `troubles` what needs a hand, `facts` all that is known."""

    role: str
    name: str
    shard: str
    line: str
    facts: Facts
    troubles: tuple[str, ...] = ()


def holders(now: Running) -> dict[str, str]:
    """Kiosk → the worker that says it serves it."""
    found = {}
    for _shard, beat in now.of_role("worker"):
        held = beat.data.get("kiosks_held")
        if isinstance(held, list):
            found.update({name: beat.name for name in held if isinstance(name, str)})
    return found


def kiosks(now: Running) -> dict[str, Process]:
    served = holders(now)
    return {beat.name: kiosk(shard, beat, served.get(beat.name)) for shard, beat in now.of_role("kiosk")}


def kiosk(shard: str, beat: Heartbeat, served_by: str | None) -> Process:
    data = beat.data
    worker = _("served by %(worker)s", worker=served_by) if served_by else ""
    facts = [
        (_("Served by"), served_by or _("nobody says so")),
        (_("Pictures a second"), _decimal(data, "frames_per_s")),
        (_("Pictures not sent"), _count(data, "frames_failed")),
        (_("Answers"), _count(data, "feedback")),
        (_("Answers too late to be shown"), _count(data, "feedback_stale")),
        (_("Answers that can’t be read"), _count(data, "feedback_bad")),
        (_("From picture to answer, 19 of 20 within"), _latency(data)),
        (_("Camera"), _camera(data)),
        (_("Source"), text(data, "source")),
        (_("Kept of an outage"), _spool(data)),
        (_("Handed over after outages"), _count(data, "backlog_sent")),
        *_common(beat, shard),
    ]
    return Process("kiosk", beat.name, shard, _line(_speed(data), worker), _said(facts), tuple(_troubles(data)))


def _troubles(data: dict[str, Any]) -> list[str]:
    """Of a kiosk; the Health page says what to do."""
    found = []
    if text(data, "camera") == "lost":
        found.append(_("No pictures from the camera"))
    if number(data, "spool_waiting"):
        found.append(_("Keeps %(count)s of an outage", count=_count(data, "spool_waiting")))
    if number(data, "spool_failed"):
        found.append(_("Couldn’t keep %(count)s of an outage", count=_count(data, "spool_failed")))
    return found


def workers(now: Running) -> dict[str, Process]:
    """By name."""
    return {beat.name: worker(shard, beat) for shard, beat in now.of_role("worker")}


def worker(shard: str, beat: Heartbeat) -> Process:
    data = beat.data
    held = data.get("kiosks_held")
    names = ", ".join(name for name in held if isinstance(name, str))[:500] if isinstance(held, list) else ""
    facts = [
        (_("Serves"), names or (_("no kiosk") if isinstance(held, list) else "")),
        (_("Frames a second"), _decimal(data, "frames_per_s")),
        (_("Frames that came too late"), _count(data, "frames_stale")),
        (_("Decisions that the ledger hasn’t taken"), _count(data, "decisions_pending")),
        (_("Templates"), _count(data, "gallery_templates")),
        (_("Gallery’s version"), _count(data, "gallery_version")),
        (_("Opens what kiosks kept"), _("yes") if text(data, "site_key") else _("no: it has no site key")),
        *_common(beat, shard),
    ]
    return Process("worker", beat.name, shard, _line(_speed(data), names), _said(facts))


def others(now: Running) -> list[Process]:
    """Recorders and deliverers."""
    found = []
    for shard, beat in (*now.of_role("recorder"), *now.of_role("deliverer")):
        facts = _common(beat, shard)
        if beat.role == "recorder":
            facts = [
                (_("Punches written down"), _count(beat.data, "recorded")),
                (_("Repeated ones"), _count(beat.data, "duplicate")),
                (_("Put aside as unreadable"), _count(beat.data, "parked")),
                (_("Times the database was away"), _count(beat.data, "database_outages")),
                *facts,
            ]
        found.append(Process(beat.role, beat.name, shard, "", _said(facts)))
    return found


def _common(beat: Heartbeat, shard: str) -> Facts:
    return [
        (_("Clock, against Redis"), _("%(ms)s ms", ms=f"{beat.clock_offset_ms:+,}")),
        (_("Version"), text(beat.data, "version", 40)),
        (_("Shard"), shard),
        (_("Process"), str(beat.pid)),
    ]


def _said(facts: Facts) -> Facts:
    return [(what, value) for what, value in facts if value]


def _line(*parts: str) -> str:
    return " · ".join(part for part in parts if part)


def _speed(data: dict[str, Any]) -> str:
    rate = _decimal(data, "frames_per_s")
    return _("%(rate)s pictures/s", rate=rate) if rate else ""


def _decimal(data: dict[str, Any], name: str) -> str:
    value = number(data, name)
    return "" if value is None else f"{value:,.1f}"


def _count(data: dict[str, Any], name: str) -> str:
    value = number(data, name)
    return "" if value is None else f"{value:,.0f}"


def _latency(data: dict[str, Any]) -> str:
    """Since it started."""
    told = data.get("latency")
    try:
        value = LatencyHistogram.merged([told]).percentile(95) if isinstance(told, dict) else None
    except (ValueError, TypeError, OverflowError):
        value = None
    return "" if value is None else _("%(ms)s ms", ms=f"{value:,.0f}")


def _camera(data: dict[str, Any]) -> str:
    words = {"ok": _("gives pictures"), "starting": _("is being opened"), "lost": _("gives none")}
    state = words.get(text(data, "camera"), "")
    said = text(data, "camera_words")
    return f"{state}: {said}" if state and data.get("camera") != "ok" and said else state


def _spool(data: dict[str, Any]) -> str:
    waiting, failed = _count(data, "spool_waiting"), number(data, "spool_failed")
    if not waiting:
        return _("nothing: it has no site key") if "spool_waiting" in data else ""
    return _("%(count)s; %(failed)s couldn’t be kept", count=waiting, failed=f"{failed:,.0f}") if failed else waiting
