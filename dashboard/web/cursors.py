"""Places in a long list, for paging that costs the same on every page: a page's links name the row that they go on from.

A cursor holds the sort values of one row, packed so that it survives in a link. It is no secret: whoever changes it sees
other rows of the same list.
"""

import base64
import binascii
import json
from dataclasses import dataclass
from typing import Any

from flask import request
from flask_babel import gettext as _
from werkzeug.exceptions import BadRequest

LONGEST = 4_000
"""Characters of a packed cursor; the longest name and department, folded, stay far below."""
Value = str | int
MAX_INT = 2**63 - 1


@dataclass(frozen=True)
class Place:
    """Go on behind (or, `backwards`, before) the row with these sort values."""

    values: tuple[Value, ...]
    backwards: bool = False


def pack(values: tuple[Value, ...]) -> str:
    return base64.urlsafe_b64encode(json.dumps(values, ensure_ascii=False).encode()).decode().rstrip("=")


def unpack(text: str, kinds: tuple[type, ...]) -> tuple[Value, ...]:
    """The values of a packed cursor, which must have these types; raises ValueError otherwise."""
    if len(text) > LONGEST:
        raise ValueError("too long")
    try:
        values: Any = json.loads(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True))
    except (binascii.Error, UnicodeError, RecursionError) as error:
        raise ValueError(str(error)) from None
    if not isinstance(values, list) or [type(value) for value in values] != list(kinds):
        raise ValueError("not these kinds of values")
    if any(isinstance(value, int) and abs(value) > MAX_INT for value in values):
        raise ValueError("a number out of range")
    for value in values:
        if isinstance(value, str) and b"\0" in value.encode():  # half a surrogate pair raises a ValueError of its own
            raise ValueError("a character that no text holds")
    return tuple(values)


def read_place(kinds: tuple[type, ...]) -> Place | None:
    """The place that the request's `after` or `before` names; None at the list's beginning. 400 for what isn't one."""
    for name, backwards in (("after", False), ("before", True)):
        text = request.args.get(name, "").strip()
        if text:
            try:
                return Place(unpack(text, kinds), backwards)
            except ValueError:
                raise BadRequest(
                    _(
                        "%(name)s “%(text)s”: not a place in this list. Begin again from its first page.",
                        name=name,
                        text=text[:40],
                    )
                ) from None
    return None
