"""Connections: the API's keys, webhooks and what failed of them, and punches that Frappe HR didn't take."""

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from dashboard.access.auth import actor, viewer_name
from dashboard.api import keys
from dashboard.connectors import frappe_sync
from dashboard.connectors.frappe_sync import NAME, PUT_ASIDE
from dashboard.database import now_ms, reading
from dashboard.models import AttendanceEvent, Connector, Delivery, Employee, Push, Webhook
from dashboard.web.answers import page_number, services
from dashboard.webhooks import subscriptions
from dashboard.webhooks.subscriptions import WebhookProblem

KEYS_SHOWN = 100
"""The newest; `attendance api-key list` shows all."""
WHY = {
    "unknown_employee": lazy_gettext("Frappe knows no employee with this code"),
    "inactive_employee": lazy_gettext("Inactive in Frappe"),
    "refused": lazy_gettext("Refused"),
}

pages = Blueprint("connections", __name__)


@dataclass(frozen=True)
class PutAside:
    """A page of the punches that Frappe HR didn't take."""

    rows: list[Any]
    total: int
    page: int
    pages: int


@pages.get("/connections")
def index() -> ResponseReturnValue:
    return _page()


def _page(**more: Any) -> str:
    """`more` is what a form that was refused keeps, or the key that was made just now."""
    now, size = now_ms(), services().settings.page_size
    with reading(services().sessions) as session:
        found = keys.all_keys(session)[:KEYS_SHOWN]
        values = {
            "keys": [(key, keys.in_force(key, now)) for key in found],
            "scopes": keys.SCOPES,
            "typed": {"name": "", "scopes": [], "days": ""},
            "problem": "",
            "new_key": "",
            "webhooks": list(session.scalars(select(Webhook).order_by(Webhook.created_ms, Webhook.id))),
            "dead": _dead_by_webhook(session),
            "frappe": session.get(Connector, NAME),
            "waiting": _count(session, ("pending",)),
            "aside": _put_aside(session, page_number(), size),
            "why": WHY,
            "link": lambda number: url_for("connections.index", page=number),
            **more,
        }
        return render_template("connections.html", **values)


def _dead_by_webhook(session: Session) -> dict[str, int]:
    rows = select(Delivery.webhook_id, func.count()).where(Delivery.state == "dead").group_by(Delivery.webhook_id)
    return dict(session.execute(rows).all())


def _count(session: Session, states: tuple[str, ...]) -> int:
    rows = select(func.count()).select_from(Push).where(Push.connector == NAME, Push.state.in_(states))
    return session.scalar(rows) or 0


def _put_aside(session: Session, page: int, size: int) -> PutAside:
    total = _count(session, PUT_ASIDE)
    rows = (
        select(Push, AttendanceEvent, Employee)
        .join(AttendanceEvent, AttendanceEvent.event_id == Push.event_id)
        .join(Employee, Employee.id == AttendanceEvent.employee_id)
        .where(Push.connector == NAME, Push.state.in_(PUT_ASIDE))
        .order_by(Push.id)
        .limit(size)
        .offset((page - 1) * size)
    )
    return PutAside(list(session.execute(rows)), total, page, max(1, -(-total // size)))


@pages.post("/connections/keys")
def make_key() -> ResponseReturnValue:
    """The answer is the page itself with the key in it: it is shown this once, so there is nothing to come back to."""
    form = request.form
    typed = {"name": form.get("name", ""), "scopes": form.getlist("scopes"), "days": form.get("days", "").strip()}
    text = str(typed["days"])
    if text and not (text.isascii() and text.isdecimal() and len(text) <= 5):
        return _page(
            typed=typed, problem=_("Expires after “%(text)s”: a number of days is needed, or nothing.", text=text[:20])
        ), 422
    try:
        with services().sessions.begin() as session:
            made = keys.create(
                session,
                str(typed["name"]),
                form.getlist("scopes"),
                days=int(text) if text else None,
                by=viewer_name(),
                now_ms=now_ms(),
                actor=actor(),
            )
    except keys.KeyProblem as error:
        return _page(typed=typed, problem=str(error)), 422
    return _page(new_key=made[1])


@pages.post("/connections/keys/<key_id>/revoke")
def revoke_key(key_id: str) -> ResponseReturnValue:
    try:
        with services().sessions.begin() as session:
            key = keys.revoke(session, key_id, now_ms(), actor())
    except keys.KeyProblem:
        abort(404)
    flash(_("The key %(name)s is revoked: it opens nothing any more.", name=key.name), "good")
    return redirect(url_for("connections.index"))


@pages.post("/connections/webhooks/<webhook_id>/<any(enable, replay):step>")
def webhook_step(webhook_id: str, step: str) -> ResponseReturnValue:
    """`replay` takes a disabled webhook up again too: whoever sends again wants it to arrive."""
    try:
        with services().sessions.begin() as session:
            subscriptions.enable(session, webhook_id, actor())
            number = subscriptions.replay(session, webhook_id, actor=actor()) if step == "replay" else 0
    except WebhookProblem:
        abort(404)
    flash(
        _("%(number)s are sent again.", number=number)
        if step == "replay"
        else _("The webhook is told again from now on."),
        "good",
    )
    return redirect(url_for("connections.index"))


@pages.post("/connections/frappe/retry")
def retry_frappe() -> ResponseReturnValue:
    with services().sessions.begin() as session:
        number = frappe_sync.retry(session, actor=actor())
    flash(_("%(number)s punches are pushed to Frappe HR again.", number=number), "good")
    return redirect(url_for("connections.index"))
