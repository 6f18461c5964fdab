"""Who looks alike: the site's own people compared with each other, and a limit stricter than the model's rule."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from dashboard.access.auth import actor, may, viewer_name
from dashboard.database import reading
from dashboard.gallery import calibrating, calibration
from dashboard.gallery.calibrating import Looked, NoneReady, Served, ServeDifferently
from dashboard.gallery.likeness import LIMIT_DIGITS
from dashboard.models import EnrolmentPicture
from dashboard.operating.running import running
from dashboard.web.answers import services
from dashboard.web.locales import number_words

pages = Blueprint("alike", __name__, url_prefix="/models/alike")


@pages.get("")
def index() -> ResponseReturnValue:
    """Where a look was made, and its address is opened again."""
    return redirect(url_for("models.index", _anchor="look-title"))


@pages.post("")
def look() -> ResponseReturnValue:
    looked = _looked()
    if isinstance(looked, str):
        return _back(looked, "bad")
    calibrating.keep(services().sessions, looked, viewer_name(), actor())
    return _page(looked)


@pages.post("/limit")
def limit() -> ResponseReturnValue:
    """The limit that was proposed, where it would be proposed again."""
    looked = _looked()
    if isinstance(looked, str):
        return _back(looked, "bad")
    stricter = looked.said.stricter
    if stricter is None or request.form.get("limit") != _sent(stricter):
        words = _(
            "That isn’t what this look proposes: somebody was enrolled, or a limit set, since the look before it."
        )
        return _page(looked, words), 422
    try:
        calibrating.keep(services().sessions, looked, viewer_name(), actor(), stricter)
    except ValueError:
        return _page(looked, _("Somebody else set a limit at this moment. Look again.")), 422
    words = _("%(limit)s is the site’s limit now. Workers follow within about a second.", limit=_written(stricter))
    return _back(words, "good")


@pages.post("/reset")
def reset() -> ResponseReturnValue:
    now = _served()
    if isinstance(now, str):
        return _back(now, "bad")
    if not request.form.get("agreed"):
        return _back(_("Nothing is changed: tick the box to take the limit back."), "bad")
    with services().sessions.begin() as session:
        gone = calibration.reset(session, now.model_id, viewer_name(), actor())
    if gone is None:
        return _back(_("The site has no limit for the model that serves."), "bad")
    words = _("The limit of %(limit)s is taken back: the model’s own rule serves.", limit=_written(gone))
    return _back(words, "good")


def _looked() -> Looked | str:
    """Or why nothing can be compared."""
    now = _served()
    return now if isinstance(now, str) else calibrating.look(services().sessions, now)


def _served() -> Served | str:
    now = running(services().lives)
    try:
        return calibrating.served(now.workers)
    except NoneReady:
        if not now.reachable:
            return _("The live Redis doesn’t answer, so it isn’t known which threshold serves. Try again in a moment.")
        return _("No worker is ready, so nothing says which threshold serves. Start one, then look again.")
    except ServeDifferently as error:
        return _(
            "Workers serve different models, %(models)s: bring them to one first.", models=", ".join(error.args)[:200]
        )


def _back(words: str, kind: str) -> ResponseReturnValue:
    flash(words, kind)
    return redirect(url_for("models.index", _anchor="look-title"))


def _sent(limit: float) -> str:
    """As the form sends it, whatever the page's language."""
    return f"{limit:.{LIMIT_DIGITS}f}"


def _written(limit: float) -> str:
    return number_words(limit, LIMIT_DIGITS)


def _page(looked: Looked, problem: str = "") -> str:
    named = may("people.index", everybodys=True)
    with reading(services().sessions) as session:
        faces = _faces(session, looked) if named and may("pictures.show") else {}
    proposed = "" if looked.said.stricter is None else _sent(looked.said.stricter)
    return render_template("alike.html", looked=looked, problem=problem, faces=faces, named=named, proposed=proposed)


def _faces(session: Session, looked: Looked) -> dict[str, str]:
    """Of each person of the nearest pairs that the threshold doesn't part: their newest picture's id."""
    near = [pair for pair in looked.nearest if pair.distance <= looked.now.threshold]
    ids = {who.id for pair in near for who in (pair.one, pair.other)}
    query = select(EnrolmentPicture.employee_id, EnrolmentPicture.id).where(EnrolmentPicture.employee_id.in_(ids))
    return dict(session.execute(query.order_by(EnrolmentPicture.created_ms)).all())
