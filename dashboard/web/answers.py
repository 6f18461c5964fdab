"""What all pages share: the app's services, answers as page or JSON, bad input as words, and local redirects."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import redis
from flask import current_app, request
from flask_babel import gettext as _
from werkzeug.exceptions import BadRequest

from dashboard.database import SessionFactory
from dashboard.settings import DashboardSettings

MAX_PAGE = 100_000


@dataclass(frozen=True)
class Services:
    """What a page may use; one per app."""

    settings: DashboardSettings
    sessions: SessionFactory
    lives: Mapping[str, redis.Redis]
    """A client of the live role for each shard of the site."""
    ledgers: Mapping[str, redis.Redis] = field(default_factory=dict)
    """The same of the ledger, of which the dashboard may see how much waits; empty where no address of it is set."""


def services() -> Services:
    found: Services = current_app.extensions["attendance"]
    return found


def is_api() -> bool:
    """Whether the request is another system's: it carries a key and no cookie, and its errors are problem details."""
    return request.path.startswith("/api/")


def wants_json() -> bool:
    """Whether a script asked (fetch with Accept: application/json), not a person's browser window."""
    best = request.accept_mimetypes.best_match(["text/html", "application/json"], default="text/html")
    return best == "application/json"


def is_local(target: str | None) -> bool:
    """Whether `target` is a path on this site. Browsers read `\\` as `/` and drop control characters, so neither passes."""
    if not target or not target.startswith("/") or target.startswith("//"):
        return False
    if "\\" in target or not target.isprintable():
        return False
    try:
        parts = urlsplit(target)
    except ValueError:
        return False
    return not parts.scheme and not parts.netloc


def whole_number(name: str, default: int, low: int, high: int) -> int:
    """A whole number from the query; 400 with the name, the value and the range otherwise."""
    text = request.args.get(name, "").strip()
    if not text:
        return default
    try:
        value = int(text) if text.isascii() and len(text) <= 20 else None
    except ValueError:
        value = None
    if value is None or not low <= value <= high:
        raise BadRequest(
            _(
                "%(name)s “%(text)s”: a whole number from %(low)s to %(high)s is needed.",
                name=name,
                text=text[:40],
                low=low,
                high=high,
            )
        )
    return value


def page_number() -> int:
    return whole_number("page", 1, 1, MAX_PAGE)


def short_text(name: str, limit: int = 200) -> str:
    """A trimmed text from the query; 400 when it is too long."""
    text = request.args.get(name, "").strip()
    if len(text) > limit:
        raise BadRequest(
            _(
                "%(name)s: at most %(limit)s characters are searched for, got %(count)s.",
                name=name,
                limit=limit,
                count=len(text),
            )
        )
    return text
