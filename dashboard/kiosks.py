"""Kiosks and workers: who is alive, what each door means, and whether the recogniser keeps its promise."""

from collections.abc import Iterable
from dataclasses import dataclass

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy import select

from dashboard.access.auth import actor
from dashboard.auditing import audit
from dashboard.auditing.audit_actions import Action
from dashboard.database import reading
from dashboard.gallery import calibration
from dashboard.models import Kiosk, Site
from dashboard.operating import processes
from dashboard.operating.running import Running, number, running
from dashboard.web.answers import services
from dashboard.web.forms import Form
from dashboard.web.words import DIRECTIONS
from worker.protocol import keys

CLOCK_WARN_MS = 5_000
MAX_LABEL = 200

pages = Blueprint("kiosks", __name__)


@dataclass
class Door:
    name: str
    label: str = ""
    direction: str = "alternate"
    site_id: int | None = None
    alive: bool = False
    last_seen_ms: int | None = None
    frames_sent: int | None = None
    clock_offset_ms: int = 0

    @property
    def clock_is_off(self) -> bool:
        return self.alive and abs(self.clock_offset_ms) > CLOCK_WARN_MS


def doors(known: Iterable[Kiosk], now: Running) -> list[Door]:
    """Every door that is set up or announces itself."""
    by_name = {name: Door(name) for name in (*now.kiosks, *now.seen_ms) if keys.KIOSK_NAME.fullmatch(name)}
    for kiosk in known:
        by_name[kiosk.name] = Door(kiosk.name, kiosk.label, kiosk.direction, kiosk.site_id)
    for name, door in by_name.items():
        beat = now.kiosks.get(name)
        door.last_seen_ms = now.seen_ms.get(name)
        if beat:
            frames = number(beat.data, "frames_sent")
            door.alive, door.clock_offset_ms = True, beat.clock_offset_ms
            door.frames_sent = int(frames) if frames is not None else None
    return [by_name[name] for name in sorted(by_name)]


@pages.get("/kiosks")
def index() -> ResponseReturnValue:
    app = services()
    now = running(app.lives)
    with reading(app.sessions) as session:
        found = doors(session.scalars(select(Kiosk)), now)
        named = [beat.data.get("model_id") for beat in now.workers]
        models = {model for model in named if isinstance(model, str)}
        sites = {row.id: row.name for row in session.execute(select(Site.id, Site.name).order_by(Site.name))}
        offers = [calibration.offered(session, model) for model in models]
    # all workers of a site have one gallery and one model: the worst of them says it for all
    weak = sorted(
        (beat for beat in now.workers if beat.data.get("meets_target") is False),
        key=lambda beat: -(number(beat.data, "promised_fpir") or 1.0),
    )
    few = sorted(
        (beat for beat in now.workers if beat.data.get("accepts_too_few") is True),
        key=lambda beat: number(beat.data, "true_accept_rate") or 0.0,
    )
    return render_template(
        "kiosks.html",
        now=now,
        doors=found,
        weak=weak[:1],
        few=few[:1],
        uncalibrated=max((people for people in offers if people), default=0),
        wanted_fpir=app.settings.fpir,
        directions=DIRECTIONS,
        sites=sites,
        number=number,
        at_doors=processes.kiosks(now),
        at_work=processes.workers(now),
        others=processes.others(now),
    )


@pages.post("/kiosks/<name>")
def change(name: str) -> ResponseReturnValue:
    """Set what a punch at this door means, its label, and the site whose clock it goes by.

    A door that only announced itself is entered by this.
    """
    app = services()
    label, direction = request.form.get("label", "").strip(), request.form.get("direction", "")
    if len(label) > MAX_LABEL or not (label.isprintable() or not label):
        abort(
            400,
            _(
                "Label: at most %(longest)s printable characters, got %(count)s.",
                longest=MAX_LABEL,
                count=len(label),
            ),
        )
    form = Form(request.form)
    site_id = form.number("site", _("Site"), 1, 999_999_999)
    if form.problems:
        abort(400, f"{form.problems['site']}.")
    if direction not in DIRECTIONS:
        abort(
            400,
            _(
                "Direction “%(direction)s”: choose one of %(known)s.",
                direction=direction[:40],
                known=", ".join(DIRECTIONS),
            ),
        )
    now = running(app.lives)
    with app.sessions.begin() as session:
        kiosk = session.get(Kiosk, name)
        is_new = kiosk is None
        if kiosk is None:
            if name not in {door.name for door in doors([], now)}:
                abort(404)
            kiosk = Kiosk(name=name)
        if site_id is not None and session.get(Site, site_id) is None:
            abort(400, _("Site %(number)s: there is none (any more); reload the page.", number=site_id))
        before = {"label": kiosk.label or "", "direction": kiosk.direction or "alternate", "site": kiosk.site_id}
        kiosk.label, kiosk.direction, kiosk.site_id = label, direction, site_id
        session.add(kiosk)
        was, now_is = audit.changes(before, {"label": label, "direction": direction, "site": site_id})
        if now_is or is_new:
            audit.add(session, actor(), Action.KIOSK_CHANGED, audit.Subject("kiosk", name), was, now_is)
    flash(_("%(name)s: saved. It counts from the next punch on.", name=label or name), "good")
    return redirect(url_for("kiosks.index"))
