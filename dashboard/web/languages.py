"""Which language a page speaks: what its reader chose, else what the browser prefers, else English.

Words go through gettext (`_("…")`; `lazy_gettext` where a module holds them) in the request that says them. Outside of a
request (the recorder, the command line) and to other systems (the API) they are English. The Indonesian ones are in
dashboard/translations; `make messages` brings new English ones there.
"""

from datetime import timedelta
from typing import Any

from flask import Blueprint, Flask, abort, g, has_request_context, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import Babel, get_domain, get_locale
from flask_babel import gettext as _

from dashboard.web.answers import is_api, is_local, services

LANGUAGES = {"en": "English", "id": "Bahasa Indonesia"}
"""Codes, with each language's name for itself."""
COOKIE = "language"
KEPT = timedelta(days=365)

pages = Blueprint("languages", __name__)


def chosen() -> str:
    """The code of the request's language."""
    if not has_request_context() or is_api():
        return "en"
    kept = request.cookies.get(COOKIE, "")
    return kept if kept in LANGUAGES else preferred()


def preferred() -> str:
    """The one of ours that the browser puts first, whatever the country: en-GB is English."""
    wanted = (tag.partition("-")[0].lower() for tag, quality in request.accept_languages if quality > 0)
    return next((code for code in wanted if code in LANGUAGES), "en")


@pages.post("/language")
def choose() -> ResponseReturnValue:
    """Keep the choice in this browser and go back to the page that it was made on; nobody need be logged in."""
    code, target = request.form.get("language", ""), request.form.get("next")
    if code not in LANGUAGES:
        abort(400, _("The language “%(code)s” isn’t spoken here. Choose one by its button.", code=code[:40]))
    answer = redirect(target if target and is_local(target) else url_for("live.start"))
    secure = services().settings.secure_cookie
    answer.set_cookie(COOKIE, code, max_age=KEPT, secure=secure, httponly=True, samesite="Lax")
    return answer


def page_to_return_to() -> str | None:
    """Where the switch leads back to; None where there is none to offer.

    What a form was answered with can't be asked for again (a one-time password, what was typed), so somebody who is logged in
    switches on pages that were asked for. Before that a refused log-in is all there is to lose. The API speaks English.
    """
    if is_api():
        return None
    if request.method == "GET":
        return request.full_path.removesuffix("?")
    return None if g.get("_login_user") is not None and g._login_user.is_authenticated else url_for("auth.login")


def _catalog() -> Any:
    """The request's translations, looked for once: a page asks for some hundred texts."""
    if "catalog" not in g:
        g.catalog = get_domain().get_translations()  # type: ignore[no-untyped-call]
    return g.catalog


def init_app(app: Flask) -> None:
    Babel(app, locale_selector=chosen, default_translation_directories="translations")  # type: ignore[no-untyped-call]
    app.jinja_env.install_gettext_callables(  # type: ignore[attr-defined]  # of jinja2.ext.i18n
        lambda words: _catalog().ugettext(words),
        lambda one, many, n: _catalog().ungettext(one, many, n),
        newstyle=True,
        pgettext=lambda context, words: _catalog().upgettext(context, words),
        npgettext=lambda context, one, many, n: _catalog().unpgettext(context, one, many, n),
    )
    app.jinja_env.policies["ext.i18n.trimmed"] = True  # sentences may be broken into lines
    app.jinja_env.globals.update(languages=LANGUAGES, language=lambda: str(get_locale()), switch_on=page_to_return_to)
