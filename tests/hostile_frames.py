"""Frames as an attacker or a broken kiosk would send them: mutations of good ones, the same for the same seed."""

import json
import random
import struct
from typing import Any

from worker.protocol.entries import Frame

Fields = dict[Any, bytes]
SIZES = (0, 1, 15, 16, 0x7FFF, 0xFFFF)
ODD_VALUES = (None, -1, 2**63, 1e308, "", "x" * 300, [], {}, True, "\udcff", "NaN", [[[[]]]], {"a": {"b": 1}})


def mutated_jpeg(rng: random.Random, jpeg: bytes) -> bytes:
    """One to four mutations: bits, cuts, repeats, lengths, sizes, markers, strangers' bytes."""
    data = bytearray(jpeg)
    for _ in range(rng.randint(1, 4)):
        if not data:
            break
        rng.choice(MUTATIONS)(rng, data)
    return bytes(data)


def _flip(rng: random.Random, data: bytearray) -> None:
    for _ in range(rng.choice((1, 8, 200))):
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)


def _cut_end(rng: random.Random, data: bytearray) -> None:
    del data[rng.randrange(len(data)) :]


def _cut_out(rng: random.Random, data: bytearray) -> None:
    start = rng.randrange(len(data))
    del data[start : start + rng.randint(1, 600)]


def _repeat(rng: random.Random, data: bytearray) -> None:
    start = rng.randrange(len(data))
    data[start:start] = data[start : start + rng.randint(1, 4_000)]


def _segment_length(rng: random.Random, data: bytearray) -> None:
    places = [i for i in range(len(data) - 4) if data[i] == 0xFF and 0xC0 <= data[i + 1] <= 0xFE][:40]
    if places:
        struct.pack_into(">H", data, rng.choice(places) + 2, rng.choice(SIZES))


def _picture_size(rng: random.Random, data: bytearray) -> None:
    """Height or width in the frame header: a decompression bomb, or nothing at all."""
    place = next((i for i in range(len(data) - 9) if data[i] == 0xFF and data[i + 1] in (0xC0, 0xC2)), None)
    if place is not None:
        struct.pack_into(">H", data, place + rng.choice((5, 7)), rng.choice((*SIZES, 4_000)))


def _marker(rng: random.Random, data: bytearray) -> None:
    place = rng.randrange(len(data))
    data[place : place + 2] = bytes((0xFF, rng.choice((0xC0, 0xC2, 0xC4, 0xD8, 0xD9, 0xDA, 0xDB, 0xDD, 0xE1, 0xFE))))


def _strangers(rng: random.Random, data: bytearray) -> None:
    data[: rng.randint(1, 64)] = rng.randbytes(rng.randint(0, 64))


MUTATIONS = (_flip, _cut_end, _cut_out, _repeat, _segment_length, _picture_size, _marker, _strangers)


def hostile_fields(rng: random.Random, seq: int, jpeg: bytes) -> Fields:
    """The fields of a frame's entry: mostly with a mutated picture, sometimes with a mutated envelope."""
    frame = Frame(seq=seq, width=640, height=240, age_ms=0, deadline_ms=10_000, presence="p", jpeg=b"x")
    fields: Fields = {**frame.to_fields(), "jpeg": mutated_jpeg(rng, jpeg) or b"\0"}
    if rng.random() < 0.3:
        rng.choice(ENVELOPE)(rng, fields)
    return fields or {"v": b""}


def _drop_field(rng: random.Random, fields: Fields) -> None:
    del fields[rng.choice(list(fields))]


def _odd_value(rng: random.Random, fields: Fields) -> None:
    meta = json.loads(fields["meta"])
    meta[rng.choice([*meta, "jpeg", "unheard_of"])] = rng.choice(ODD_VALUES)
    fields["meta"] = json.dumps(meta).encode()


def _broken_meta(rng: random.Random, fields: Fields) -> None:
    meta = bytearray(fields["meta"])
    _flip(rng, meta)
    fields["meta"] = bytes(rng.choice((meta, b"[" * 5_000, b"", b"null", b"1e999", rng.randbytes(50))))


def _other_version(rng: random.Random, fields: Fields) -> None:
    fields["v"] = rng.choice((b"", b"0", b"2", b"\xff", b"1 ", rng.randbytes(30)))


def _strange_fields(rng: random.Random, fields: Fields) -> None:
    for _ in range(rng.randint(1, 20)):
        fields[rng.randbytes(rng.randint(1, 8))] = rng.randbytes(rng.randint(0, 100))


ENVELOPE = (_drop_field, _odd_value, _broken_meta, _other_version, _strange_fields)
