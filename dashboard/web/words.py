"""Codes, times and numbers as people read them; one place for all pages and the export."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from flask import Flask, g

from dashboard.access.browsers import browser_words
from dashboard.recording.attendance_rules import local_datetime
from dashboard.web.answers import services
from worker.protocol.outcomes import Outcome

RESULTS = {
    "recorded": "Recorded",
    "duplicate": "Repeated",
    "inactive": "Deactivated person",
    "not_a_punch": "Not recognised",
}
"""A decision's status, in words."""

REASONS = {
    Outcome.UNKNOWN: "Not recognised",
    Outcome.AMBIGUOUS: "Two people look too alike",
    Outcome.SPOOF_SUSPECTED: "Looked like a picture",
    Outcome.NOT_LIVE: "Not a live person",
    Outcome.INACTIVE: "Deactivated person",
}
"""Why a presence is no punch, where more is known than that nobody was recognised."""

DIRECTIONS = {"in": "In", "out": "Out", "alternate": "In and out in turn"}
LIVENESS = {"not_checked": "Not checked", "live": "Live", "not_live": "Not live"}


def result_words(status: str, outcome: str) -> str:
    if status == "not_a_punch":
        return REASONS.get(Outcome(outcome), RESULTS[status]) if outcome in set(Outcome) else RESULTS[status]
    return RESULTS.get(status, status.replace("_", " "))


def utc_words(ms: int) -> str:
    """For files that machines read: ISO 8601 with milliseconds."""
    moment = datetime.fromtimestamp(ms // 1000, UTC).replace(microsecond=ms % 1000 * 1000)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def local(ms: int, zone: str | None = None, site: ZoneInfo | None = None) -> datetime:
    """The moment in the zone of that name; without one, or where this machine doesn't know it, in the site's."""
    try:
        where = ZoneInfo(zone) if zone else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        where = None
    return local_datetime(ms, where or site or services().settings.zone)


def date_words(ms: int, zone: str | None = None) -> str:
    """Such as `Mon 23 Nov 2026`; no locale, so it reads the same in every process."""
    moment = local(ms, zone)
    day = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")[moment.weekday()]
    months = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
    return f"{day} {moment.day} {months[moment.month - 1]} {moment.year}"


def time_words(ms: int, zone: str | None = None) -> str:
    return local(ms, zone).strftime("%H:%M:%S")


def initials(name: str) -> str:
    parts = name.split()
    return "".join(part[0] for part in (parts[:1] + parts[-1:] if len(parts) > 1 else parts)).upper() or "?"


def count_words(n: int, one: str, many: str) -> str:
    return f"{n:,} {one if n == 1 else many}"


def init_app(app: Flask) -> None:
    app.jinja_env.filters.update(
        date_words=date_words,
        time_words=time_words,
        initials=initials,
        browser_words=browser_words,
        direction_words=lambda code: DIRECTIONS.get(code, code),
        liveness_words=lambda code: LIVENESS.get(code, code.replace("_", " ")),
    )
    app.jinja_env.globals.update(result_words=result_words, count_words=count_words)

    @app.context_processor
    def _viewer() -> dict[str, object]:
        """The user if this request loaded one already: an error page must not ask a database that is away."""
        user = g.get("_login_user")
        return {"viewer": user if user is not None and user.is_authenticated else None}
