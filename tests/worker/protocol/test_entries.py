"""Entries keep what they carry, and whatever else arrives ends in BadEntry and nothing else."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from worker.protocol import PROTOCOL_VERSION
from worker.protocol.entries import (
    MAX_JPEG_BYTES,
    MAX_META_BYTES,
    MAX_SNAPSHOT_BYTES,
    Arrival,
    BadEntry,
    Decision,
    EnrolReply,
    EnrolRequest,
    Entry,
    Feedback,
    Frame,
    GalleryChange,
    GalleryPerson,
    Recorded,
    SeenFace,
    decode_feedback,
    entry_time_ms,
    new_id,
    pack_fields,
    unpack_fields,
)
from worker.protocol.outcomes import Direction, Liveness, Outcome

ALL: list[type[Entry]] = [Frame, Feedback, Recorded, Decision, EnrolRequest, EnrolReply, GalleryChange, Arrival]
ids = st.text("abcXYZ0189_.:-", min_size=1, max_size=64)
times = st.integers(0, 4_102_444_800_000)
distances = st.none() | st.floats(0, 1000)
words = st.text(max_size=200).filter(lambda text: text.isprintable())
fractions = st.floats(-1, 2)

frames = st.builds(
    Frame,
    seq=st.integers(0, 2**53),
    width=st.integers(16, 8192),
    height=st.integers(16, 8192),
    age_ms=st.integers(0, 60_000),
    deadline_ms=st.integers(1, 60_000),
    presence=ids,
    jpeg=st.binary(min_size=1, max_size=200),
)
seen = st.builds(
    SeenFace,
    box=st.tuples(fractions, fractions, fractions, fractions),
    track=st.integers(0, 2**40),
    outcome=st.sampled_from(Outcome),
    employee_id=st.none() | ids,
    name=st.none() | words,
    event_id=st.none() | ids,
)
feedbacks = st.builds(
    Feedback,
    seq=st.integers(0, 2**53),
    captured_ms=times,
    outcome=st.sampled_from(Outcome),
    reason=st.none() | words,
    faces=st.lists(seen, max_size=3),
    timings_ms=st.dictionaries(ids, st.floats(0, 1e6), max_size=3),
    model_id=st.none() | ids,
    worker=ids,
)
made_decisions = st.builds(
    Decision,
    event_id=ids,
    kiosk=st.text("abc019-", min_size=1, max_size=32),
    presence=ids,
    outcome=st.sampled_from(Outcome),
    employee_id=st.none() | ids,
    captured_ms=times,
    distance=distances,
    threshold=distances,
    runner_up_distance=distances,
    good_frames=st.integers(0, 100_000),
    model_id=words,
    liveness=st.sampled_from(Liveness),
    late=st.booleans(),
    time_uncertain=st.booleans(),
    worker=ids,
    snapshot=st.none() | st.binary(max_size=100),
)
replies = st.builds(
    EnrolReply,
    request_id=ids,
    outcome=st.sampled_from(Outcome),
    faces=st.integers(0, 50),
    quality=st.dictionaries(ids, st.floats(0, 1e4), max_size=3),
    template=st.none() | st.integers(2, 2048).map(lambda numbers: bytes(4 * numbers)),
)


def on_the_wire(entry: Entry) -> dict[bytes, bytes]:
    return {name.encode(): value for name, value in entry.to_fields().items()}


@given(frames | feedbacks | made_decisions | replies)
def test_round_trip(entry: Entry) -> None:
    fields = on_the_wire(entry)
    assert type(entry).from_fields(fields) == entry
    assert unpack_fields(pack_fields(entry.to_fields())) == fields


def good_frame(**changes: Any) -> dict[bytes, bytes]:
    values: dict[str, Any] = {"seq": 1, "width": 640, "height": 480, "age_ms": 5, "deadline_ms": 500, "presence": "p"}
    values = {name: value for name, value in (values | changes).items() if value is not ...}
    return {b"v": str(PROTOCOL_VERSION).encode(), b"meta": json.dumps(values).encode(), b"jpeg": b"x"}


def test_the_good_frame_of_these_tests_is_good() -> None:
    assert Frame.from_fields(good_frame(extra="a later version's field")).width == 640


@pytest.mark.parametrize("name", ["seq", "width", "height", "age_ms", "deadline_ms", "presence"])
@pytest.mark.parametrize(
    "value", [..., None, "far too many", [], {}, float("nan"), float("inf"), -1, 10**30, 1.5, 640.0, True, "\ud800"]
)
def test_a_missing_or_mistyped_field_is_named(name: str, value: Any) -> None:
    with pytest.raises(BadEntry, match=name):
        Frame.from_fields(good_frame(**{name: value}))


@pytest.mark.parametrize("version", [None, b"", b"2", b"1 ", b"01", b"\xff" * 5000])
def test_another_version_is_refused_and_told(version: bytes | None) -> None:
    fields = good_frame()
    if version is None:
        del fields[b"v"]
    else:
        fields[b"v"] = version
    with pytest.raises(BadEntry, match=r"v: protocol version .*update the older side") as caught:
        Frame.from_fields(fields)
    assert len(str(caught.value)) < 300  # it goes to a screen


@pytest.mark.parametrize(
    ("meta", "said"),
    [
        (b"", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"[1, 2]", "JSON object"),
        (b"null", "JSON object"),
        (b"7" * 5000, "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b'{"a":' * 20_000, "not JSON"),
        (b" " * (MAX_META_BYTES + 1), "bytes, at most"),
    ],
)
def test_a_hostile_meta_is_refused(meta: bytes, said: str) -> None:
    for kind in ALL:
        with pytest.raises(BadEntry, match=said):
            kind.from_fields({b"v": b"1", b"meta": meta})
        with pytest.raises(BadEntry):
            decode_feedback({b"v": b"1", b"meta": meta})


def test_a_missing_meta_is_refused() -> None:
    with pytest.raises(BadEntry, match="meta: missing"):
        Frame.from_fields({b"v": b"1"})


def test_pictures_are_bounded_and_come_as_a_field_of_their_own() -> None:
    with pytest.raises(BadEntry, match="jpeg"):
        Frame.from_fields(good_frame() | {b"jpeg": b""})
    with pytest.raises(BadEntry, match="jpeg"):
        Frame.from_fields(good_frame() | {b"jpeg": b"x" * (MAX_JPEG_BYTES + 1)})
    fields = good_frame(jpeg="smuggled in the JSON")
    del fields[b"jpeg"]
    with pytest.raises(BadEntry, match="jpeg"):
        Frame.from_fields(fields)


def test_a_decision_holds_no_nan_and_no_large_snapshot() -> None:
    values = {"event_id": "e", "kiosk": "k", "presence": "p", "outcome": "unknown", "captured_ms": 1}
    values |= {"good_frames": 1, "model_id": "m", "worker": "w"}
    fields = {b"v": b"1", b"meta": json.dumps(values).encode()}
    assert Decision.from_fields(fields).liveness is Liveness.NOT_CHECKED
    with pytest.raises(BadEntry, match="distance"):
        Decision.from_fields(fields | {b"meta": json.dumps(values | {"distance": float("nan")}).encode()})
    with pytest.raises(BadEntry, match="outcome"):
        Decision.from_fields(fields | {b"meta": json.dumps(values | {"outcome": "let_in"}).encode()})
    with pytest.raises(BadEntry, match="kiosk"):
        Decision.from_fields(fields | {b"meta": json.dumps(values | {"kiosk": "a:b"}).encode()})
    with pytest.raises(BadEntry, match="snapshot"):
        Decision.from_fields(fields | {b"snapshot": b"x" * (MAX_SNAPSHOT_BYTES + 1)})


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
field_names = sorted({name for kind in ALL for name in kind.model_fields})
hostile_meta = st.binary(max_size=100) | st.dictionaries(
    st.sampled_from(field_names), json_values | st.integers(0, 100) | st.just("x"), max_size=12
).map(lambda values: json.dumps(values).encode())


@settings(max_examples=200)
@given(
    st.dictionaries(st.sampled_from([b"v", b"jpeg", b"template", b"snapshot", b"x"]), st.binary(max_size=50)),
    hostile_meta,
    st.booleans(),
)
def test_whatever_arrives_only_bad_entry_comes_out(fields: dict[bytes, bytes], meta: bytes, right: bool) -> None:
    fields = fields | {b"meta": meta} | ({b"v": b"1"} if right else {})
    for decode in [*(kind.from_fields for kind in ALL), decode_feedback]:
        try:
            assert isinstance(decode(fields), Entry)
        except BadEntry as error:
            assert str(error)  # noqa: PT017


def test_feedback_is_told_apart_by_its_kind() -> None:
    said = Feedback(seq=1, captured_ms=2, outcome=Outcome.NO_FACE, worker="w")
    recorded = Recorded(
        event_id="e",
        decision_id="d",
        employee_id="e1",
        name="Person 1",
        outcome=Outcome.RECORDED,
        direction=Direction.IN,
        captured_ms=1,
        local_time="08:00",
        local_date="2026-01-02",
    )
    assert decode_feedback(on_the_wire(said)) == said
    assert decode_feedback(on_the_wire(recorded)) == recorded


@given(st.binary(max_size=200) | json_values.map(lambda v: json.dumps(v).encode()))
def test_unpacking_refuses_with_bad_entry_only(raw: bytes) -> None:
    try:
        assert isinstance(unpack_fields(raw), dict)
    except BadEntry as error:
        assert "packed entry" in str(error)  # noqa: PT017


@pytest.mark.parametrize("raw", [b"[" * 100_000, b'{"a": 1}', b'{"a": "\xc3\xa9"}', b'{"\\ud800": "YQ=="}', b"[]"])
def test_unpacking_hostile_values(raw: bytes) -> None:
    with pytest.raises(BadEntry, match="packed entry"):
        unpack_fields(raw)


def test_a_gallery_person_keeps_templates_through_json() -> None:
    person = GalleryPerson(employee_id="e1", name="Àé", templates=[bytes(range(256)) * 2])
    assert GalleryPerson.model_validate_json(person.model_dump_json()) == person
    for wrong in ([], [b"short"]):
        with pytest.raises(ValueError, match="templates"):
            GalleryPerson(employee_id="e1", name="x", templates=wrong)


def test_ids_are_fresh_and_stream_ids_tell_the_time() -> None:
    assert len({new_id() for _ in range(100)}) == 100
    assert entry_time_ms(b"1700000000000-3") == entry_time_ms("1700000000000-3") == 1_700_000_000_000
