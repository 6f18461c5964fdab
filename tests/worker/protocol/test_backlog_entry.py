"""The backlog entry and what lies in its seal: round trips, and refusals that name their reason."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.protocol.backlog import MAX_PICTURES, MAX_SEALED_BYTES, BacklogEntry, Picture, pack, unpack
from worker.protocol.entries import BadEntry


def entry(**changes: Any) -> BacklogEntry:
    values = {"presence": "p1", "part": 2, "more": True, "captured_ms": 5, "key_id": "0" * 16, "sealed": b"x"}
    return BacklogEntry(**(values | changes))


def wire(one: BacklogEntry) -> dict[bytes, bytes]:
    return {name.encode(): value for name, value in one.to_fields().items()}


PICTURES = st.lists(st.binary(min_size=1, max_size=50), min_size=1, max_size=MAX_PICTURES)


@given(PICTURES)
def test_pictures_come_back_as_they_went(jpegs: list[bytes]) -> None:
    pictures = [Picture(500 * number, jpeg) for number, jpeg in enumerate(jpegs)]
    assert unpack(pack("front", "p1", 2, pictures), "front", entry()) == pictures


def test_the_entry_comes_back_as_it_went() -> None:
    one = entry(sealed=b"\x00\xff" * 100, time_uncertain=True)
    assert BacklogEntry.from_fields(wire(one)) == one


def test_the_largest_entry_fits_a_servers_bulk() -> None:
    assert MAX_SEALED_BYTES < 2 * 1024 * 1024 - 100_000


@pytest.mark.parametrize(("kiosk", "changes"), [("back", {}), ("front", {"presence": "p2"}), ("front", {"part": 3})])
def test_a_seal_belongs_to_one_entry(kiosk: str, changes: dict[str, Any]) -> None:
    data = pack("front", "p1", 2, [Picture(0, b"jpeg")])
    with pytest.raises(BadEntry, match="another entry"):
        unpack(data, kiosk, entry(**changes))


@given(st.binary(max_size=300))
def test_any_bytes_are_refused_with_a_reason(data: bytes) -> None:
    with pytest.raises(BadEntry, match="sealed:"):
        unpack(data, "front", entry())


@pytest.mark.parametrize(
    "pictures",
    [
        [],
        [[0, 0]],
        [[0, -1]],
        [[0, 5]],
        [[0, 3]],
        [[-1, 4]],
        [[10**9, 4]],
        [[5, 2], [4, 2]],
        [[0, 2**60]],
        [[0, 4]] * 13,
    ],
)
def test_lists_that_do_not_fit_are_refused(pictures: list[list[int]]) -> None:
    head = {"kiosk": "front", "presence": "p1", "part": 2, "pictures": pictures}
    with pytest.raises(BadEntry, match="sealed:"):
        unpack(json.dumps(head).encode() + b"\njpeg", "front", entry())


@pytest.mark.parametrize(
    ("field", "value"),
    [
        (b"sealed", b"x" * (MAX_SEALED_BYTES + 1)),
        (b"sealed", b""),
        (b"v", b"2"),
        (b"meta", b"["),
        (b"meta", b'{"part": -1}'),
    ],
)
def test_bad_entries_are_refused(field: bytes, value: bytes) -> None:
    with pytest.raises(BadEntry):
        BacklogEntry.from_fields(wire(entry()) | {field: value})
