"""Tables and plots of docs/performance.md, made from the JSON of one run so that nobody copies a figure by hand."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from deploy.errors import Problem

BEGIN, END = "<!-- bench: begin -->", "<!-- bench: end -->"
Figures = dict[str, Any]


def markdown(figures: Figures) -> str:
    """One section for each part that was measured."""
    made = [_machine(figures)]
    if "by_size" in figures:
        made += [_speed(figures), _found(figures)]
    if "embed_ms" in figures:
        made.append(_embed(figures))
    if "gallery_ms" in figures:
        made.append(_gallery(figures))
    if "latency_ms" in figures:
        made.append(_stream(figures))
    if "kiosks" in figures:
        made.append(_kiosks(figures))
    if "workers" in figures:
        made.append(_workers(figures))
    return "\n\n".join(made)


def write_tables(path: Path, figures: Figures) -> None:
    """Replace what stands between the marks of a Markdown file; raises Problem when it has none."""
    try:
        text = path.read_text()
    except OSError as error:
        raise Problem(f"--tables {path}: {error.strerror}") from None
    if text.count(BEGIN) != 1 or text.count(END) != 1 or text.index(BEGIN) > text.index(END):
        raise Problem(f"--tables {path}: expected one line {BEGIN} and below it one line {END}")
    head, rest = text.split(BEGIN)
    path.write_text(f"{head}{BEGIN}\n{markdown(figures)}\n{END}{rest.split(END)[1]}")


def write_plots(folder: Path, figures: Figures) -> list[Path]:
    """SVG files of the parts that were measured."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams.update({"svg.hashsalt": "bench", "svg.fonttype": "none", "font.size": 9})
    from matplotlib import pyplot

    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, wanted, draw in (
        ("bench-speed.svg", "by_size", _draw_speed),
        ("bench-stages.svg", "stages_ms", _draw_stages),
        ("bench-kiosks.svg", "kiosks", _draw_kiosks),
    ):
        if wanted in figures:
            picture, axes = pyplot.subplots(figsize=(5.6, 2.6), layout="constrained")
            draw(axes, figures)
            axes.spines[["top", "right"]].set_visible(False)
            picture.savefig(folder / name, metadata={"Date": None})
            pyplot.close(picture)
            written.append(folder / name)
    return written


# --- plots ---------------------------------------------------------------------------------------------------------


def _draw_speed(axes: Any, figures: Figures) -> None:
    sizes = list(figures["by_size"])
    for offset, key, label in ((-0.2, "baseline_fps", "MTCNN + ResNet-50, in torch"), (0.2, "fps", "this worker")):
        values = [figures["by_size"][size][key] for size in sizes]
        bars = axes.barh([i + offset for i in range(len(sizes))], values, height=0.38, label=label)
        axes.bar_label(bars, padding=3)
    axes.set_yticks(range(len(sizes)), sizes)
    axes.set_xlabel("frames a second")
    axes.legend(frameon=False)


def _draw_stages(axes: Any, figures: Figures) -> None:
    left = 0.0
    for name, values in figures["stages_ms"].items():
        width = values["p50"] or 0.0
        axes.barh([0], [width], left=[left], height=0.5, label=f"{name} {width:g}")
        left += width
    axes.set_yticks([])
    axes.set_xlabel("ms from the shutter to the answer, median of each stage")
    axes.legend(frameon=False, ncols=3, loc="upper center", bbox_to_anchor=(0.5, 1.25))


def _draw_kiosks(axes: Any, figures: Figures) -> None:
    rows = figures["kiosks"]
    for key in ("p50_ms", "p95_ms"):
        axes.plot([row["n"] for row in rows], [row[key] for row in rows], marker="o", label=key.removesuffix("_ms"))
    axes.set_xscale("log", base=2)
    axes.set_xticks([row["n"] for row in rows], [str(row["n"]) for row in rows])
    axes.set_ylim(bottom=0)
    axes.set_xlabel("kiosks, one worker")
    axes.set_ylabel("ms to the answer")
    axes.legend(frameon=False)


# --- tables --------------------------------------------------------------------------------------------------------


def _table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "| --- " * len(head) + "|"]
    return "\n".join([*lines, *("| " + " | ".join(_cell(value) for value in row) + " |" for row in rows)])


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def _machine(figures: Figures) -> str:
    m, versions = figures["machine"], figures["versions"]
    packages = ", ".join(f"{name} {version}" for name, version in versions.items() if version)
    load = " · ".join(str(value) for value in m["load_average"])
    return (
        f"`{figures['command']}` on {m['cpu']}, {m['cores']} cores, {m['memory_gb']} GB, "
        f"{m['accelerator'] or 'no accelerator'}, {m['os']}. Highest load average at a start: {load}. "
        f"Recogniser {figures['recogniser']} (`{figures['model_id']}`), {figures['threads']} threads. {packages}."
    )


def _speed(figures: Figures) -> str:
    rows = [
        (
            size,
            r["baseline_fps"],
            r["fps"],
            f"{r['speedup']}×",
            r["detect_ms"],
            r["embed_ms_a_frame"],
            r["embedded_share"],
        )
        for size, r in figures["by_size"].items()
    ]
    head = ("frames", "base line, fps", "ours, fps", "ratio", "detect, ms", "embed, ms a frame", "frames embedded")
    return f"### Against the obvious stack\n\nResNet-50 weights: {figures['weights']}.\n\n{_table(head, rows)}"


def _found(figures: Figures) -> str:
    rows = [(n, r["pictures"], r["faces"], r["found_ratio"], r["extra_boxes"]) for n, r in figures["found_on"].items()]
    rows.append(
        ("together", *(sum(row[i] for row in rows) for i in (1, 2)), figures["found_ratio"], figures["extra_boxes"])
    )
    return "### The same faces\n\n" + _table(("set", "pictures", "faces", "found_ratio", "extra_boxes"), rows)


def _embed(figures: Figures) -> str:
    rows = [(name, *times.values()) for name, times in figures["embed_ms"].items()]
    batches = list(next(iter(figures["embed_ms"].values())))
    return "### Embedding, ms a face\n\n" + _table(("network", *(f"batch of {n}" for n in batches)), rows)


def _gallery(figures: Figures) -> str:
    rows = [
        (int(n), ms, figures["gallery_batch_ms"][n], figures["gallery_memory_mb"][n])
        for n, ms in figures["gallery_ms"].items()
    ]
    same = "identical to" if figures["gallery_identical"] else "**different from**"
    head = ("templates", "one probe, ms", "a probe in batches of 16, ms", "memory, MB")
    words = f"Answers {same} brute force in float32 ({figures['gallery_probes_checked']} probes)."
    return f"### Search in the gallery\n\n{words}\n\n{_table(head, rows)}"


def _stream(figures: Figures) -> str:
    late, accept = figures["latency_ms"], figures["accept_s"]
    rows = [(name, values["p50"], values["p95"]) for name, values in figures["stages_ms"].items()]
    words = (
        f"Shutter to answer: p50 {late['p50']}, p95 {late['p95']}, p99 {late['p99']} ms over {figures['stream_frames']} "
        f"frames, {figures['stream_drops']} without an answer. Named after standing still: p50 {accept['p50']}, p95 "
        f"{accept['p95']} s ({accept['accepted']} of {accept['visits']} visits). "
        f"Nobody there: {figures['idle_frames_per_s']} frames a second leave the kiosk."
    )
    return f"### One kiosk at 10 frames a second\n\n{words}\n\n{_table(('stage', 'p50, ms', 'p95, ms'), rows)}"


def _kiosks(figures: Figures) -> str:
    rows = [
        (r["n"], r["offered_fps"], r["p50_ms"], r["p95_ms"], r["offered"], r["drops"], r["jain"])
        for r in figures["kiosks"]
    ]
    head = ("kiosks", "offered, fps", "p50, ms", "p95, ms", "frames", "drops", "Jain index")
    return "### Many kiosks, one worker\n\n" + _table(head, rows)


def _workers(figures: Figures) -> str:
    rows = [
        (r["workers"], r["threads"], r["kiosks"], r["offered_fps"], r["answered_fps"], r["p95_ms"], r["jain"])
        for r in figures["workers"]
    ]
    head = ("workers", "threads each", "kiosks", "offered, fps", "answered, fps", "p95, ms", "Jain index")
    return "### More than one worker can take\n\n" + _table(head, rows)
