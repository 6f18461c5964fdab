"""Reading a form: values by name, and for what is wrong words by name, so that a refused form keeps what was typed."""

from collections.abc import Iterable, Mapping
from datetime import date

from flask_babel import gettext as _

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
            self.problems[name] = _("%(label)s: is missing", label=label)
        elif len(typed) > longest or not typed.isprintable():
            self.problems[name] = _(
                "%(label)s: at most %(longest)s printable characters, got %(count)s",
                label=label,
                longest=longest,
                count=len(typed),
            )
        return typed

    def number(self, name: str, label: str, low: int, high: int, default: int | None = None) -> int | None:
        typed = self._typed(name)
        if not typed:
            return default
        value = int(typed) if typed.isascii() and typed.isdecimal() and len(typed) <= 9 else None
        if value is None or not low <= value <= high:
            self.problems[name] = _(
                "%(label)s “%(typed)s”: a whole number from %(low)s to %(high)s is needed",
                label=label,
                typed=typed[:40],
                low=low,
                high=high,
            )
            return default
        return value

    def day(self, name: str, label: str) -> date | None:
        typed = self._typed(name)
        try:
            day = date.fromisoformat(typed[:40])
        except ValueError:
            self.problems[name] = _("%(label)s “%(typed)s”: write a date as 2026-11-23", label=label, typed=typed[:40])
            return None
        if not FIRST_DAY <= day <= LAST_DAY:
            self.problems[name] = _(
                "%(label)s “%(typed)s”: outside %(first)s to %(last)s",
                label=label,
                typed=typed[:40],
                first=FIRST_DAY.year,
                last=LAST_DAY.year,
            )
            return None
        return day

    def minute(self, name: str, label: str) -> int | None:
        """Minutes after midnight of a time such as 08:30; None without a problem when it was left empty."""
        typed = self._typed(name)
        if not typed:
            return None
        hours, minutes = typed.partition(":")[::2]
        plain = all(part.isascii() and part.isdecimal() and len(part) <= 2 for part in (hours, minutes))
        if not plain or int(hours) > 23 or int(minutes) > 59:
            self.problems[name] = _("%(label)s “%(typed)s”: write a time as 08:30", label=label, typed=typed[:40])
            return None
        return int(hours) * 60 + int(minutes)

    def choice(self, name: str, label: str, known: Iterable[str]) -> str:
        typed, known = self._typed(name), list(known)
        if typed not in known:
            self.problems[name] = _(
                "%(label)s “%(typed)s”: choose one of %(known)s",
                label=label,
                typed=typed[:40],
                known=", ".join(filter(None, known)),
            )
            return known[0]
        return typed
