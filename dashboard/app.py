"""The Flask app: the pages that HR uses. Served by gunicorn as `dashboard.app:create_app()`."""

from datetime import timedelta

from flask import Flask, request
from flask.sessions import SecureCookieSessionInterface, SessionMixin
from flask_openapi3.openapi import OpenAPI
from flask_wtf import CSRFProtect
from werkzeug.wrappers import Response

from dashboard import connections, database, kiosks
from dashboard.access import account, accounts_pages, auth, login_pages, rights
from dashboard.api import api, description
from dashboard.auditing import audit_pages
from dashboard.charts import charts_pages
from dashboard.correcting import corrections_pages, my_corrections_pages
from dashboard.enrolling import folder_pages, guided_pages, kiosk_enrolment_pages, pictures_pages, reenrolment
from dashboard.live import live_pages, who_is_in
from dashboard.log import log_pages
from dashboard.months import me, month_files, months_pages, weeks_pages
from dashboard.operating import alike_pages, health_pages, models_pages, settings_pages
from dashboard.people import departments_pages, erasing_pages, people_import_pages, people_pages
from dashboard.planning import holiday_pages, leave_pages, shift_patterns, sites
from dashboard.settings import DashboardSettings
from dashboard.web import errors, languages, saved_filter_pages, words
from dashboard.web.answers import Services, is_api
from worker.protocol.connection import Client, connect

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; object-src 'none'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
    "Cross-Origin-Opener-Policy": "same-origin",
}
PAGES = (
    login_pages.pages,
    languages.pages,
    account.pages,
    live_pages.pages,
    me.pages,
    my_corrections_pages.pages,
    corrections_pages.pages,
    log_pages.pages,
    charts_pages.pages,
    people_pages.pages,
    erasing_pages.pages,
    people_import_pages.pages,
    departments_pages.pages,
    folder_pages.pages,
    pictures_pages.pages,
    guided_pages.pages,
    kiosk_enrolment_pages.pages,
    kiosks.pages,
    models_pages.pages,
    alike_pages.pages,
    health_pages.pages,
    settings_pages.pages,
    months_pages.pages,
    weeks_pages.pages,
    month_files.pages,
    shift_patterns.pages,
    sites.pages,
    holiday_pages.pages,
    leave_pages.pages,
    accounts_pages.pages,
    audit_pages.pages,
    connections.pages,
    saved_filter_pages.pages,
)
"""Whoever adds one says in rights.py who may reach it."""
FORM_BYTES = 64 * 1024
"""Room for the fields and part headers of a form, beside its pictures."""


class Sessions(SecureCookieSessionInterface):
    """An open page must not keep an unattended log-in alive: what it asks for by itself renews no cookie. The API has none."""

    def should_set_cookie(self, app: Flask, session: SessionMixin) -> bool:
        if request.endpoint in auth.UNWATCHED or is_api():
            return False
        return super().should_set_cookie(app, session)


def create_app(settings: DashboardSettings | None = None) -> Flask:
    """The app, with the database brought up to date; raises ValueError or BadDatabase with words when it can't serve."""
    settings = settings or DashboardSettings()
    app = OpenAPI(__name__, **description.OPTIONS)
    app.config.update(
        SECRET_KEY=settings.session_key,
        MAX_CONTENT_LENGTH=settings.max_upload_mb * 1024 * 1024 + FORM_BYTES,
        SESSION_COOKIE_NAME="attendance",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.secure_cookie,
        PERMANENT_SESSION_LIFETIME=timedelta(hours=settings.session_hours),
        WTF_CSRF_TIME_LIMIT=None,  # the token lives as long as the session, so a form left open still works
        RATELIMIT_HEADERS_ENABLED=False,
    )
    app.session_interface = Sessions()
    database.upgrade(settings.database)
    app.extensions["attendance"] = Services(
        settings=settings,
        sessions=database.session_factory(database.engine_for(settings.database)),
        lives={shard: connect(settings.url("live", shard), name="dashboard") for shard in settings.all_shards},
        ledgers=_ledgers(settings),
    )
    csrf = CSRFProtect(app)
    languages.init_app(app)
    errors.init_app(app)
    auth.init_app(app)
    for pages in PAGES:
        app.register_blueprint(pages)
    api.init_app(app, csrf, settings.api_requests_per_minute)
    login_pages.limit_guessing(app)
    rights.require_complete(app.view_functions)
    words.init_app(app)
    who_is_in.init_app(app)
    guided_pages.init_app(app)
    reenrolment.init_app(app)
    app.after_request(_secure)
    return app


def _ledgers(settings: DashboardSettings) -> dict[str, Client]:
    try:
        return {shard: connect(settings.url("ledger", shard), name="dashboard") for shard in settings.all_shards}
    except ValueError:
        return {}  # the Health page says so; no other needs it


def _secure(response: Response) -> Response:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if request.endpoint != "static":
        response.headers.setdefault("Cache-Control", "no-store")
    return response
