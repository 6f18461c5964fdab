"""What docs/accuracy.md shows: the rows, the command of each, and Markdown tables with a column a model from their results."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

Figures = dict[str, Any]
Data = Literal["lfw", "nuaa", "fairface"]
NONE = "–"
FOLDERS: dict[Data, str] = {"lfw": "LFW", "nuaa": "NUAA/live", "fairface": "FAIRFACE/test"}
"""What a command shows instead of a machine's own folder."""


@dataclass(frozen=True)
class Row:
    """One run of `attendance evaluate`, and its lines: label → figure, from result.json."""

    name: str
    title: str
    data: Data | None
    lines: Callable[[Figures], Iterator[tuple[str, str]]]

    @property
    def command(self) -> str:
        what = "--cost" if self.data is None else f"--protocol {self.name} --data {FOLDERS[self.data]}"
        return f"attendance evaluate --model MODEL {what} --json"


def _view2(found: Figures) -> Iterator[tuple[str, str]]:
    yield "accuracy", f"{_rate(found['accuracy'])} ± {_rate(found['accuracy_std'])}"
    yield "AUC", _rate(found["auc"])
    yield "EER", _rate(found["eer"])
    for far in ("0.01", "0.001"):
        yield f"TAR at FAR {far}", _tar(found, far)


def _all(found: Figures) -> Iterator[tuple[str, str]]:
    yield "AUC", _rate(found["auc"])
    yield "EER", _rate(found["eer"])
    for far in found["tar_at_far"]:
        yield f"TAR at FAR {far}", _tar(found, far)


def _thesis(found: Figures) -> Iterator[tuple[str, str]]:
    yield "accuracy (thesis: 0.921)", f"{_rate(found['accuracy'])} ± {_rate(found['accuracy_std'])}"
    yield "AUC (thesis: 0.97)", _rate(found["published_auc"])
    yield "section 3.3.3's mean over mini-batches", _rate(found["mean_batch_accuracy"])


def _pairs30(found: Figures) -> Iterator[tuple[str, str]]:
    best = found["best_thresholds"]
    yield "right of 30 at the best thresholds", f"{found['best_correct']} at {best[0]:.1f} … {best[-1]:.1f}"
    for threshold in ("1.0", "2.0", "3.0", "4.0", "5.0"):
        yield f"right of 30 at {threshold}", str(found["correct_at"][threshold])


def _identify(found: Figures) -> Iterator[tuple[str, str]]:
    for row in found["galleries"]:
        people = f"{row['gallery']} people"
        yield f"{people}: rank 1", _rate(row["rank_1"])
        for fpir, at in row["fnir_at_fpir"].items():
            yield f"{people}: FNIR at FPIR {fpir}", NONE if at is None else _rate(at["fnir"])


def _quality(found: Figures) -> Iterator[tuple[str, str]]:
    for name, row in found["rows"].items():
        yield f"{name}: accuracy", f"{_rate(row['accuracy'])} ± {_rate(row['accuracy_std'])}"
        yield f"{name}: TAR at FAR 0.001", _tar(row, "0.001")
        for rate, at in row["at_model_thresholds"].items():
            yield f"{name}: TAR at its threshold for {rate}", _rate(at["tar"])
    for name, row in found["poses"].items():
        pairs = f"{row['genuine_pairs']:,} + {row['impostor_pairs']:,} pairs"
        yield f"{name} ({pairs}): accuracy", _rate(row["accuracy"])
        for rate, at in row["at_model_thresholds"].items():
            yield f"{name}: TAR at its threshold for {rate}", _rate(at["tar"])


def _takes(found: Figures) -> Iterator[tuple[str, str]]:
    yield "genuine and impostor pairs", f"{found['genuine_pairs']:,} and {found['impostor_pairs']:,}"
    yield "EER", _rate(found["eer"])
    for far in ("0.01", "0.001"):
        yield f"TAR at FAR {far}", _tar(found, far)
    for name, row in found["at_threshold"].items():
        at = "as served" if name == "served" else f"at its threshold for {name}"
        yield f"{at}: takes recognised", f"{row['presences_recognised']} of {row['presences']}"
        yield f"{at}: single frames recognised", f"{row['frames_recognised']} of {row['frames']}"
        yield f"{at}: takes and frames named wrongly", f"{row['presences_confused']} and {row['frames_confused']}"


def _groups(found: Figures) -> Iterator[tuple[str, str]]:
    for rate, worst in found["worst_group_at"].items():
        yield (
            f"at its threshold for {rate}: worst group",
            f"{worst['group']}: {_interval(worst['rate'], worst['interval'])}",
        )
    for group, row in found["groups"].items():
        for rate, at in row["at_model_thresholds"].items():
            yield f"at its threshold for {rate}: {group}", _interval(at["rate"], at["interval"])


def _cost(found: Figures) -> Iterator[tuple[str, str]]:
    parameters, size = found["parameters"], found["weights_bytes"]
    yield "parameters", NONE if parameters is None else f"{parameters:,}"
    yield "weights on disk", NONE if size is None else f"{size / 1e6:.1f} MB"
    for precision, row in found["precisions"].items():
        label = f"{precision}, --threads {found['threads']}"
        yield f"{label}: ms for one face", f"{row['ms_one_face']:.1f}"
        yield f"{label}: faces a second, 8 at a time", f"{row['faces_a_second_in_batches_of_8']:.0f}"
        if precision != "f32":
            yield f"{precision}: largest angle to f32", f"{row['largest_angle_degrees']:.2f}°"


ROWS = (
    Row("lfw-view2", "LFW, View 2", "lfw", _view2),
    Row("lfw-all", "LFW, every pair (95 % intervals over people)", "lfw", _all),
    Row("thesis", "The thesis' protocol: 10,000 random triplets of LFW", "lfw", _thesis),
    Row("pairs30", "The thesis' table of 30 pairs", "lfw", _pairs30),
    Row("identify", "LFW, one of many: one enrolment picture each", "lfw", _identify),
    Row("quality", "LFW, View 2 with bad second pictures, and by pose", "lfw", _quality),
    Row("takes", "NUAA: enrolled from one take, recognised in another", "nuaa", _takes),
    Row("groups", "FairFace: false matches between strangers of one group", "fairface", _groups),
    Row("cost", "Cost on a CPU", None, _cost),
)


def markdown(results: Mapping[str, Mapping[str, Figures]]) -> str:
    """Tables from results by model and row's name, in the order of ROWS; a row that nobody has is left out."""
    return "\n".join(_table(row, results) for row in ROWS if any(row.name in found for found in results.values()))


def _table(row: Row, results: Mapping[str, Mapping[str, Figures]]) -> str:
    """Labels that one model alone has (its thresholds are for other rates) are empty for the others."""
    columns = {model: dict(row.lines(found[row.name])) if row.name in found else {} for model, found in results.items()}
    labels = list(dict.fromkeys(label for lines in columns.values() for label in lines))
    heading = f"| {row.name} | {' | '.join(columns)} |\n| --- |{' --- |' * len(columns)}"
    body = [f"| {label} | {' | '.join(lines.get(label, NONE) for lines in columns.values())} |" for label in labels]
    return "\n".join([f"## {row.title}", "", f"`{row.command}`", "", heading, *body, ""])


def _rate(value: float | None) -> str:
    """Four digits, or two that count where it is tiny."""
    if value is None:
        return NONE
    return f"{value:.4f}" if value == 0 or value >= 1e-3 else f"{value:.1e}"


def _interval(rate: float, interval: list[float]) -> str:
    return f"{_rate(rate)} ({_rate(interval[0])}–{_rate(interval[1])})"


def _tar(found: Figures, far: str) -> str:
    """With its interval, or with the number of errors that it rests on where they are few."""
    point = found["tar_at_far"].get(far)
    if point is not None:
        return _interval(point["tar"], point["interval"])
    few = found.get("tar_at_far_with_few_errors", {}).get(far)
    return NONE if few is None else f"{_rate(few['tar'])} ({few['false_accepts']} false accepts)"
