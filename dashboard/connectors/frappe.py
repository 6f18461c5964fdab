"""Frappe HR's own words: what is sent to its Employee Checkin and Shift Type, and what its answers mean.

Checked against frappe/hrms (employee_checkin.py, `add_log_based_on_employee_field`) and what frappe's own
biometric-attendance-sync-tool sends and takes as settled. Frappe answers a refusal with 417 and words in the language of the
API's user, so that user must have English.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from urllib.parse import quote

from dashboard.connectors.settings import FrappeSettings
from dashboard.webhooks import targets

ADD_LOG = "/api/method/hrms.hr.doctype.employee_checkin.employee_checkin.add_log_based_on_employee_field"
WHO_AM_I = "/api/method/frappe.auth.get_logged_user"
TIMESTAMP = "%Y-%m-%d %H:%M:%S.%f"
REFUSED = 417
"""Frappe's status of a ValidationError."""
DUPLICATE = "This employee already has a log with the same timestamp"
UNKNOWN = "No Employee found for the given employee field value"
INACTIVE = "Transactions cannot be created for an Inactive Employee"
NO_METHOD = "Failed to get method"

State = Literal["done", "unknown_employee", "inactive_employee", "refused"]


class Trouble(RuntimeError):
    """Nothing gets through at present, whatever is sent; the message says why, and never holds the key."""

    def __init__(self, words: str, retry_after_s: int | None = None) -> None:
        super().__init__(words)
        self.retry_after_s = retry_after_s


@dataclass(frozen=True)
class Punch:
    """`code` is our employee code; `local` the site's wall clock, naive, as Frappe keeps times."""

    code: str
    local: datetime
    kiosk: str
    direction: str
    """in or out"""


def checkin(punch: Punch, settings: FrappeSettings) -> dict[str, Any]:
    """The arguments of Frappe's method. It drops the fraction of a second by itself."""
    return {
        "employee_field_value": punch.code,
        "timestamp": punch.local.strftime(TIMESTAMP),
        "device_id": punch.kiosk,
        "log_type": punch.direction.upper() if settings.send_log_type else None,
        "skip_auto_attendance": int(settings.skip_auto_attendance),
        "employee_fieldname": settings.employee_field,
    }


def meaning(status: int, text: str) -> tuple[State, str]:
    """What an answer says about the one punch that was sent; raises Trouble where it would say so of any."""
    if 200 <= status < 300:
        return "done", ""
    if DUPLICATE in text:  # it came through before, and the answer got lost
        return "done", "it was there already"
    if UNKNOWN in text:
        return "unknown_employee", "no employee in Frappe has this code in the field that is looked in"
    if INACTIVE in text:
        return "inactive_employee", "the employee is inactive in Frappe"
    if status == REFUSED and NO_METHOD not in text:
        return "refused", words_of(text)
    raise Trouble(_trouble_words(status, text))


def _trouble_words(status: int, text: str) -> str:
    if status in (401, 403):
        return f"Frappe answered {status}: check the API key and secret, and that its user may create Employee Checkin"
    if status == 404 or NO_METHOD in text:
        return f"Frappe answered {status}: is Frappe HR (the app hrms) installed at that address?"
    return f"Frappe answered {status}: {words_of(text)}"


def words_of(text: str, longest: int = 300) -> str:
    """What an error says to people, out of the places where Frappe may put it."""
    try:
        said = json.loads(text)
        messages = json.loads(said.get("_server_messages") or "[]")
        found = [str(json.loads(one).get("message", "")) for one in messages] or [str(said.get("exception", ""))]
        words = " ".join(found)
    except (ValueError, TypeError, AttributeError, RecursionError):
        words = ""
    words = words or text.strip() or "without words"
    return "".join(c if c.isprintable() else " " for c in words)[:longest]


class Frappe:
    """A site of Frappe HR; `settings.missing()` must be empty."""

    def __init__(self, settings: FrappeSettings) -> None:
        self.settings = settings

    def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> tuple[int, str]:
        assert self.settings.api_key is not None
        assert self.settings.api_secret is not None
        token = f"{self.settings.api_key.get_secret_value()}:{self.settings.api_secret.get_secret_value()}"
        headers = {"Authorization": f"token {token}", "Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        try:
            reply = targets.send(
                method,
                f"{self.settings.site}{path}",
                headers,
                b"" if body is None else json.dumps(body).encode(),
                targets.EVERYWHERE,
            )
        except (targets.BadTarget, targets.Unreachable) as error:
            raise Trouble(str(error)) from None
        text = reply.body.decode(errors="replace")
        if 300 <= reply.status < 400:
            raise Trouble(f"Frappe answered {reply.status}, a redirect: set ATTENDANCE_FRAPPE_URL to its final address")
        if reply.status == 429 or reply.status >= 500:
            raise Trouble(f"Frappe answered {reply.status}: {words_of(text)}", reply.retry_after_s)
        return reply.status, text

    def who_am_i(self) -> str:
        """The user whose key it is; raises Trouble."""
        status, text = self._ask("GET", WHO_AM_I)
        if status != 200:
            raise Trouble(_trouble_words(status, text))
        try:
            return str(json.loads(text)["message"])
        except (ValueError, KeyError, TypeError):
            raise Trouble(f"{self.settings.site} answers, but not as Frappe does") from None

    def require_shift_type(self, name: str) -> None:
        """Raises Trouble unless Frappe has a Shift Type of that name."""
        status, text = self._ask("GET", _shift_type(name))
        if status != 200:
            raise Trouble(
                f"Shift Type {name!r}: {_trouble_words(status, text) if status != 404 else 'Frappe has none'}"
            )

    def add(self, punch: Punch) -> tuple[State, str]:
        """Enter one check-in; what became of it, and the other side's words. Raises Trouble."""
        status, text = self._ask("POST", ADD_LOG, checkin(punch, self.settings))
        return meaning(status, text)

    def set_last_sync(self, shift_type: str, local: datetime) -> None:
        """Tell a Shift Type that every check-in until then is there, upon which Frappe marks attendance. Raises Trouble."""
        body = {"last_sync_of_checkin": local.strftime(TIMESTAMP)}
        status, text = self._ask("PUT", _shift_type(shift_type), body)
        if status != 200:
            raise Trouble(f"Shift Type {shift_type!r}: {_trouble_words(status, text)}")


def _shift_type(name: str) -> str:
    return f"/api/resource/{quote('Shift Type')}/{quote(name, safe='')}"
