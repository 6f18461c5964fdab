"""A stand-in for a site of Frappe HR that demands what the real one does.

After frappe/hrms employee_checkin.py and frappe's REST API: token authentication (401), whitelisted methods by their full
path, their argument names (an unknown one is an error), naive times, the fraction of a second dropped before duplicates are
looked for, one log an employee, time and log type, ValidationError as 417 with `exc_type`, `exception` and `_server_messages`.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import unquote

from tests.http_server import http_server

METHOD = "/api/method/hrms.hr.doctype.employee_checkin.employee_checkin.add_log_based_on_employee_field"
ARGUMENTS = {
    *("employee_field_value", "timestamp", "device_id", "log_type"),
    *("skip_auto_attendance", "employee_fieldname", "latitude", "longitude"),
}
SHIFT_TYPE = "/api/resource/Shift Type/"


class Refused(Exception):
    """frappe.throw: a ValidationError."""


@dataclass
class FrappeSite:
    port: int = 0
    token: str = "key-1:secret-1"
    employees: dict[str, str] = field(default_factory=dict)
    """attendance_device_id → Active or Inactive."""
    shift_types: dict[str, str | None] = field(default_factory=dict)
    """Name → last_sync_of_checkin."""
    logs: list[dict[str, Any]] = field(default_factory=list)
    bodies: list[dict[str, Any]] = field(default_factory=list)
    strict_log_type: bool = False
    down: int = 0
    """So many of the next requests are answered 503, by the proxy in front."""
    lose_answers: int = 0
    """So many of the next check-ins are entered, and the connection breaks before the answer."""
    has_hrms: bool = True

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def add_log(self, body: dict[str, Any]) -> dict[str, Any]:
        self.bodies.append(body)
        if set(body) - ARGUMENTS:
            raise Refused(f"unexpected keyword argument {sorted(set(body) - ARGUMENTS)[0]!r}")
        if not body.get("employee_field_value") or not body.get("timestamp"):
            raise Refused("'employee_field_value' and 'timestamp' are required.")
        fieldname = body.get("employee_fieldname", "attendance_device_id")
        if fieldname != "attendance_device_id" or body["employee_field_value"] not in self.employees:
            words = "No Employee found for the given employee field value."
            raise Refused(f"{words} '{fieldname}': {body['employee_field_value']}")
        when = datetime.strptime(body["timestamp"], "%Y-%m-%d %H:%M:%S.%f").replace(microsecond=0)
        if self.employees[body["employee_field_value"]] == "Inactive":
            raise Refused("Transactions cannot be created for an Inactive Employee <a href=x>HR-EMP-1</a>.")
        log_type = body.get("log_type")
        if log_type not in (None, "", "IN", "OUT"):
            raise Refused(f'Log Type cannot be "{log_type}". It should be one of "", "IN", "OUT"')
        log = {"employee": body["employee_field_value"], "time": str(when), "log_type": log_type}
        if any({name: old[name] for name in log} == log for old in self.logs):
            raise Refused("This employee already has a log with the same timestamp.<Br><a href=x>EMP-CKIN-1</a>")
        if self.strict_log_type and not log_type and not body.get("skip_auto_attendance"):
            raise Refused("Log Type is required for check-ins falling in the shift: Day.")
        self.logs.append({**log, "device_id": body.get("device_id")})
        return {"message": {"name": f"EMP-CKIN-{len(self.logs)}"}}


def refusal(words: str) -> dict[str, Any]:
    """The body of a ValidationError, with the traceback that a site shows unless it was turned off."""
    message = json.dumps({"message": words, "title": "Message", "indicator": "red", "raise_exception": 1})
    return {
        "exception": f"frappe.exceptions.ValidationError: {words}",
        "exc_type": "ValidationError",
        "exc": json.dumps([f"Traceback (most recent call last):\nfrappe.exceptions.ValidationError: {words}\n"]),
        "_server_messages": json.dumps([message]),
    }


@contextmanager
def frappe_site(**state_values: Any) -> Iterator[FrappeSite]:
    state = FrappeSite(**state_values)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._serve("GET")

        def do_POST(self) -> None:
            self._serve("POST")

        def do_PUT(self) -> None:
            self._serve("PUT")

        def _serve(self, method: str) -> None:
            raw, path = self.rfile.read(int(self.headers.get("Content-Length", "0"))), unquote(self.path)
            if state.down:
                state.down -= 1
                return self._say(503, "<html>502 Bad Gateway</html>")
            if self.headers.get("Authorization") != f"token {state.token}":
                return self._say(401, {"exc_type": "AuthenticationError"})
            if path == "/api/method/frappe.auth.get_logged_user":
                return self._say(200, {"message": "attendance@example.com"})
            if path == METHOD and method == "POST":
                return self._method(raw)
            if path.startswith(SHIFT_TYPE) and method in ("GET", "PUT"):
                return self._shift_type(path.removeprefix(SHIFT_TYPE), raw if method == "PUT" else None)
            return self._say(404, {"exc_type": "DoesNotExistError"})

        def _method(self, raw: bytes) -> None:
            if not state.has_hrms:
                return self._say(417, refusal("Failed to get method for command hrms.hr… with No module named 'hrms'"))
            assert self.headers.get("Content-Type") == "application/json"
            try:
                answer = state.add_log(json.loads(raw))
            except Refused as error:
                return self._say(417, refusal(str(error)))
            if state.lose_answers:
                state.lose_answers -= 1
                return self.connection.close()
            return self._say(200, answer)

        def _shift_type(self, name: str, raw: bytes | None) -> None:
            if name not in state.shift_types:
                return self._say(404, {"exc_type": "DoesNotExistError"})
            if raw is not None:
                body = json.loads(raw)
                assert set(body) == {"last_sync_of_checkin"}
                datetime.strptime(body["last_sync_of_checkin"], "%Y-%m-%d %H:%M:%S.%f")
                state.shift_types[name] = body["last_sync_of_checkin"]
            return self._say(200, {"data": {"name": name}})

        def _say(self, status: int, body: Any) -> None:
            text = (body if isinstance(body, str) else json.dumps(body)).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: object) -> None:
            pass

    with http_server(Handler) as state.port:
        yield state
