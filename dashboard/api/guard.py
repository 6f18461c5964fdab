"""In front of every API request: its key, the key's scope and rate, and a body that is JSON of bearable size."""

import json
import logging
import math
import time
from typing import Any

from flask import g, request
from limits import parse
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from sqlalchemy import update
from sqlalchemy.exc import SQLAlchemyError

from dashboard.api import keys
from dashboard.api.keys import Caller
from dashboard.api.problems import DETAILS, Refusal
from dashboard.auditing import audit
from dashboard.database import now_ms, reading
from dashboard.models import ApiKey
from dashboard.web.answers import services
from dashboard.web.errors import drain

log = logging.getLogger(__name__)

MAX_BODY = 64 * 1024
"""Bytes."""
CHALLENGE = 'Bearer realm="attendance"'
WITH_BODY = frozenset({"POST", "PUT", "PATCH"})

scope_of: dict[str, str] = {}
"""Endpoint → the scope that it needs. Whatever isn't here is answered to nobody."""
takes_body: set[str] = set()


def caller() -> Caller:
    found: Caller = g.api_caller
    return found


def actor() -> audit.Actor:
    """Who does it, for the audit trail."""
    return audit.Actor(address=request.remote_addr or "", via="api", key_id=caller().key_id)


class Guard:
    """The limit is counted in this process, a key at a time."""

    def __init__(self, per_minute: int) -> None:
        self.rate = parse(f"{per_minute}/minute")
        self.limiter = MovingWindowRateLimiter(MemoryStorage())

    def before_request(self) -> None:
        if request.method == "OPTIONS":
            return
        found = _identified()
        if not self.limiter.hit(self.rate, found.key_id):
            wait_s = max(1, math.ceil(self.limiter.get_window_stats(self.rate, found.key_id).reset_time - time.time()))
            raise Refusal(
                429,
                f"This key may send {self.rate.amount} requests a minute; go on in {wait_s} s.",
                headers={"Retry-After": str(wait_s)},
            )
        scope = scope_of.get(str(request.endpoint))
        if scope is None or scope not in found.scopes:
            raise Refusal(
                403,
                f"The key {found.name!r} lacks the scope {scope}; make one that has it.",
                headers={"WWW-Authenticate": f'{CHALLENGE}, error="insufficient_scope", scope="{scope}"'},
            )
        g.api_caller = found
        if request.method in WITH_BODY:
            _check_body(request.endpoint in takes_body)


def _identified() -> Caller:
    scheme, _, text = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not text:
        raise Refusal(401, "Send the header Authorization: Bearer att_…", headers={"WWW-Authenticate": CHALLENGE})
    now = now_ms()
    with reading(services().sessions) as session:
        key = keys.verified(session, text.strip(), now)
    if key is None:
        raise Refusal(
            401,
            "The key is not known, has expired or was revoked; `attendance api-key create` makes one.",
            headers={"WWW-Authenticate": f'{CHALLENGE}, error="invalid_token"'},
        )
    if keys.use_is_news(key, now):
        _note_use(key.id, now)
    return keys.caller_of(key)


def _note_use(key_id: str, now: int) -> None:
    try:
        with services().sessions.begin() as session:
            session.execute(update(ApiKey).where(ApiKey.id == key_id).values(last_used_ms=now))
    except SQLAlchemyError as error:  # only for people's eyes: no reason to refuse anybody
        log.warning("the use of key %s can't be noted: %s", key_id, type(error).__name__)


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def _check_body(wanted: bool) -> None:
    """Refuse what isn't one JSON object; what is, the library then checks against its model."""
    if (request.content_length or 0) > MAX_BODY:
        drain()
        raise Refusal(413, DETAILS[413])
    body = request.get_data(cache=True)  # one without a length is held to the app's limit, which is larger
    if len(body) > MAX_BODY:
        raise Refusal(413, DETAILS[413])
    if not wanted:
        if body.strip():
            raise Refusal(400, "This request takes no body.")
        return
    if request.mimetype != "application/json":
        raise Refusal(415, f"Send application/json, not {request.mimetype[:60] or 'a body without Content-Type'}.")
    if request.content_encoding:
        raise Refusal(415, "Send the body without Content-Encoding.", headers={"Accept-Encoding": "identity"})
    try:
        value = json.loads(body, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise Refusal(400, f"The body is no JSON: {str(error)[:200]}") from None
    if not isinstance(value, dict):
        raise Refusal(422, "body: a JSON object is needed", [("body", "a JSON object is needed")])
