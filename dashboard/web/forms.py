"""Reading a form: values by name, and for what is wrong words by name, so that a refused form keeps what was typed."""

from collections.abc import Iterable, Mapping
from datetime import date

from dashboard.months.asked_days import FIRST_DAY, LAST_DAY


class Form:
    """`problems` collects what is wrong; what couldn't be read is given back as the default."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self.values = values
        self.problems: dict[str, str] = {}

    def _typed(self, name: str) -> str:
        return self.values.get(name, "").strip()

    def text(self, name: str, label: str, longest: int, needed: bool = True) -> str:
        typed = self._typed(name)
        if needed and not typed:
            self.problems[name] = f"{label}: is missing"
        elif len(typed) > longest or not typed.isprintable():
            self.problems[name] = f"{label}: at most {longest} printable characters, got {len(typed)}"
        return typed

    def number(self, name: str, label: str, low: int, high: int, default: int | None = None) -> int | None:
        typed = self._typed(name)
        if not typed:
            return default
        value = int(typed) if typed.isascii() and typed.isdecimal() and len(typed) <= 9 else None
        if value is None or not low <= value <= high:
            self.problems[name] = f"{label} “{typed[:40]}”: a whole number from {low} to {high} is needed"
            return default
        return value

    def day(self, name: str, label: str) -> date | None:
        typed = self._typed(name)
        try:
            day = date.fromisoformat(typed[:40])
        except ValueError:
            self.problems[name] = f"{label} “{typed[:40]}”: write a date as 2026-11-23"
            return None
        if not FIRST_DAY <= day <= LAST_DAY:
            self.problems[name] = f"{label} “{typed[:40]}”: outside {FIRST_DAY.year} to {LAST_DAY.year}"
            return None
        return day

    def minute(self, name: str, label: str) -> int | None:
        """Minutes after midnight of a time such as 08:30; None without a problem when it was left empty."""
        typed = self._typed(name)
        if not typed:
            return None
        hours, _, minutes = typed.partition(":")
        plain = all(part.isascii() and part.isdecimal() and len(part) <= 2 for part in (hours, minutes))
        if not plain or int(hours) > 23 or int(minutes) > 59:
            self.problems[name] = f"{label} “{typed[:40]}”: write a time as 08:30"
            return None
        return int(hours) * 60 + int(minutes)

    def choice(self, name: str, label: str, known: Iterable[str]) -> str:
        typed, known = self._typed(name), list(known)
        if typed not in known:
            self.problems[name] = f"{label} “{typed[:40]}”: choose one of {', '.join(filter(None, known))}"
            return known[0]
        return typed
