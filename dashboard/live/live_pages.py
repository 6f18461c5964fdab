"""The start page: who just came, from the database at first and from the live stream from then on."""

import threading

import redis
from flask import Blueprint, Response, abort, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from dashboard.access.auth import sight, start_page
from dashboard.database import now_ms, reading
from dashboard.live import arrivals, who_is_in
from dashboard.log import log_query, log_walk
from dashboard.web.answers import services
from dashboard.web.words import result_words

SHOWN = 20
MAX_STREAMS = 8
"""Open boards at a time: each holds one of the server's threads (deploy/gunicorn_config.py), and pages need some too."""

pages = Blueprint("live", __name__)
_streams = threading.BoundedSemaphore(MAX_STREAMS)


@pages.get("/")
def start() -> ResponseReturnValue:
    return redirect(start_page())


@pages.get("/live")
def board() -> ResponseReturnValue:
    """The stream's place is read before the database: what arrives in between comes twice, and the page drops one."""
    app = services()
    try:
        after = arrivals.newest_place(app.lives)
    except (redis.exceptions.RedisError, OSError):
        after = ""
    with reading(app.sessions) as session:
        rows = log_walk.last_arrivals(session, SHOWN, sight().only_departments)
        kiosks = log_query.known_kiosks(session)
    return render_template(
        "live.html",
        rows=rows,
        after=after,
        labels={name: label for name, label in kiosks.items() if label},
        unnamed={"unknown": result_words("not_a_punch", "unknown"), "inactive": result_words("inactive", "inactive")},
        now_ms=now_ms(),
        shown=SHOWN,
        who=who_is_in.shown(app, sight().only_departments),
    )


@pages.get("/live/who")
def who() -> ResponseReturnValue:
    """The numbers and doors of the board alone: its script asks for them after an arrival."""
    return render_template("_who.html", who=who_is_in.shown(services(), sight().only_departments), now_ms=now_ms())


@pages.get("/live/stream")
def stream() -> ResponseReturnValue:
    """Server-sent events; the browser's Last-Event-ID wins over the place that the page was made at."""
    app = services()
    shards = len(app.lives)
    last = request.headers.get("Last-Event-ID"), request.args.get("after")
    after = arrivals.place(last[0], shards) or arrivals.place(last[1], shards)
    if not _streams.acquire(blocking=False):
        abort(503, _("Too many live boards are open."))
    response = Response(
        arrivals.follow(app.lives, after, departments=sight().only_departments),
        content_type="text/event-stream; charset=utf-8",
        headers={"X-Accel-Buffering": "no"},
    )
    response.call_on_close(_streams.release)
    return response
