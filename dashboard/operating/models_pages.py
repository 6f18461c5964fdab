"""Models: which one recognises, how good it is, and another one brought in or the one before taken back."""

import re
from collections.abc import Callable
from typing import Any

import redis
from flask import Blueprint, flash, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import select
from sqlalchemy.orm import Session

from dashboard.access.auth import actor, may, viewer_name
from dashboard.database import reading
from dashboard.gallery import serving, swap_runs
from dashboard.gallery.serving import SwapError
from dashboard.gallery.swap_runs import Goal, Phase, Progress
from dashboard.models import SwapRun
from dashboard.operating import model_cards
from dashboard.operating.running import running
from dashboard.web.answers import services
from dashboard.web.locales import number_words
from worker.protocol.bundle import MODEL_ID

RUNS_SHOWN = 10
"""The newest; the audit trail has all."""
NAMES_SHOWN = 20
LONGEST_TYPED = 100

pages = Blueprint("models", __name__)


@pages.get("/models")
def index() -> ResponseReturnValue:
    return _page()


@pages.get("/models/progress")
def progress() -> ResponseReturnValue:
    """For the page's script; `key` changes when there is another page to be seen."""
    with reading(services().sessions) as session:
        now = swap_runs.look(session)
    return jsonify(key=key_of(now), done=now.done, of=now.pictures, words=progress_words(now))


@pages.post("/models/prepare")
def prepare() -> ResponseReturnValue:
    """Everything up to the switch: it changes nothing that anybody at a door sees, so it wants no typed name."""
    target = request.form.get("target", "").strip()
    if not re.fullmatch(MODEL_ID, target):
        return _refused(_("“%(target)s” is no model’s id: choose one of this page.", target=target[:LONGEST_TYPED]))
    words = _("%(model)s is being prepared. The old model serves on meanwhile.", model=target)
    return _begin(target, "prepare", True, words)


@pages.post("/models/switch")
def switch() -> ResponseReturnValue:
    with reading(services().sessions) as session:
        now = swap_runs.look(session)
        lost = _lost_by_switch(session, now, serving.people_without_picture(session))
    if now.phase is not Phase.READY or now.now.coming is None:
        return _refused(_("There is nothing that is ready to be switched to. See below how it stands."))
    return _confirmed(now.now.coming, len(lost), "switch-to")


@pages.post("/models/rollback")
def rollback() -> ResponseReturnValue:
    with reading(services().sessions) as session:
        now = swap_runs.look(session)
        lost = serving.people_without_picture(session)
    if now.now.previous is None:
        return _refused(_("No other model served before: there is nothing to go back to."))
    return _confirmed(now.now.previous, len(lost), "back-to")


@pages.post("/models/cancel")
def cancel() -> ResponseReturnValue:
    """One that is under way is ended too: whoever began it may be gone, and a page can't be interrupted by Ctrl-C."""
    with services().sessions.begin() as session:
        gone = serving.cancel(session, actor(), even_held=True)
    if gone is None:
        return _refused(_("Nothing was being brought in."))
    flash(_("%(model)s is given up. What serves goes on serving.", model=gone), "good")
    return redirect(url_for("models.index"))


def _confirmed(target: str, lost: int, form: str) -> ResponseReturnValue:
    """Begin the switch where its name was typed and the people whom it loses were agreed to."""
    typed = request.form.get("confirm", "").strip()[:LONGEST_TYPED]
    if typed != target:
        return _refused(_("To confirm, type the model’s id: %(model)s", model=target), form, typed)
    agreed = request.form.get("agreed", "")
    if lost and not (agreed.isascii() and agreed.isdecimal() and len(agreed) <= 9 and int(agreed) >= lost):
        words = ngettext(
            "%(num)d person won’t be recognised by it: tick the box to go on all the same.",
            "%(num)d people won’t be recognised by it: tick the box to go on all the same.",
            lost,
        )
        return _refused(words, form, typed)
    return _begin(target, "switch", bool(lost), _("The site goes over to %(model)s.", model=target))


def _begin(target: str, goal: Goal, agreed: bool, words: str) -> ResponseReturnValue:
    app = services()
    try:
        swap_runs.begin(app.sessions, app.lives, target, goal, agreed, actor(), viewer_name())
    except SwapError as error:
        return _refused(str(error))
    except (redis.exceptions.RedisError, OSError):
        return _refused(_("The live Redis doesn’t answer, so nothing can be begun. Try again in a moment."))
    flash(words, "good")
    return redirect(url_for("models.index"))


def _refused(problem: str, form: str = "", typed: str = "") -> ResponseReturnValue:
    return _page(problem=problem, refused=form, typed=typed), 422


def _page(**more: Any) -> str:
    app = services()
    now = running(app.lives)
    with reading(app.sessions) as session:
        stands = swap_runs.look(session)
        unpictured = serving.people_without_picture(session)
        lost_by_switch = _lost_by_switch(session, stands, unpictured)
        values = {
            "now": now,
            "models": model_cards.gather(session, now),
            "stands": stands,
            "key": key_of(stands),
            "progress_words": progress_words(stands),
            "lost_by_switch": len(lost_by_switch),
            "lost_by_rollback": len(unpictured) if stands.now.previous is not None else 0,
            "lost_people": lost_by_switch[:NAMES_SHOWN] if may("people.index", everybodys=True) else [],
            "runs": list(session.scalars(select(SwapRun).order_by(SwapRun.begun_ms.desc()).limit(RUNS_SHOWN))),
            "run_words": RUN_WORDS,
            "wanted_fpir": app.settings.fpir,
            "problem": "",
            "refused": "",
            "typed": "",
            **more,
        }
        return render_template("models.html", **values)


def _lost_by_switch(session: Session, stands: Progress, unpictured: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Code and name of whom the coming model won't know: those whose pictures it finds no face in, once it has tried all."""
    if stands.now.coming is None:
        return []
    unknown = serving.people_unknown_to(session, stands.now.coming) if stands.phase is Phase.READY else []
    return unpictured + unknown


def key_of(now: Progress) -> str:
    return f"{now.phase} {now.now.revision} {now.run.token if now.run else ''} {now.run.state if now.run else ''}"


def progress_words(now: Progress) -> str:
    if now.phase is not Phase.RUNNING:
        return ""
    words: str = _("All pictures are embedded. Waiting until every worker has the model and its gallery.")
    if now.left:
        words = _(
            "Embedding people’s pictures: %(done)s of %(total)s. People at the doors come first.",
            done=number_words(now.done),
            total=number_words(now.pictures),
        )
    return words


RUN_WORDS: dict[tuple[str, str], Callable[[], str]] = {
    ("prepare", "running"): lambda: _("Being prepared"),
    ("prepare", "done"): lambda: _("Prepared"),
    ("prepare", "failed"): lambda: _("Preparing failed"),
    ("switch", "running"): lambda: _("Being switched to"),
    ("switch", "done"): lambda: _("Switched to"),
    ("switch", "failed"): lambda: _("Switching failed"),
}
"""What became of a stretch of a swap, by its goal and state."""
