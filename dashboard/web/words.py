"""Codes, times and numbers as people read them; one place for all pages and the export."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from flask import Flask, g
from flask_babel import lazy_gettext, lazy_pgettext

from dashboard.access.browsers import browser_words
from dashboard.recording.attendance_rules import known_zone, local_datetime
from dashboard.web.answers import services
from dashboard.web.locales import day_of_year, weekdays
from dashboard.web.script_words import script_words
from worker.protocol.outcomes import Outcome

RESULTS = {
    "recorded": lazy_gettext("Recorded"),
    "duplicate": lazy_gettext("Repeated"),
    "inactive": lazy_gettext("Deactivated person"),
    "not_a_punch": lazy_gettext("Not recognised"),
}
"""A decision's status, in words."""

REASONS = {
    Outcome.UNKNOWN: lazy_gettext("Not recognised"),
    Outcome.AMBIGUOUS: lazy_gettext("Two people look too alike"),
    Outcome.SPOOF_SUSPECTED: lazy_gettext("Looked like a picture"),
    Outcome.NOT_LIVE: lazy_gettext("Not a live person"),
    Outcome.INACTIVE: lazy_gettext("Deactivated person"),
}
"""Why a presence is no punch, where more is known than that nobody was recognised."""

DIRECTIONS = {
    "in": lazy_gettext("In"),
    "out": lazy_gettext("Out"),
    "alternate": lazy_gettext("In and out in turn"),
}
LIVENESS = {
    "not_checked": lazy_gettext("Not checked"),
    "live": lazy_pgettext("liveness", "Live"),
    "not_live": lazy_gettext("Not live"),
}


def result_words(status: str, outcome: str) -> str:
    if status == "not_a_punch":
        return str(REASONS.get(Outcome(outcome), RESULTS[status]) if outcome in set(Outcome) else RESULTS[status])
    return str(RESULTS.get(status, status.replace("_", " ")))


def liveness_words(code: str) -> str:
    return str(LIVENESS.get(code, code.replace("_", " ")))


def utc_words(ms: int) -> str:
    """For files that machines read: ISO 8601 with milliseconds."""
    moment = datetime.fromtimestamp(ms // 1000, UTC).replace(microsecond=ms % 1000 * 1000)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def local(ms: int, zone: str | None = None, site: ZoneInfo | None = None) -> datetime:
    """The moment in the zone of that name; without one, or where this machine doesn't know it, in the site's."""
    return local_datetime(ms, known_zone(zone) or site or services().settings.zone)


def date_words(ms: int, zone: str | None = None) -> str:
    """Such as `Mon 23 Nov 2026`."""
    return day_of_year(local(ms, zone).date())


def time_words(ms: int, zone: str | None = None) -> str:
    return local(ms, zone).strftime("%H:%M:%S")


def initials(name: str) -> str:
    parts = name.split()
    return "".join(part[0] for part in (parts[:1] + parts[-1:] if len(parts) > 1 else parts)).upper() or "?"


def init_app(app: Flask) -> None:
    app.jinja_env.filters.update(
        date_words=date_words,
        time_words=time_words,
        initials=initials,
        browser_words=browser_words,
        direction_words=lambda code: str(DIRECTIONS.get(code, code)),
        liveness_words=liveness_words,
    )
    app.jinja_env.globals.update(result_words=result_words, calendar_weekdays=weekdays, script_words=script_words)

    @app.context_processor
    def _viewer() -> dict[str, object]:
        """The user if this request loaded one already: an error page must not ask a database that is away."""
        user = g.get("_login_user")
        return {"viewer": user if user is not None and user.is_authenticated else None}
