"""Overtime: by how much a day went over what was required, cut into bands that are paid by different factors."""

from dataclasses import dataclass

MOST_BANDS = 6


@dataclass(frozen=True, slots=True)
class Band:
    """Overtime minutes up to the `up_to_min`-th of the day (None: all that are left) at `percent` of an hour's pay."""

    up_to_min: int | None
    percent: int


@dataclass(frozen=True, slots=True)
class OvertimePart:
    percent: int
    minutes: int


PLAIN = (Band(None, 100),)


@dataclass(frozen=True, slots=True)
class Overtime:
    """Bands of ordinary days, of rest days and of holidays; raises ValueError for bands with gaps or without an end."""

    work: tuple[Band, ...] = PLAIN
    rest: tuple[Band, ...] = PLAIN
    holiday: tuple[Band, ...] = PLAIN
    least_min: int = 0
    """Less than this on one day is no overtime."""
    unit_min: int = 1
    """Counted in whole units of so many minutes, rounded down."""
    limit_min: int | None = None
    """More than this on an ordinary day is told to HR; it still counts, because it was worked."""

    def __post_init__(self) -> None:
        for name, bands in (("work", self.work), ("rest", self.rest), ("holiday", self.holiday)):
            limits = [band.up_to_min for band in bands]
            inner = [limit for limit in limits[:-1] if limit is not None]
            if not bands or limits[-1] is not None or len(inner) != len(limits) - 1:
                raise ValueError(f"overtime of {name}: every band but the last needs a limit, the last has none")
            if inner != sorted(set(inner)) or (inner and not 0 < inner[0] <= inner[-1] <= 1_440):
                raise ValueError(f"overtime of {name}: limits {inner} must rise from above 0, to at most 1440")
            if len(bands) > MOST_BANDS:
                raise ValueError(f"overtime of {name}: {len(bands)} bands; at most {MOST_BANDS} are possible")
            if any(not 0 <= band.percent <= 1_000 for band in bands):
                raise ValueError(f"overtime of {name}: percent from 0 to 1000")
        if not 0 <= self.least_min <= 1_440:
            raise ValueError(f"least_min {self.least_min}: from 0 to 1440 minutes")
        if not 1 <= self.unit_min <= 240:
            raise ValueError(f"unit_min {self.unit_min}: from 1 to 240 minutes")
        if self.limit_min is not None and not 0 <= self.limit_min <= 1_440:
            raise ValueError(f"limit_min {self.limit_min}: from 0 to 1440 minutes")


def counted(rules: Overtime, extra_min: int) -> int:
    """How much of `extra_min` is overtime; the rest is shown as not counted."""
    return 0 if extra_min < rules.least_min else extra_min - extra_min % rules.unit_min


def in_bands(bands: tuple[Band, ...], overtime_min: int) -> tuple[OvertimePart, ...]:
    """`overtime_min` cut into its bands; empty bands are left out."""
    parts: list[OvertimePart] = []
    done = 0
    for band in bands:
        upto = overtime_min if band.up_to_min is None else min(band.up_to_min, overtime_min)
        if upto > done:
            parts.append(OvertimePart(band.percent, upto - done))
            done = upto
    return tuple(parts)


# Indonesia, Government Regulation 35 of 2021: article 31 for the factors, article 26 for 4 hours a day. Not covered: the
# shorter bands of a holiday that falls on the shortest day of a six-day week, and the limit of 18 hours a week.
_WORKDAY = (Band(60, 150), Band(None, 200))
_OFF_5 = (Band(8 * 60, 200), Band(9 * 60, 300), Band(None, 400))
_OFF_6 = (Band(7 * 60, 200), Band(8 * 60, 300), Band(None, 400))
INDONESIA_5_DAYS = Overtime(_WORKDAY, _OFF_5, _OFF_5, limit_min=4 * 60)
INDONESIA_6_DAYS = Overtime(_WORKDAY, _OFF_6, _OFF_6, limit_min=4 * 60)
