"""Cursors of paged lists: where a page ended, signed, so that a client can only hand back what it was given.

A page goes on after the last row's sort key, so rows that come in meanwhile neither shift nor repeat what was shown.
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from typing import Any

from itsdangerous import BadData, URLSafeSerializer

from dashboard.api.problems import Refusal
from dashboard.web.answers import services

MAX_CURSOR = 1_000
"""Characters."""


def _signer() -> URLSafeSerializer:
    return URLSafeSerializer(
        services().settings.session_key, salt="api-cursor", signer_kwargs={"digest_method": _sha256}
    )


def _sha256(data: bytes = b"") -> Any:
    return hashlib.sha256(data)


def _of_filter(resource: str, chosen: dict[str, Any]) -> str:
    text = json.dumps([resource, chosen], sort_keys=True, default=str)
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()[:16]


def make(resource: str, chosen: dict[str, Any], last: list[Any]) -> str:
    """The cursor after a row with the sort key `last`, for this list with this filter alone."""
    text = _signer().dumps([_of_filter(resource, chosen), last])
    return text if isinstance(text, str) else text.decode()


def read(resource: str, chosen: dict[str, Any], cursor: str | None) -> list[Any] | None:
    """The sort key to go on after; None at the beginning. Refuses (422) a cursor of another list or filter, or a made-up one."""
    if cursor is None:
        return None
    try:
        of_filter, last = _signer().loads(cursor)
    except (BadData, ValueError, TypeError):
        of_filter, last = None, None
    if of_filter is None or not isinstance(last, list):
        raise Refusal(422, "cursor: not one of ours; leave it out to begin anew", [("cursor", "not one of ours")])
    if of_filter != _of_filter(resource, chosen):
        raise Refusal(
            422,
            "cursor: of another list or filter; send the same filter with it, or leave it out to begin anew",
            [("cursor", "of another list or filter")],
        )
    return last


def page(
    resource: str, chosen: dict[str, Any], found: Sequence[Any], limit: int, key: Callable[[Any], list[Any]]
) -> tuple[Sequence[Any], str | None]:
    """What a page shows of `found`, which has one row more where the list goes on, and the cursor to go on with.

    `key` gives a row's sort key.
    """
    shown = found[:limit]
    return shown, make(resource, chosen, key(shown[-1])) if len(found) > limit else None
