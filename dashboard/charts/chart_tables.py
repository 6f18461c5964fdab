"""Each chart as it is shown: a title, a sentence that sums it up, and a table, which the script draws the chart from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from flask_babel import format_decimal, format_percent, ngettext
from flask_babel import gettext as _

from dashboard.charts import occupancy
from dashboard.charts.lateness import LateDay
from dashboard.charts.occupancy import AtTime, ByDay
from dashboard.charts.outcomes import KINDS, Door, Kind
from dashboard.charts.quarters import clock
from dashboard.web.locales import day_of_some_year


@dataclass(frozen=True)
class Series:
    """A column of figures. `colour` is a token of the style sheet without its `--chart-`; `mark` is how it is drawn."""

    title: str
    colour: str
    mark: Literal["bar", "line", "dashed"] = "bar"
    axis: Literal["left", "right"] = "left"


@dataclass(frozen=True)
class Cell:
    value: float | None
    """None: there is none, and a gap is drawn."""
    text: str


@dataclass(frozen=True)
class Chart:
    """`rows` are a label with a cell for each of the `series`. Without rows the summary says why."""

    id: str
    title: str
    summary: str
    about: str = ""
    layout: Literal["columns", "stacked"] = "columns"
    """Upright, the rows side by side; or lying and stacked, a line for each row."""
    left: str = ""
    right: str = ""
    """What the axes count."""
    row_title: str = ""
    series: Sequence[Series] = ()
    rows: Sequence[tuple[str, Sequence[Cell]]] = field(default_factory=list)


def number(value: int) -> Cell:
    return Cell(value, format_decimal(value))


def _span(quarter: int) -> str:
    return f"{clock(quarter)}–{clock(quarter + 1)}"


def arrivals(counts: Mapping[int, int]) -> Chart:
    name, title = "arrivals", _("Arrivals by time of day")
    if not counts:
        return Chart(name, title, _("Nobody came in."))
    total, busiest = sum(counts.values()), max(counts, key=lambda quarter: (counts[quarter], -quarter))
    summary = ngettext(
        "%(count)s arrival; the quarter of an hour with the most is %(span)s, with %(most)s.",
        "%(count)s arrivals; the quarter of an hour with the most is %(span)s, with %(most)s.",
        total,
        count=format_decimal(total),
        span=_span(busiest),
        most=format_decimal(counts[busiest]),
    )
    return Chart(
        name,
        title,
        summary,
        _("Each person’s first punch in of each day, all days together."),
        left=_("Arrivals"),
        row_title=_("Time"),
        series=[Series(_("Arrivals"), "accent")],
        rows=[(_span(quarter), [number(count)]) for quarter, count in counts.items()],
    )


def lateness(days: Sequence[LateDay], median_min: float | None) -> Chart:
    name, title = "lateness", _("Lateness")
    planned, late = sum(one.planned for one in days), sum(one.late for one in days)
    if not planned:
        return Chart(
            name, title, _("Nobody was due at a fixed time: no shift of these people has begun on these days.")
        )
    with_share = [(one.share, one) for one in days if one.share is not None]
    worst = max(with_share, key=lambda pair: pair[0])[1]
    if median_min is None:
        summary = ngettext(
            "Nobody was late; people were due %(count)s time.",
            "Nobody was late; people were due %(count)s times.",
            planned,
            count=format_decimal(planned),
        )
    else:
        summary = _(
            "Of %(planned)s times that people were due, they came late %(late)s times (%(share)s), half of these by at most"
            " %(minutes)s minutes. The most on %(day)s: %(worst)s of %(due)s.",
            planned=format_decimal(planned),
            late=format_decimal(late),
            share=_share(late, planned),
            minutes=format_decimal(median_min),
            day=day_of_some_year(worst.day),
            worst=format_decimal(worst.late),
            due=format_decimal(worst.planned),
        )
    return Chart(
        name,
        title,
        summary,
        _(
            "People due for a fixed shift, after holidays and leave; late as their shift’s rules and corrections have it."
        ),
        left=_("Late, % of people due"),
        right=_("Median minutes late"),
        row_title=_("Day"),
        series=[
            Series(_("Late, share"), "warn"),
            Series(_("Median minutes late"), "ink", "line", "right"),
            Series(_("Late"), "none"),
            Series(_("Due"), "none"),
        ],
        rows=[(day_of_some_year(one.day), _late_cells(one)) for one in days],
    )


def _late_cells(one: LateDay) -> list[Cell]:
    share = Cell(None, "–") if one.share is None else Cell(round(one.share * 100, 1), format_percent(one.share, "0.0%"))
    minutes = Cell(None, "–") if one.median_min is None else Cell(one.median_min, format_decimal(one.median_min))
    return [share, minutes, number(one.late), number(one.planned)]


def people_in(days: ByDay, one_day: bool, forgotten: int) -> Chart:
    """`one_day`: `days` holds one, and its counts are shown; else mean and highest of all."""
    name, title, fullest = "occupancy", _("People in by time of day"), occupancy.fullest(days)
    if fullest is None:
        return Chart(name, title, _("Nobody was in."))
    count, day, quarter = fullest
    summary = ngettext(
        "The most at once was %(count)s person, on %(day)s at %(time)s.",
        "The most at once were %(count)s people, on %(day)s at %(time)s.",
        count,
        count=format_decimal(count),
        day=day_of_some_year(day),
        time=clock(quarter),
    )
    if forgotten:
        summary += " " + ngettext(
            "%(count)s punch in without a later punch is left out.",
            "%(count)s punches in without a later punch are left out.",
            forgotten,
            count=format_decimal(forgotten),
        )
    times = occupancy.by_time(days)
    about = _("In from a punch in until the person’s next punch, at most 16 hours.")
    series = [Series(_("People in"), "accent", "line")]
    if not one_day:
        about += " " + _("Mean and highest of the days on which anybody was in.")
        series = [Series(_("Mean"), "accent", "line"), Series(_("Highest"), "warn", "dashed")]
    return Chart(
        name,
        title,
        summary,
        about,
        left=_("People in"),
        row_title=_("Time"),
        series=series,
        rows=[(clock(quarter), _in_cells(at, one_day)) for quarter, at in times.items()],
    )


def _in_cells(at: AtTime, one_day: bool) -> list[Cell]:
    if one_day:
        return [number(at.highest)]
    return [Cell(round(at.mean, 1), format_decimal(at.mean, "#,##0.0")), number(at.highest)]


def kind_words(kind: Kind) -> str:
    """As the log calls them."""
    words: dict[Kind, str] = {
        "recorded": _("Recorded"),
        "repeated": _("Repeated"),
        "unrecognised": _("Not recognised"),
        "alike": _("Two looked too alike"),
        "picture": _("Looked like a picture"),
        "inactive": _("Deactivated person"),
    }
    return words[kind]


def outcomes(doors: Sequence[Door], labels: Mapping[str, str], of_people: bool) -> Chart:
    """`labels` are the kiosks' by name. `of_people`: only decisions on people of the filter are counted."""
    name, title = "outcomes", _("Recognition at each kiosk")
    total = sum(door.total for door in doors)
    if not total:
        return Chart(name, title, _("Nobody stood in front of a kiosk."))
    summary = ngettext(
        "%(count)s decision: %(recorded)s recorded, %(repeated)s repeated.",
        "%(count)s decisions: %(recorded)s recorded, %(repeated)s repeated.",
        total,
        count=format_decimal(total),
        recorded=_share(sum(door.counts["recorded"] for door in doors), total),
        repeated=_share(sum(door.counts["repeated"] for door in doors), total),
    )
    worst = max(doors, key=lambda door: door.refused / door.total)
    if worst.refused:
        summary += " " + _(
            "%(share)s were not recognised or looked wrong, the largest share at %(kiosk)s: %(refused)s of %(total)s.",
            share=_share(sum(door.refused for door in doors), total),
            kiosk=_door_words(worst.name, labels),
            refused=format_decimal(worst.refused),
            total=format_decimal(worst.total),
        )
    about = _("Every presence in front of a kiosk that a worker decided on, once.")
    if of_people:
        about = _(
            "Decisions on these people. Whoever wasn’t recognised belongs to no department and isn’t counted here."
        )
    return Chart(
        name,
        title,
        summary,
        about,
        layout="stacked",
        left=_("Decisions"),
        row_title=_("Kiosk"),
        series=[Series(kind_words(kind), kind) for kind in KINDS],
        rows=[(_door_words(door.name, labels), [number(door.counts[kind]) for kind in KINDS]) for door in doors],
    )


def _share(part: int, total: int) -> str:
    words: str = format_percent(part / total, "0.0%")
    return words


def _door_words(name: str, labels: Mapping[str, str]) -> str:
    return (labels.get(name) or name) if name else _("Other kiosks")


def too_many(name: str, title: str, most: int) -> Chart:
    words = _(
        "The period holds more than %(most)s punches of these people: choose a shorter period or a department.",
        most=format_decimal(most),
    )
    return Chart(name, title, words)


def too_many_planned(people: int, person_days: int) -> Chart:
    words = _(
        "Lateness is worked out for up to %(people)s people, and %(days)s people times days: choose a shorter period or a"
        " department.",
        people=format_decimal(people),
        days=format_decimal(person_days),
    )
    return Chart("lateness", _("Lateness"), words)
