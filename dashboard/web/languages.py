"""Which language a page speaks: what its reader chose, else what the browser prefers, else English.

Words go through gettext (`_("…")`; `lazy_gettext` where a module holds them) in the request that says them. Outside of a
request (the recorder, the command line) and to other systems (the API) they are English.
"""

from flask import Flask, has_request_context, request
from flask_babel import Babel, get_locale

from dashboard.web.answers import is_api

LANGUAGES = {"en": "English", "id": "Bahasa Indonesia"}
COOKIE = "language"


def chosen() -> str:
    """The code of the request's language."""
    if not has_request_context() or is_api():
        return "en"
    kept = request.cookies.get(COOKIE, "")
    return kept if kept in LANGUAGES else request.accept_languages.best_match(LANGUAGES, "en")


def init_app(app: Flask) -> None:
    Babel(app, locale_selector=chosen, default_translation_directories="translations")  # type: ignore[no-untyped-call]
    app.jinja_env.globals.update(languages=LANGUAGES, language=lambda: str(get_locale()))
