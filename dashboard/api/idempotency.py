"""A request that is sent twice with one Idempotency-Key is done once, and answered the same both times.

The key is taken in a transaction of its own; the answer is stored in the transaction of the work, so either both are there
or neither. A process that dies in between holds its key for HOLD_MS and no longer. A refused request frees its key.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from flask import Response, request
from sqlalchemy import delete, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from dashboard.api import problems
from dashboard.api.guard import caller
from dashboard.api.problems import Refusal
from dashboard.database import SessionFactory, now_ms
from dashboard.models import IdempotentAnswer
from dashboard.web.answers import services
from worker.protocol.entries import new_id

HEADER = "Idempotency-Key"
KEPT_MS = 24 * 3_600_000
HOLD_MS = 60_000
MAX_KEY = 255


@dataclass(frozen=True)
class Answer:
    """What a write is answered; `body` is a JSON object, or None for an answer without one."""

    status: int
    body: dict[str, Any] | None = None
    headers: dict[str, str] = field(default_factory=dict)


Work = Callable[[Session], Answer]


def once(work: Work) -> Response:
    """Do `work` in one transaction, once for each Idempotency-Key of this caller; without the header, simply do it."""
    key = request.headers.get(HEADER)
    if key is None:
        with services().sessions.begin() as session:
            answer = work(session)
        return _response(answer)
    if not (1 <= len(key) <= MAX_KEY and key.isascii() and key.isprintable()):
        raise Refusal(
            422, f"{HEADER}: use 1-{MAX_KEY} printable ASCII characters", [(f"header.{HEADER}", "not usable as a key")]
        )
    return _Claim(services().sessions, caller().key_id, key).carry_out(work)


class _Claim:
    def __init__(self, sessions: SessionFactory, api_key_id: str, key: str) -> None:
        self.sessions, self.holder = sessions, new_id()
        self.of_key = (IdempotentAnswer.api_key_id == api_key_id) & (IdempotentAnswer.idempotency_key == key)
        self.identity = {"api_key_id": api_key_id, "idempotency_key": key}

    def carry_out(self, work: Work) -> Response:
        stored = self._take()
        if stored is not None:
            return stored
        try:
            with self.sessions.begin() as session:
                answer = work(session)
                self._store(session, answer)
        except BaseException:
            with self.sessions.begin() as session:
                session.execute(delete(IdempotentAnswer).where(self.of_key, IdempotentAnswer.holder == self.holder))
            raise
        return _response(answer)

    def _take(self) -> Response | None:
        """The stored answer if there is one; None when the work is ours to do."""
        now, digest = now_ms(), _request_digest()
        try:
            with self.sessions.begin() as session:
                session.execute(delete(IdempotentAnswer).where(IdempotentAnswer.created_ms < now - KEPT_MS))
                known = session.get(IdempotentAnswer, self.identity, with_for_update=True)
                if known is None:
                    session.add(
                        IdempotentAnswer(
                            **self.identity,
                            request_sha256=digest,
                            holder=self.holder,
                            held_until_ms=now + HOLD_MS,
                            created_ms=now,
                        )
                    )
                    return None
                if known.request_sha256 != digest:
                    raise Refusal(422, f"{HEADER}: was used for another request; take a new key for this one")
                if known.status is not None:
                    return _again(known)
                if known.held_until_ms > now:
                    raise _in_progress()
                known.holder, known.held_until_ms = self.holder, now + HOLD_MS
                return None
        except IntegrityError:  # the same request came in at the same moment, and was first
            raise _in_progress() from None

    def _store(self, session: Session, answer: Answer) -> None:
        done = session.execute(
            update(IdempotentAnswer)
            .where(self.of_key, IdempotentAnswer.holder == self.holder)
            .values(
                status=answer.status,
                headers_json=json.dumps(answer.headers),
                body="" if answer.body is None else json.dumps(answer.body),
            )
        )
        if done.rowcount != 1:  # type: ignore[attr-defined]  # it took so long that another request took the key over
            raise _in_progress()


def forget(session: Session, about: str) -> None:
    """Forget the stored answers that hold this text, such as an employee's id, but not that the requests were done."""
    words = "This request was done before. What it was answered is gone: the employee was erased since."
    gone = {"type": "about:blank", "title": problems.TITLES[409], "status": 409, "detail": words}
    answers = update(IdempotentAnswer).where(IdempotentAnswer.body.contains(about, autoescape=True))
    values = {"status": 409, "headers_json": "{}", "body": json.dumps(gone)}
    session.execute(answers.values(**values), execution_options={"synchronize_session": False})


def _in_progress() -> Refusal:
    return Refusal(
        409,
        "A request with this Idempotency-Key is being worked on; ask again in a moment.",
        headers={"Retry-After": "1"},
    )


def _request_digest() -> str:
    parts = (request.method, request.path, request.headers.get("If-Match", ""))
    digest = hashlib.sha256("\n".join(parts).encode(errors="replace"))
    digest.update(b"\n" + request.get_data(cache=True))
    return digest.hexdigest()


def _response(answer: Answer) -> Response:
    text = "" if answer.body is None else json.dumps(answer.body)
    return _made(answer.status, text, answer.headers)


def _again(stored: IdempotentAnswer) -> Response:
    return _made(stored.status or 200, stored.body, {**json.loads(stored.headers_json), "Idempotency-Replayed": "true"})


def _made(status: int, text: str, headers: dict[str, str]) -> Response:
    if not text:
        return Response(status=status, headers=headers)
    content_type = problems.MEDIA_TYPE if status >= 400 else "application/json"
    return Response(text, status, headers, content_type=content_type)
