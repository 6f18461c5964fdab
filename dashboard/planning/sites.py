"""Sites: their names, their clocks, and the country whose holidays are offered there."""

import hashlib

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from dashboard.access.auth import actor
from dashboard.auditing import audit
from dashboard.auditing.audit_actions import Action
from dashboard.database import reading
from dashboard.models import Site
from dashboard.planning.holiday_calendars import countries
from dashboard.recording.attendance_rules import known_zone
from dashboard.web.answers import services
from dashboard.web.forms import Form

MOST_SITES = 500
LONGEST = 200
"""Characters of what was typed that a refused form gives back."""

pages = Blueprint("sites", __name__)


@pages.get("/sites")
def index() -> ResponseReturnValue:
    return _index({}, {})


def _index(typed: dict[str, str], problems: dict[str, str]) -> str:
    with reading(services().sessions) as session:
        sites = session.scalars(select(Site).order_by(Site.name).limit(MOST_SITES)).all()
    zone = services().settings.zone.key
    return render_template("sites.html", sites=sites, typed={"time_zone": zone, **typed}, problems=problems, zone=zone)


@pages.post("/sites")
def create() -> ResponseReturnValue:
    form = Form(request.form)
    values = _read(form)
    if form.problems:
        return _index(typed_fields(), form.problems), 422
    try:
        with services().sessions.begin() as session:
            site = Site(**values)
            session.add(site)
            session.flush()
            audit.add(session, actor(), Action.SITE_CREATED, subject(site), after=values)
    except IntegrityError:
        return _index(typed_fields(), {"name": _taken(values["name"])}), 422
    flash(_("%(name)s: saved.", name=values["name"]), "good")
    return redirect(url_for("sites.index"))


@pages.get("/sites/<int:site_id>")
def site(site_id: int) -> ResponseReturnValue:
    with reading(services().sessions) as session:
        found = _values(known(session, site_id))
    return render_template("site.html", site_id=site_id, typed={**found, "seen": _seen(found)}, problems={})


@pages.post("/sites/<int:site_id>")
def change(site_id: int) -> ResponseReturnValue:
    """`seen` says what the form was filled with: somebody who saves what another has changed meanwhile is told."""
    form = Form(request.form)
    values = _read(form)
    try:
        with services().sessions.begin() as session:
            found = known(session, site_id, hold=True)
            before = _values(found)
            if not form.problems and request.form.get("seen") != _seen(before):
                form.problems["name"] = _(
                    "%(name)s: somebody has changed it meanwhile: reload the page and look first", name=before["name"]
                )
            if form.problems:
                return render_template("site.html", site_id=site_id, typed=typed_fields(), problems=form.problems), 422
            was, now = audit.changes(before, values)
            for name, value in now.items():
                setattr(found, name, value)
            if now:
                audit.add(session, actor(), Action.SITE_CHANGED, subject(found), was, now)
    except IntegrityError:
        problems = {"name": _taken(values["name"])}
        return render_template("site.html", site_id=site_id, typed=typed_fields(), problems=problems), 422
    flash(_("%(name)s: saved.", name=values["name"]), "good")
    return redirect(url_for("sites.index"))


def _read(form: Form) -> dict[str, str]:
    """A site's columns, with what is wrong of them in the form's problems."""
    name, country = form.text("name", _("Name"), 200), form.text("country", _("Country"), 2, needed=False).upper()
    zone, subdivision = (
        form.text("time_zone", _("Time zone"), 64),
        form.text("subdivision", _("Region"), 16, needed=False),
    )
    if "time_zone" not in form.problems and known_zone(zone) is None:
        form.problems["time_zone"] = _(
            "Time zone “%(zone)s”: not known; use a name such as Asia/Jakarta", zone=zone[:40]
        )
    if "country" not in form.problems and country and country not in countries():
        form.problems["country"] = _(
            "Country “%(country)s”: not known; use a code of two letters such as ID", country=country
        )
    elif country and subdivision and subdivision not in countries()[country]:
        form.problems["subdivision"] = _(
            "Region “%(subdivision)s” of %(country)s: not known; leave it empty, or see ISO 3166-2",
            subdivision=subdivision,
            country=country,
        )
    return {"name": name, "time_zone": zone, "country": country, "subdivision": subdivision}


def _values(site: Site) -> dict[str, str]:
    return {name: getattr(site, name) for name in ("name", "time_zone", "country", "subdivision")}


def _seen(values: dict[str, str]) -> str:
    return hashlib.sha256(repr(sorted(values.items())).encode()).hexdigest()


def _taken(name: str) -> str:
    return _("Name “%(name)s”: another site has it already", name=name[:40])


def subject(site: Site | None) -> audit.Subject:
    """None stands for all sites."""
    return audit.Subject("place", str(site.id) if site else "")


def typed_fields() -> dict[str, str]:
    return {name: value[:LONGEST] for name, value in request.form.items()}


def site_or_all(session: Session, site_id: int) -> Site | None:
    """None for 0, which stands for all sites together; 404 for one that isn't there."""
    return known(session, site_id) if site_id else None


def known(session: Session, site_id: int, hold: bool = False) -> Site:
    """404 if there is none. `hold` makes two changes follow each other."""
    found = session.get(Site, site_id, with_for_update=hold, populate_existing=True)
    if found is None:
        abort(404)
    return found
