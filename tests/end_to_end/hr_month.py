"""Who works in the scene of test_hr_day.py, when they come in December 2025, and the figures that follow, worked by hand.

The shift is 08:00 to 17:00, Monday to Friday, with an hour's break (deducted after four hours), ten minutes of grace at the
start and none at the end. December has 23 such days, 184:00, of which Christmas (Thursday 25) is free.
"""

from datetime import date

from tests.dashboard.days.sheet import at

MONTH, MONTH_WORDS = "2025-12", "December 2025"
CODE, NAME = "E-1001", "Eileen Collins"
"""Whose month is signed. On leave from 15 to 19 December."""
CAME = {
    1: "07:55 17:00",
    2: "08:25 17:00",  # late: 25 of them are over the grace of 10, so all 25 count, and 7:35 is worked
    3: "08:07 17:00",  # within the grace
    4: "07:58 07:58:40 17:00",  # stood at the door too long: one punch
    5: "08:00 01:30+1",  # until half past one: 16:30 of work, 8:30 of them overtime
    8: "07:59 17:00",
    9: "08:00",  # forgot to punch out: nothing is worked until 17:00 is approved
    10: "07:55 16:00",  # an hour early
    **dict.fromkeys((11, 12, 22, 23, 24, 26, 29, 30, 31), "07:50 17:00"),
}
COLLEAGUE, COLLEAGUE_CODE = "Grace Hopper", "E-1002"
COLLEAGUE_CAME = dict.fromkeys(range(1, 6), "07:45 17:00")

BEFORE = {"Required": "184:00", "Worked": "135:05", "Overtime": "8:30", "Missing": "9:25", "Leave": "40:00"}
"""13 full days are 104:00; 2 December 7:35, 5 December 16:30, 10 December 7:00. Missing: 0:25, 1:00 and 8:00 on the ninth."""
AFTER = BEFORE | {"Worked": "143:05", "Missing": "1:25"}
"""With the ninth's 8:00. Regular 134:35 + leave 40:00 + holiday 8:00 + missing 1:25 = 184:00."""
TOTALS = AFTER | {
    "Regular": "134:35",
    "Overtime by rate": "1:00 at 150 %, 7:30 at 200 %",
    "Holiday": "8:00",
    "Late": "0:25",
    "Left early": "1:00",
    "Days present": "17",
    "Days absent": "0",
    "Days late": "1",
    "Days left early": "1",
    "Ins missing": "0",
    "Outs missing": "0",
}

PEOPLE = (
    (CODE, NAME, "Flight"),
    (COLLEAGUE_CODE, COLLEAGUE, "Flight"),
    ("E-1003", "Katherine Johnson", "Flight"),
    ("E-1004", "Margaret Hamilton", "Flight"),
    ("E-1005", "Barbara Liskov", "Office"),
    ("E-1006", "Ada Lovelace", "Office"),
    ("E-1007", "Edsger Dijkstra", "Office"),
    ("E-1008", "Radia Perlman", "Office"),
    ("E-1009", "Alan Turing", "Office"),
    ("E-1010", "Łukasz Żółć", "Office"),
)


def table(last_code: str) -> bytes:
    """As a spreadsheet in Indonesian saves it, the last person with this code. Eileen hasn't agreed yet."""
    lines = ["Kode;Nama Lengkap;Bagian;Persetujuan"]
    lines += [f"{code};{name};{department};{'' if code == CODE else 'ya'}" for code, name, department in PEOPLE[:-1]]
    lines.append(";".join((last_code, *PEOPLE[-1][1:], "ya")))
    return "\r\n".join(lines).encode("utf-8-sig")


def moments() -> list[tuple[int, str]]:
    """UTC milliseconds and code of every time that somebody stood at the door."""
    both = ((CODE, CAME), (COLLEAGUE_CODE, COLLEAGUE_CAME))
    return [
        (at(clock, date(2025, 12, day)), code) for code, came in both for day in came for clock in came[day].split()
    ]
