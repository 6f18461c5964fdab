"""Shift patterns and who works them: the list, a pattern's form, and assigning it to a department or a person."""

from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy import or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from dashboard.access.auth import actor, sight, viewer_name
from dashboard.auditing import audit
from dashboard.auditing.audit_actions import Action
from dashboard.database import count, now_ms, reading
from dashboard.models import Assignment, Employee, ShiftPattern, ShiftPatternVersion, Site
from dashboard.people.employees import departments, find_by_code
from dashboard.planning import cycle_form, pattern_form, pattern_page
from dashboard.planning.pattern_choices import ROTAS
from dashboard.planning.pattern_words import summary
from dashboard.planning.patterns import LONGEST_NAME, RulesError, assign, rules_of, save_pattern
from dashboard.recording.attendance_rules import local_date
from dashboard.web.answers import page_number, services, whole_number
from dashboard.web.forms import Form

pages = Blueprint("shift_patterns", __name__)


@pages.get("/shifts")
def index() -> ResponseReturnValue:
    """A form that follows an assignment begins with its choices, which the address holds."""
    return _index({name: request.args[name][:KEPT] for name in KEPT_CHOICES if name in request.args}, {})


def _index(typed: dict[str, str], problems: dict[str, str]) -> str:
    page, size, zone = page_number(), services().settings.page_size, services().settings.zone
    with reading(services().sessions) as session:
        patterns = session.scalars(select(ShiftPattern).order_by(ShiftPattern.name)).all()
        versions = session.scalars(select(ShiftPatternVersion).order_by(*_IN_FORCE)).all()
        latest = {version.pattern_id: version for version in versions}
        query = (
            select(Assignment, Employee.name, Employee.code, Site.name.label("site"))
            .outerjoin(Employee, Employee.id == Assignment.employee_id)
            .outerjoin(Site, Site.id == Assignment.site_id)
            .order_by(Assignment.first_day.desc(), Assignment.id.desc())
        )
        seen = sight().only_departments
        if seen is not None:
            query = query.where(or_(Assignment.department.in_(seen), Employee.department.in_(seen)))
        total = count(session, query)
        rows = session.execute(query.limit(size).offset((page - 1) * size)).all()
        sites = session.scalars(select(Site).order_by(Site.name)).all()
        only_site = {"site": str(sites[0].id)} if len(sites) == 1 else {}
        return render_template(
            "shifts.html",
            patterns=[(one, latest[one.id], summary(rules_of(latest[one.id].rules_json))) for one in patterns],
            names={one.id: one.name for one in patterns},
            rows=rows,
            total=total,
            page=page,
            pages=max(1, -(-total // size)),
            link=lambda number: url_for("shift_patterns.index", page=number),
            departments=departments(session, seen),
            sites=sites,
            zone=zone.key,
            typed={**only_site, **typed},
            problems=problems,
        )


KEPT_CHOICES, KEPT = ("pattern", "site", "from_day"), 20
"""What one assignment has in common with the next, and how many characters of it."""
_IN_FORCE = ShiftPatternVersion.first_day, ShiftPatternVersion.id
"""Of versions in this order, the last that has begun is in force."""


@pages.route("/shifts/new", methods=["GET", "POST"])
def create() -> ResponseReturnValue:
    if request.method == "GET":
        today = local_date(now_ms(), services().settings.zone)
        return pattern_page.page(None, pattern_form.today_fields(today), {}, pattern_form.USUAL)
    return _save(None)


@pages.get("/shifts/<int:pattern_id>")
def pattern(pattern_id: int) -> ResponseReturnValue:
    with reading(services().sessions) as session:
        found, version = session.get(ShiftPattern, pattern_id), _newest(session, pattern_id)
    if found is None or version is None:
        abort(404)
    today = local_date(now_ms(), services().settings.zone).isoformat()
    rules = rules_of(version.rules_json)
    shown = pattern_form.fields_of(rules)
    problems = {}
    if pattern_form.read_pattern(Form(shown)) != rules:
        problems["name"] = _(
            "This version has rules that the form can’t show. Saving it replaces them by what is below."
        )
    typed = {**shown, "name": found.name, "first_day": today, "seen": str(version.id)}
    return pattern_page.page(pattern_id, typed, problems, rules)


@pages.post("/shifts/<int:pattern_id>")
def change(pattern_id: int) -> ResponseReturnValue:
    with reading(services().sessions) as session:
        if session.get(ShiftPattern, pattern_id) is None:
            abort(404)
    return _save(pattern_id)


@pages.post("/shifts/look")
def look() -> ResponseReturnValue:
    """The form again, nothing saved: with a cycle of other days (`do=cycle`), else with what the rules make of a day."""
    pattern_id, typed = whole_number("pattern", 0, 0, 999_999_999) or None, pattern_form.fields_from(request.form)
    if typed.get("do") == "cycle":
        if typed.get("rota") in ROTAS:
            typed = cycle_form.fill_in(typed, typed["rota"])
        return pattern_page.page(pattern_id, typed, {}, pattern_form.read_pattern(Form(typed)))
    form = Form(request.form)
    rules = pattern_form.read_pattern(form)
    return pattern_page.page(pattern_id, typed, form.problems, rules), 200 if rules else 422


def _newest(session: Session, pattern_id: int) -> ShiftPatternVersion | None:
    query = select(ShiftPatternVersion).where(ShiftPatternVersion.pattern_id == pattern_id)
    return session.scalar(query.order_by(ShiftPatternVersion.id.desc()).limit(1))


def _save(pattern_id: int | None) -> ResponseReturnValue:
    form = Form(request.form)
    typed = pattern_form.fields_from(request.form)
    name, first_day = form.text("name", _("Name"), LONGEST_NAME), form.day("first_day", _("Valid from"))
    rules = pattern_form.read_pattern(form)
    if rules is None or first_day is None:
        return pattern_page.page(pattern_id, typed, form.problems, None), 422
    try:
        with services().sessions.begin() as session:
            newest = _newest(session, pattern_id) if pattern_id else None
            if newest is not None and typed.get("seen") != str(newest.id):
                words = _(
                    "%(who)s has saved this pattern meanwhile: reload the page and look first", who=newest.made_by
                )
                raise RulesError(words)
            made = save_pattern(
                session, name, rules, first_day, by=viewer_name(), now_ms=now_ms(), pattern_id=pattern_id
            )
            action = Action.SHIFT_CHANGED if pattern_id else Action.SHIFT_CREATED
            subject = audit.Subject("shift_pattern", str(made.pattern_id))
            told = {"name": name, "version": made.id, "first_day": first_day.isoformat()}
            audit.add(session, actor(), action, subject, after=told)
    except RulesError as error:
        return pattern_page.page(pattern_id, typed, {"name": str(error)}, rules), 422
    except IntegrityError:  # somebody else took the name in the same moment
        words = _("name “%(name)s”: another shift pattern has it already", name=name[:40])
        return pattern_page.page(pattern_id, typed, {"name": words}, rules), 422
    flash(_("%(name)s: saved. It counts from %(day)s on.", name=name, day=first_day.isoformat()), "good")
    return redirect(url_for("shift_patterns.index"))


@pages.post("/shifts/assign")
def assign_pattern() -> ResponseReturnValue:
    """To a department, or to one person by their code."""
    form, typed = Form(request.form), pattern_form.fields_from(request.form)
    code = form.text("code", _("Code"), 64, needed=False)
    department = form.text("of_department", _("Department"), 200, needed=False)
    first_day = form.day("from_day", _("From"))
    pattern_id = form.number("pattern", _("Shift pattern"), 1, 999_999_999)
    site_id = form.number("site", _("Site"), 1, 999_999_999)
    if bool(code) == bool(department):
        form.problems["code"] = _("Assign: name a department or a person’s code, one of them")
    if form.problems or first_day is None:
        return _index(typed, form.problems), 422
    try:
        with services().sessions.begin() as session:
            person = find_by_code(session, code) if code else None
            if code and person is None:
                raise RulesError(_("code “%(code)s”: nobody has it", code=code[:40]))
            row = assign(
                session,
                first_day,
                by=viewer_name(),
                now_ms=now_ms(),
                employee_id=person.id if person else None,
                department=department or None,
                pattern_id=pattern_id,
                site_id=site_id,
            )
            subject = audit.person(person) if person else audit.Subject("department", department)
            told = {"first_day": first_day.isoformat(), "shift_pattern": row.pattern_id, "site": row.site_id}
            audit.add(session, actor(), Action.SHIFT_ASSIGNED, subject, after=told)
    except RulesError as error:
        return _index(typed, {"code": str(error)}), 422
    flash(
        _(
            "%(name)s: assigned from %(first_day)s on.",
            name=person.name if person else department,
            first_day=first_day.isoformat(),
        ),
        "good",
    )
    kept: dict[str, Any] = {name: typed.get(name, "") for name in KEPT_CHOICES}
    return redirect(url_for("shift_patterns.index", **kept))
