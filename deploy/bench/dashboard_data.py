"""A database of the size of a large site: people in departments, and a year of their days, the same for the same seed.

Rows go in by the drivers' bulk ways, a day at a time, and the indices are built afterwards: about half a minute a million.
"""

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Engine, Table, inspect

from dashboard.models import AttendanceEvent, DecisionRecord, Employee, EnrolmentPicture, Kiosk, Template
from dashboard.web.folding import folded, searched

ZONE = ZoneInfo("Asia/Jakarta")
LAST_DAY = date(2026, 11, 22)
DAYS = 365
KIOSKS = tuple(f"door-{n:02}" for n in range(1, 13))
WEEKDAY_SHARE = (1.0, 1.0, 1.0, 1.0, 0.95, 0.3, 0.1)
"""Of a full day's punches, Monday first."""
SHIFTS = ((0.7, 7.5, 16.5), (0.15, 14.0, 22.5), (0.15, 22.0, 30.5))
"""Share of the departments; hours of coming and going, beyond 24 on the next day."""
REPEATED, STRANGERS, INACTIVE = 0.05, 0.03, 0.001
"""Further decisions for each punch."""
FIRST = ("Amber", "Azure", "Coral", "Ivory", "Jade", "Lilac", "Ochre", "Olive", "Pearl", "Ruby", "Sepia", "Umber")
LAST = ("Alder", "Birch", "Cedar", "Elm", "Hazel", "Larch", "Maple", "Oak", "Pine", "Rowan", "Teak", "Willow")
MODEL = "bench-000000000000"
ROWS_AT_ONCE = 20_000
SQLITE_CACHE_KB = 400_000
"""Event ids are random, so their index is written all over; less of a cache turns minutes into an hour."""


@dataclass(frozen=True)
class Size:
    people: int = 10_000
    events: int = 5_000_000
    seed: int = 1


def fill(engine: Engine, size: Size, say: Callable[[str], None] = lambda words: None) -> None:
    """Fill an empty database of the current schema."""
    chance = random.Random(size.seed)
    decisions, events = _table(DecisionRecord), _table(AttendanceEvent)
    indices = [*decisions.indexes, *events.indexes]
    with engine.connect() as connection:
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql(f"PRAGMA cache_size=-{SQLITE_CACHE_KB}")
        for index in indices:
            index.drop(connection)
        people = _add_people(connection, size, chance)
        done = 0
        for day, rows in _days(people, size, chance):
            _insert(connection, decisions, [row[0] for row in rows])
            punches = [row[1] for row in rows if row[1] is not None]
            _insert(connection, events, punches)
            done += len(punches)
            if day.day == 1:
                connection.commit()  # in one transaction all of it would be on the disk twice
                say(f"{day}: {done:,} punches")
        for index in indices:
            say(f"index {index.name}")
            index.create(connection)
        connection.commit()
    if engine.dialect.name == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM ANALYZE")  # as autovacuum has done on a site that lives


def whole(engine: Engine) -> bool:
    """Whether a filling came to its end: its indices are built last."""
    there = {index["name"] for index in inspect(engine).get_indexes("attendance_events")}
    return {index.name for index in _table(AttendanceEvent).indexes} <= there


def _table(model: Any) -> Table:
    table: Table = model.__table__
    return table


def _insert(
    connection: Connection, table: Table, rows: Sequence[Sequence[Any]], names: Sequence[str] | None = None
) -> None:
    """Rows of values in the order of `names` (the table's columns unless given): COPY on PostgreSQL, executemany on SQLite."""
    columns = ", ".join(names or [column.name for column in table.columns])
    if not rows:
        return
    if connection.dialect.name == "postgresql":
        driver: Any = connection.connection.cursor()
        with driver.copy(f"COPY {table.name} ({columns}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
        return
    if not connection.in_transaction():
        connection.begin()  # a driver's own cursor begins none, and would then write each row to the disk by itself
    marks = ", ".join("?" * len(rows[0]))
    cursor: Any = connection.connection.cursor()
    some = iter(rows)
    while chunk := list(islice(some, ROWS_AT_ONCE)):
        cursor.executemany(f"INSERT INTO {table.name} ({columns}) VALUES ({marks})", chunk)


# --- people --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Worker:
    id: str
    comes_h: float
    goes_h: float


def _id(chance: random.Random) -> str:
    return f"{chance.getrandbits(128):032x}"


def department(number: int) -> str:
    return f"Department {number:02}"


def _add_people(connection: Connection, size: Size, chance: random.Random) -> list[Worker]:
    """Departments of very different sizes; a few people have left, a few have no consent or no picture."""
    departments = max(2, min(40, size.people // 20))
    shift_of = [chance.choices(SHIFTS, [share for share, _, _ in SHIFTS])[0] for _ in range(departments)]
    start_ms = _ms(LAST_DAY - timedelta(days=DAYS), 9)
    rows, pictures, templates, working = [], [], [], []
    for n in range(size.people):
        who, place = _id(chance), min(int(chance.expovariate(4 / departments)), departments - 1)
        code, name = f"E-{n:05}", f"{chance.choice(FIRST)} {chance.choice(LAST)} {n:05}"
        created_ms = start_ms - chance.randrange(900) * 86_400_000
        consent, left = chance.random() > 0.02, chance.random() < 0.04
        where = department(place)
        consented = (created_ms, "bench") if consent else (None, None)
        keys = (folded(name), searched(code, name, where))
        rows.append((who, code, name, where, *keys, created_ms, *consented, start_ms if left else None))
        if consent and chance.random() > 0.02:
            picture = _id(chance)
            pictures.append((picture, who, f"{n:064x}", chance.randbytes(2_000), created_ms, "bench"))
            quality = f'{{"face_px": {chance.uniform(60, 300):.1f}, "sharpness": {chance.uniform(20, 400):.1f}}}'
            templates.append((n + 1, picture, MODEL, chance.randbytes(512), quality, created_ms))
        if not left:
            working.append(Worker(who, *shift_of[place][1:]))
    names = ["id", "code", "name", "department", "name_key", "search_text", "created_ms", "consent_ms", "consent_by"]
    _insert(connection, _table(Employee), rows, [*names, "deactivated_ms"])
    _insert(connection, _table(EnrolmentPicture), pictures)
    _insert(connection, _table(Template), templates)
    doors = [(name, name.title(), "alternate") for name in KIOSKS]
    _insert(connection, _table(Kiosk), doors, ["name", "label", "direction"])
    return working


# --- days ----------------------------------------------------------------------------------------------------------


def _ms(day: date, hour: float) -> int:
    midnight = datetime(day.year, day.month, day.day, tzinfo=ZONE)
    return round(midnight.timestamp() * 1000 + hour * 3_600_000)


def _days(people: list[Worker], size: Size, chance: random.Random) -> Iterator[tuple[date, list[tuple[Any, Any]]]]:
    """Each day's decisions with their punches (None where there is none), in the order of their times; size.events in all."""
    days = [LAST_DAY - timedelta(days=DAYS - 1 - n) for n in range(DAYS)]
    share = [WEEKDAY_SHARE[day.weekday()] for day in days]
    left, weight = size.events, sum(share)
    for day, part in zip(days, share, strict=True):
        today = round(left * part / weight)
        left, weight = left - today, weight - part
        rows: list[tuple[Any, Any]] = []
        while len(rows) < today:
            for worker in chance.sample(people, len(people)):
                rows += _punches(day, worker, chance)
                if len(rows) >= today:
                    break
        del rows[today:]
        rows += _without_punch(day, rows, chance)
        rows.sort(key=lambda row: row[0][6])
        yield day, rows


def _decision(
    event_id: str, kiosk: str, outcome: str, status: str, who: str | None, at_ms: int, *, repeats: str | None = None
) -> tuple[Any, ...]:
    distance = 4.0 + (at_ms % 4_000) / 1_000 if who else None
    figures = (distance, 9.25, None, 3, MODEL, "not_checked", False, False, "bench", repeats)
    return (event_id, kiosk, event_id, outcome, status, who, at_ms, at_ms + 700, *figures)


def _punches(day: date, worker: Worker, chance: random.Random) -> list[tuple[Any, Any]]:
    """In and out, within half an hour of the shift's; one in five goes out at noon as well."""
    hours = [worker.comes_h + chance.gauss(0, 0.25), worker.goes_h + chance.gauss(0, 0.25)]
    if chance.random() < 0.2:
        middle = (worker.comes_h + worker.goes_h) / 2
        hours[1:1] = [middle - chance.uniform(0.2, 0.6), middle + chance.uniform(0.2, 0.6)]
    made: list[tuple[Any, Any]] = []
    for place, hour in enumerate(hours):
        event_id, kiosk, at_ms = _id(chance), chance.choice(KIOSKS), _ms(day, hour)
        punch = (event_id, worker.id, kiosk, at_ms, "out" if place % 2 else "in", ZONE.key)
        made.append((_decision(event_id, kiosk, "accepted", "recorded", worker.id, at_ms), punch))
    return made


def _without_punch(day: date, rows: list[tuple[Any, Any]], chance: random.Random) -> list[tuple[Any, Any]]:
    """Repetitions, strangers, people who were deactivated."""
    made: list[tuple[Any, Any]] = []
    for _ in range(int(len(rows) * REPEATED + chance.random())):
        first = chance.choice(rows)[0]
        made.append(
            (
                _decision(
                    _id(chance), first[1], "accepted", "duplicate", first[5], first[6] + 20_000, repeats=first[0]
                ),
                None,
            )
        )
    for _ in range(int(len(rows) * STRANGERS + chance.random())):
        at_ms = _ms(day, chance.uniform(6, 20))
        made.append((_decision(_id(chance), chance.choice(KIOSKS), "unknown", "not_a_punch", None, at_ms), None))
    for _ in range(int(len(rows) * INACTIVE + chance.random())):
        first = chance.choice(rows)[0]
        made.append((_decision(_id(chance), first[1], "accepted", "inactive", first[5], first[6] + 40_000), None))
    return made
