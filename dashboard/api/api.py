"""The API as a whole, put into the app: its operations, the guard in front of them, and its description."""

from flask_openapi3.openapi import OpenAPI
from flask_wtf import CSRFProtect

from dashboard.api import days, description, employees, events, places, webhooks
from dashboard.api.blueprint import pages
from dashboard.api.guard import Guard

OPERATIONS = (employees, places, events, days, webhooks)
"""Modules that add theirs to the blueprint when they are imported."""


def init_app(app: OpenAPI, csrf: CSRFProtect, requests_per_minute: int) -> None:
    """Register the API; other sites' forms can't reach it, since it reads no cookie, so it needs no CSRF tokens."""
    csrf.exempt(pages)
    app.register_api(pages)
    app.before_request_funcs.setdefault(pages.name, []).append(Guard(requests_per_minute).before_request)
    app.register_blueprint(description.pages)
