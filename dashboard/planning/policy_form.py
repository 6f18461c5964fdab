"""The rules of a pattern beside its shifts, as fields of its form and back. Lengths are minutes unless said otherwise."""

from collections.abc import Mapping, Sequence

from flask_babel import gettext as _

from dashboard.days.breaks import MOST_RUNGS, AutomaticBreak, Breaks
from dashboard.days.clock import DAY_MIN
from dashboard.days.overtime import MOST_BANDS, Band, Overtime
from dashboard.days.policy import AutoOut, Policy
from dashboard.days.rounding import Rounding
from dashboard.planning.pattern_choices import (
    ARRIVALS,
    AUTO_OUTS,
    BANDS,
    DEPARTURES,
    OVERTIME_WORDS,
    OVERTIMES,
    OWN,
    READINGS,
    UNITS,
)
from dashboard.planning.shift_form import clock
from dashboard.web.forms import Form

HALF_DAY = 12 * 60


def fields_of(policy: Policy) -> dict[str, str]:
    overtime, breaks = policy.overtime, policy.breaks
    fields = {
        "reading": policy.reading,
        "cooldown": str(policy.cooldown_s),
        "grace_in": str(policy.grace_in_min),
        "grace_out": str(policy.grace_out_min),
        "unit": str(policy.rounding.unit_min),
        "arrivals": policy.rounding.arrivals,
        "departures": policy.rounding.departures,
        "paid": str(breaks.paid_min),
        "longest": str(breaks.longest_min),
        "overtime": next((key for key, rule in OVERTIMES.items() if rule == overtime), OWN),
        "overtime_least": str(overtime.least_min),
        "overtime_unit": str(overtime.unit_min),
        "overtime_limit": "" if overtime.limit_min is None else str(overtime.limit_min),
        "minimum": str(policy.minimum_min),
        "maximum": "" if policy.maximum_min is None else str(policy.maximum_min),
        "auto_out": policy.auto_out.at,
        "auto_limit": str(policy.auto_out.limit_min),
        "turns_at": clock(policy.turns_at_min),
        "before": str(policy.before_min),
        "after": str(policy.after_min),
    }
    for row, rung in enumerate(breaks.automatic):
        fields |= {f"rung_{row}_after": str(rung.after_min), f"rung_{row}_break": str(rung.break_min)}
    for days, bands in (("work", overtime.work), ("rest", overtime.rest), ("holiday", overtime.holiday)):
        for row, band in enumerate(bands):
            fields[f"{days}_{row}_up_to"] = "" if band.up_to_min is None else str(band.up_to_min)
            fields[f"{days}_{row}_percent"] = str(band.percent)
    return fields


def shown(values: Mapping[str, str], start: str, ends: Sequence[str], most: int) -> int:
    """How many rows of a table a form shows: those that were given, and one more."""
    given = (row for row in range(most) if any(values.get(f"{start}_{row}_{end}", "").strip() for end in ends))
    return min(most, max(given, default=-1) + 2)


def read_policy(form: Form) -> Policy | None:
    """None where `form.problems` says what is wrong, of this or of what was read before."""
    rounding = Rounding(
        int(form.choice("unit", _("Rounded to"), UNITS)),
        form.choice("arrivals", _("Arrivals"), ARRIVALS),  # type: ignore[arg-type]
        form.choice("departures", _("Departures"), DEPARTURES),  # type: ignore[arg-type]
    )
    reading = form.choice("reading", _("In and out"), READINGS)
    cooldown = form.number("cooldown", _("Double punches"), 0, 3_600, 0)
    grace_in = form.number("grace_in", _("Grace at the start"), 0, 240, 0)
    grace_out = form.number("grace_out", _("Grace at the end"), 0, 240, 0)
    breaks, overtime = _read_breaks(form), _read_overtime(form)
    minimum = form.number("minimum", _("Least minutes of a day"), 0, DAY_MIN, 0)
    maximum = form.number("maximum", _("Most minutes of a day"), 0, DAY_MIN)
    if maximum is not None and minimum is not None and maximum < minimum:
        form.problems["maximum"] = _("Most minutes of a day: less than the least, %(least)s", least=minimum)
    auto_out = form.choice("auto_out", _("An out that is missing"), AUTO_OUTS)
    auto_limit = form.number("auto_limit", _("Minutes until it is assumed"), 1, DAY_MIN, AutoOut().limit_min)
    turns_at = form.minute("turns_at", _("The day turns at"))
    if turns_at is None:
        form.problems.setdefault("turns_at", _("The day turns at: is missing"))
    elif turns_at > HALF_DAY:
        form.problems["turns_at"] = _("The day turns at: from 00:00 to 12:00")
    before = form.number("before", _("Minutes before a shift"), 0, HALF_DAY, 0)
    after = form.number("after", _("Minutes after a shift"), 0, HALF_DAY, 0)
    if form.problems:
        return None
    return Policy(
        reading=reading,  # type: ignore[arg-type]
        cooldown_s=cooldown or 0,
        grace_in_min=grace_in or 0,
        grace_out_min=grace_out or 0,
        rounding=rounding,
        breaks=breaks,
        overtime=overtime,
        minimum_min=minimum or 0,
        maximum_min=maximum,
        auto_out=AutoOut(auto_out, auto_limit or 1),  # type: ignore[arg-type]
        turns_at_min=turns_at or 0,
        before_min=before or 0,
        after_min=after or 0,
    )


def _read_breaks(form: Form) -> Breaks:
    rungs: list[AutomaticBreak] = []
    for row in range(MOST_RUNGS):
        keys = f"rung_{row}_after", f"rung_{row}_break"
        after = form.number(keys[0], _("Break %(row)s, due after", row=row + 1), 0, DAY_MIN)
        length = form.number(keys[1], _("Break %(row)s, length", row=row + 1), 1, 480)
        if after is None or length is None:
            if (after is None) != (length is None) and not set(keys) & set(form.problems):
                words = _("Break %(row)s: give both after how long and how long, or neither", row=row + 1)
                form.problems[keys[0] if after is None else keys[1]] = words
            continue
        if rungs and (after <= rungs[-1].after_min or length <= rungs[-1].break_min):
            words = _("Break %(row)s: must be due later than the one before it, and be longer", row=row + 1)
            form.problems[keys[0] if after <= rungs[-1].after_min else keys[1]] = words
            continue
        rungs.append(AutomaticBreak(after, length))
    paid = form.number("paid", _("Paid minutes of punched breaks"), 0, DAY_MIN, 0)
    longest = form.number("longest", _("Longest break"), 0, DAY_MIN, Breaks().longest_min)
    return Breaks(tuple(rungs), paid or 0, 0 if longest is None else longest)


def _read_overtime(form: Form) -> Overtime:
    """A set that is ready, or the figures of one's own, which count for nothing beside a set."""
    chosen = form.choice("overtime", _("Overtime"), OVERTIME_WORDS)
    if chosen != OWN:
        return OVERTIMES[chosen]
    bands = {days: _read_bands(form, days) for days in BANDS}
    least = form.number("overtime_least", _("Least overtime"), 0, DAY_MIN, 0)
    unit = form.number("overtime_unit", _("Unit of overtime"), 1, 240, 1)
    limit = form.number("overtime_limit", _("Limit of overtime"), 0, DAY_MIN)
    if form.problems:
        return Overtime()
    return Overtime(**bands, least_min=least or 0, unit_min=unit or 1, limit_min=limit)


def _read_bands(form: Form, days: str) -> tuple[Band, ...]:
    bands: list[Band] = []
    where = str(BANDS[days])
    rows = [
        row for row in range(MOST_BANDS) if _typed(form, f"{days}_{row}_up_to") or _typed(form, f"{days}_{row}_percent")
    ]
    if not rows:
        form.problems[f"{days}_0_percent"] = _("%(days)s: give at least one band’s percent", days=where)
    for row in rows:
        keys, named = (f"{days}_{row}_up_to", f"{days}_{row}_percent"), {"days": where, "row": row + 1}
        up_to = form.number(keys[0], _("%(days)s, band %(row)s, up to", **named), 1, DAY_MIN)
        percent = form.number(keys[1], _("%(days)s, band %(row)s, percent", **named), 0, 1_000)
        if percent is None:
            form.problems.setdefault(keys[1], _("%(days)s, band %(row)s, percent: is missing", **named))
        if row == rows[-1] and up_to is not None:
            form.problems[keys[0]] = _("%(days)s, band %(row)s: the last has no limit, leave it empty", **named)
        elif row != rows[-1] and up_to is None:
            form.problems.setdefault(
                keys[0], _("%(days)s, band %(row)s: every band but the last needs a limit", **named)
            )
        elif up_to is not None and bands and up_to <= (bands[-1].up_to_min or 0):
            form.problems[keys[0]] = _(
                "%(days)s, band %(row)s: its limit must be above that of the band before it", **named
            )
        bands.append(Band(up_to, percent or 0))
    return tuple(bands)


def _typed(form: Form, name: str) -> bool:
    return bool(form.values.get(name, "").strip())
