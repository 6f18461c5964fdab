"""Settings: every one with its value in force and what it is for. Read only: the environment is where they are set."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from dashboard.operating import settings_table
from dashboard.operating.running import running
from dashboard.web.answers import services

pages = Blueprint("site_settings", __name__)


@pages.get("/settings")
def index() -> ResponseReturnValue:
    app = services()
    now = running(app.lives)
    return render_template(
        "settings.html",
        now=now,
        everywhere=settings_table.of_everything(app.settings),
        own=settings_table.of_dashboard(app.settings),
        frappe=settings_table.of_frappe(),
        workers=settings_table.announced(now, "worker"),
        kiosks=settings_table.announced(now, "kiosk"),
        unit_of=settings_table.unit_of,
        sentence=sentence,
    )


def sentence(words: str) -> str:
    """A field's description, in the reader's language where it has words there, as a sentence."""
    said = _(words) if words else ""
    return f"{said[:1].upper()}{said[1:]}." if said else ""
