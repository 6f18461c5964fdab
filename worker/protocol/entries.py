"""The entries that travel through Redis: typed, bounded, versioned.

On the wire an entry is a hash of three kinds of field: `v` (protocol version), `meta` (JSON of everything small) and
one raw field for each binary part. Decoding never trusts: a wrong version, a missing or mistyped field or an
oversized picture raises `BadEntry` with a reason fit for the screen or the dead-letter stream.
"""

import base64
import json
import uuid
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, Strict, ValidationError, model_validator

from worker.protocol import PROTOCOL_VERSION
from worker.protocol.bundle import MAX_TEMPLATE_NUMBERS
from worker.protocol.guided import Enrolling, Hint, Pose
from worker.protocol.outcomes import Direction, Liveness, Outcome

MAX_JPEG_BYTES = 1_500_000
MAX_SNAPSHOT_BYTES = 40_000
MAX_META_BYTES = 200_000
FEEDBACK_FACES = 16
"""Faces of one frame that a feedback entry tells of, widest first."""
NUMBER_BYTES = 4


def _whole_numbers(template: bytes) -> bytes:
    if len(template) % NUMBER_BYTES:
        raise ValueError(f"a template of {len(template)} bytes isn't a row of float32")
    return template


TemplateBytes = Annotated[
    bytes,
    Field(min_length=2 * NUMBER_BYTES, max_length=MAX_TEMPLATE_NUMBERS * NUMBER_BYTES),
    AfterValidator(_whole_numbers),
]
"""A template on the wire: little-endian float32, as many as the model gives, of unit length times the bundle's scale α."""

Whole = Annotated[int, Strict()]
"""A whole number as JSON has it: neither `true` nor "7" nor 7.0, which pydantic would take for one."""
EpochMs = Annotated[Whole, Field(ge=0, le=4_102_444_800_000)]
"""Milliseconds since 1970-01-01 UTC, up to the year 2100."""
Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.:-]{1,64}$")]
Fraction = Annotated[float, Field(ge=-1, le=2, allow_inf_nan=False)]
Distance = Annotated[float, Field(ge=0, le=1000, allow_inf_nan=False)]
Box = tuple[Fraction, Fraction, Fraction, Fraction]
"""Left, top, width, height as fractions of the frame; a face at the edge may reach a little outside 0 … 1."""


def new_id() -> str:
    """A fresh, unguessable id (32 hex digits)."""
    return uuid.uuid4().hex


class BadEntry(ValueError):
    """An entry that can't be used; the message says which field, and why."""


def first_fault(error: ValidationError, whole: str) -> str:
    """`field: what is wrong`, without the value, which may be anybody's; `whole` names the thing where no field is to blame."""
    first = error.errors(include_url=False, include_input=False)[0]
    return f"{'.'.join(str(part) for part in first['loc']) or whole}: {first['msg']}"


class Entry(BaseModel):
    """Base of all entries: `to_fields` for XADD, `from_fields` for what XREAD returned."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    binaries: ClassVar[tuple[str, ...]] = ()

    def to_fields(self) -> dict[str, bytes]:
        fields: dict[str, bytes] = {
            "v": str(PROTOCOL_VERSION).encode(),
            "meta": self.model_dump_json(exclude=set(self.binaries), exclude_none=True).encode(),
        }
        for name in self.binaries:
            value = getattr(self, name)
            if value is not None:
                fields[name] = value
        return fields

    @classmethod
    def from_fields(cls, fields: Mapping[bytes, bytes]) -> Self:
        """Decode what Redis returned; raises BadEntry, never anything else, whatever the fields hold."""
        version = fields.get(b"v")
        if version != str(PROTOCOL_VERSION).encode():
            said = "missing" if version is None else repr(version[:20])
            raise BadEntry(f"v: protocol version {said}, this side speaks {PROTOCOL_VERSION}; update the older side")
        meta = fields.get(b"meta")
        if meta is None:
            raise BadEntry("meta: missing")
        if len(meta) > MAX_META_BYTES:
            raise BadEntry(f"meta: {len(meta)} bytes, at most {MAX_META_BYTES}")
        try:
            values = json.loads(meta)
        except (ValueError, RecursionError) as error:
            raise BadEntry(f"meta: not JSON ({type(error).__name__})") from None
        if not isinstance(values, dict):
            raise BadEntry(f"meta: a JSON object is needed, got {type(values).__name__}")
        for name in cls.binaries:
            values.pop(name, None)
            if name.encode() in fields:
                values[name] = fields[name.encode()]
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            raise BadEntry(first_fault(error, "entry")) from None


class Frame(Entry):
    """One picture from a kiosk. The kiosk's name is the key's, never a field: identity comes from the ACL.

    Capture time is the stream id (server time) minus `age_ms`.
    """

    binaries = ("jpeg",)

    seq: Whole = Field(ge=0, le=2**53)
    width: Whole = Field(ge=16, le=8192, description="pixels of the JPEG")
    height: Whole = Field(ge=16, le=8192)
    age_ms: Whole = Field(ge=0, le=60_000, description="time since the shutter when it was sent")
    deadline_ms: Whole = Field(ge=1, le=60_000, description="age at which an answer is worth nothing any more")
    presence: Id = Field(description="the kiosk's id of the current presence (gate opened until gate closed)")
    jpeg: bytes = Field(min_length=1, max_length=MAX_JPEG_BYTES)


class SeenFace(BaseModel):
    """One face of a frame as the screen shows it."""

    model_config = ConfigDict(frozen=True)

    box: Box
    track: Whole = Field(ge=0, description="number of the track, rising within a worker")
    outcome: Outcome
    employee_id: Id | None = None
    name: str | None = Field(default=None, max_length=200, description="display name, only when accepted")
    event_id: Id | None = Field(default=None, description="of the decision, only when accepted")


class Feedback(Entry):
    """The worker's answer to one frame, for that kiosk's screen."""

    kind: Literal["frame"] = "frame"
    seq: Whole = Field(ge=0, le=2**53)
    captured_ms: EpochMs
    outcome: Outcome = Field(description="of the nearest face, or of the frame")
    reason: str | None = Field(default=None, max_length=300, description="in words, for bad frames")
    faces: list[SeenFace] = Field(default_factory=list, max_length=64)
    enrolling: Enrolling | None = Field(default=None, description="only while the kiosk takes enrolment pictures")
    timings_ms: dict[str, float] = Field(
        default_factory=dict, description="per stage: queue, decode, detect, embed, decide"
    )
    model_id: str | None = None
    worker: str = Field(max_length=64)


class Recorded(Entry):
    """The recorder's word that a punch is safe in the database; follows a `Feedback` that said accepted."""

    kind: Literal["recorded"] = "recorded"
    event_id: Id = Field(description="of the event, or of the earlier one when `duplicate`")
    decision_id: Id = Field(description="event id that the worker gave the decision; as in SeenFace.event_id")
    outcome: Outcome = Field(description="recorded, duplicate or inactive")
    employee_id: Id
    name: str = Field(max_length=200)
    direction: Direction
    captured_ms: EpochMs
    local_time: str = Field(pattern=r"^\d\d:\d\d$", description="site-local, of the event")
    local_date: str = Field(pattern=r"^\d{4}-\d\d-\d\d$")


FeedbackEntry = Feedback | Recorded


def decode_feedback(fields: Mapping[bytes, bytes]) -> FeedbackEntry:
    """A feedback stream's entry by its `kind`; raises BadEntry."""
    try:
        kind = json.loads(fields.get(b"meta", b"")).get("kind")
    except (ValueError, AttributeError, RecursionError):
        kind = None
    return Recorded.from_fields(fields) if kind == "recorded" else Feedback.from_fields(fields)


class Decision(Entry):
    """One per presence, whatever the outcome. Only accepted ones may carry a face crop; unknown ones carry none."""

    binaries = ("snapshot",)

    event_id: Id
    kiosk: str = Field(pattern=r"^[a-z0-9-]{1,32}$")
    presence: Id
    outcome: Outcome
    employee_id: Id | None = None
    captured_ms: EpochMs = Field(description="of the deciding frame")
    distance: Distance | None = Field(default=None, description="mean over the agreeing frames")
    threshold: Distance | None = None
    runner_up_distance: Distance | None = None
    good_frames: Whole = Field(ge=0, le=100_000)
    model_id: str = Field(max_length=128)
    liveness: Liveness = Liveness.NOT_CHECKED
    late: bool = False
    time_uncertain: bool = False
    repeats: Id | None = Field(default=None, description="event id of the decision by which this presence was named")
    worker: str = Field(max_length=64)
    snapshot: bytes | None = Field(default=None, max_length=MAX_SNAPSHOT_BYTES)


class EnrolRequest(Entry):
    """A picture to be judged and turned into a template; answered once on `replies:{shard}:<request_id>`."""

    binaries = ("jpeg",)

    request_id: Id
    employee_id: Id | None = Field(
        default=None, description="whose picture it is: left out of the search for look-alikes"
    )
    model_id: str | None = Field(
        default=None,
        max_length=128,
        description="the template of this loaded model is wanted, of a picture that was judged before: no gates, no search",
    )
    pose: Pose | None = Field(
        default=None, description="only a hint and a score for this pose are wanted: no search, no template"
    )
    deadline_ms: Whole | None = Field(
        default=None, ge=1, le=120_000, description="age at which an answer is worth nothing any more"
    )
    jpeg: bytes = Field(min_length=1, max_length=MAX_JPEG_BYTES)


class EnrolReply(Entry):
    """The verdict on an enrolment picture. `template` is there exactly when the outcome is enrolled or already_enrolled.

    A request for a pose is answered with a `hint`, and a `score` where the frame is good.
    """

    binaries = ("template",)

    request_id: Id
    outcome: Outcome
    reason: str | None = Field(default=None, max_length=300)
    model_id: str | None = None
    box: Box | None = None
    faces: Whole = Field(default=0, ge=0)
    quality: dict[str, float] = Field(default_factory=dict, description="face_px, sharpness, brightness, yaw …")
    similar_employee_id: Id | None = None
    similar_name: str | None = None
    similar_distance: Distance | None = None
    other_person: Distance | None = Field(
        default=None, description="two templates of this model farther apart aren't of one person"
    )
    hint: Hint | None = None
    score: float | None = Field(default=None, ge=0, le=1, description="of frames for one pose the highest is the best")
    template: TemplateBytes | None = None


class KioskEnrolment(Entry):
    """HR's wish that a kiosk take somebody's enrolment pictures; the value of `enrolling:{shard}:<kiosk>`, packed."""

    session: Id
    employee_id: Id
    name: str = Field(max_length=200)


class GalleryPerson(BaseModel):
    """The value of one field of the gallery hash: who it is and the templates of one model."""

    model_config = ConfigDict(frozen=True, ser_json_bytes="base64", val_json_bytes="base64")

    employee_id: Id
    name: str = Field(max_length=200)
    templates: list[TemplateBytes] = Field(min_length=1, max_length=64)

    @model_validator(mode="after")
    def _of_one_size(self) -> Self:
        sizes = sorted({len(template) // NUMBER_BYTES for template in self.templates})
        if len(sizes) > 1:
            raise ValueError(f"templates of {' and '.join(map(str, sizes))} numbers aren't of one model")
        return self


class GalleryChange(Entry):
    """One step of the gallery log. Its stream id is `<version>-0`; versions rise by one, so a gap is seen."""

    version: Whole = Field(ge=1)
    op: Literal["put", "remove", "reset"] = Field(description="reset: read the whole gallery again")
    model_id: str = Field(max_length=128)
    employee_id: Id | None = None


GALLERY_VERSION_FIELD = b":version"
"""Field of the gallery hash with the version it stands at; written in the same MULTI as the change. Absent = incomplete."""


class Arrival(Entry):
    """What the live board shows; written by the recorder after its commit."""

    event_id: Id
    outcome: Outcome
    kiosk: str
    captured_ms: EpochMs
    local_time: str
    local_date: str
    employee_id: Id | None = None
    code: str | None = None
    name: str | None = None
    department: str | None = None
    direction: Direction | None = None


def entry_time_ms(entry_id: bytes | str) -> int:
    """Server time in ms of a stream id."""
    text = entry_id.decode() if isinstance(entry_id, bytes) else entry_id
    return int(text.split("-", 1)[0])


def pack_fields(fields: Mapping[str, bytes]) -> bytes:
    """An entry's fields as one value, for places that hold no hash (the list of a reply): JSON of field → base64."""
    return json.dumps({name: base64.b64encode(value).decode() for name, value in fields.items()}).encode()


def unpack_fields(raw: bytes) -> dict[bytes, bytes]:
    """The inverse of `pack_fields`, shaped for `Entry.from_fields`; raises BadEntry, never anything else."""
    try:
        values = json.loads(raw)
        if not isinstance(values, dict):
            raise BadEntry(f"packed entry: a JSON object is needed, got {type(values).__name__}")
        return {name.encode(): base64.b64decode(value, validate=True) for name, value in values.items()}
    except BadEntry:
        raise
    except (ValueError, TypeError, RecursionError) as error:
        raise BadEntry(f"packed entry: not JSON of field → base64 ({type(error).__name__})") from None


def as_any(value: Mapping[str, bytes]) -> Any:
    """redis-py's stubs want an invariant dict of unions for XADD; ours is narrower."""
    return value
