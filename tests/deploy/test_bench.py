"""The benchmark's own arithmetic, plans and reports; what it measures is measured elsewhere, never timed in a test."""

import json
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from deploy.bench import gallery, kiosks, report, run, stream, workers
from deploy.bench.figures import jain, median_ms, percentiles
from deploy.bench.found import Count
from deploy.bench.load import Answer, Planned, Played, Player
from deploy.cli import app
from deploy.errors import Problem
from tests.conftest import RedisPair
from worker.protocol import keys
from worker.protocol.entries import Feedback, Frame, as_any
from worker.protocol.outcomes import Outcome

FIGURES: dict[str, Any] = {
    "command": "attendance bench --json",
    "machine": {
        "cpu": "a processor",
        "cores": 2,
        "memory_gb": 8.0,
        "os": "Linux",
        "load_average": [0.1, 0.2, 0.3],
        "accelerator": None,
    },
    "versions": {"python": "3.11", "torch": None},
    "threads": 2,
    "recogniser": "sface",
    "model_id": "sface-0",
    "weights": "random, bench only",
    "by_size": {
        size: {
            "baseline_fps": 5.0,
            "fps": 50.0,
            "speedup": 10.0,
            "detect_ms": 9,
            "embed_ms_a_frame": 8,
            "embedded_share": 0.3,
        }
        for size in ("640x480", "1280x720")
    },
    "found_ratio": 0.99,
    "extra_boxes": 1,
    "found_on": {"scene": {"pictures": 4, "faces": 4, "found_ratio": 0.99, "extra_boxes": 1}},
    "embed_ms": {"sface": {"1": 5.0, "4": 4.0}},
    "gallery_ms": {"1000": 0.05},
    "gallery_batch_ms": {"1000": 0.01},
    "gallery_memory_mb": {"1000": 1.0},
    "gallery_identical": True,
    "gallery_probes_checked": 16,
    "latency_ms": {"p50": 40.0, "p95": 60.0, "p99": None},
    "stages_ms": {"queue": {"p50": 3.0, "p95": 9.0}, "rest": {"p50": None, "p95": None}},
    "accept_s": {"p50": 0.5, "p95": 0.9, "visits": 5, "accepted": 5},
    "stream_frames": 100,
    "stream_drops": 0,
    "idle_frames_per_s": 0.5,
    "kiosks": [
        {
            "n": n,
            "p50_ms": 30.0,
            "p95_ms": 50.0,
            "drops": 0,
            "jain": 1.0,
            "offered": 10,
            "offered_fps": 1.0,
            "sent_late": 0,
        }
        for n in (1, 4)
    ],
    "workers": [
        {
            "workers": n,
            "threads": 1,
            "kiosks": 16,
            "offered_fps": 160.0,
            "answered_fps": 20.5 * n,
            "p50_ms": 90.0,
            "p95_ms": 95.0,
            "jain": 1.0,
            "sent_late": 0,
        }
        for n in (1, 2)
    ],
}


def test_jains_index() -> None:
    assert jain([1, 1, 1, 1]) == 1
    assert jain([1, 0, 0, 0]) == 0.25
    assert jain([0, 0]) == 1


def test_percentiles_of_something_and_of_nothing() -> None:
    assert percentiles(range(1, 101), (50, 99)) == {"p50": 50.5, "p99": 99.0}
    assert percentiles([]) == {"p50": None, "p95": None, "p99": None}


def test_the_first_call_doesnt_count() -> None:
    calls = []
    assert median_ms(lambda: calls.append(1), 3) >= 0
    assert len(calls) == 4


@pytest.mark.parametrize("n", kiosks.COUNTS)
def test_the_load_grows_with_people_not_with_doors(n: int) -> None:
    visit = [b"face"] * 70
    plan = kiosks.plan(n, [visit, visit], b"empty", 30)
    assert all(0 <= one.at_s < 30 for one in plan)
    assert {one.kiosk for one in plan} == {f"bench-{door}" for door in range(n)}
    faces = sum(one.picture == b"face" for one in plan)
    assert 220 <= faces <= 490
    for door in range(n):
        mine = sorted(one.at_s for one in plan if one.kiosk == f"bench-{door}")
        per_second = np.histogram(mine, bins=30, range=(0, 30))[0]
        assert per_second.max() <= 12, "a kiosk takes 10 pictures a second"
    silent = [one for one in plan if one.kiosk == f"bench-{n - 1}"]
    if n == 64:
        assert len(silent) <= 15, "nobody comes to the last door: one frame in two seconds"


def test_the_load_of_several_workers_is_the_same_at_every_door() -> None:
    plan = list(workers.plan(4, [[b"a"] * 6, [b"b"] * 6], 2))
    assert {one.kiosk: sum(other.kiosk == one.kiosk for other in plan) for one in plan} == {
        f"bench-{door}": 20 for door in range(4)
    }
    assert all(0 <= one.at_s < 2 for one in plan)
    assert {one.picture for one in plan if one.at_s < 0.1} == {b"a", b"b"}, "not everywhere the same person"


def test_a_room_with_nobody_in_it_sends_a_frame_in_two_seconds() -> None:
    assert stream.idle_frames_per_s(20) <= 0.5


def test_accept_times_count_from_standing_still_and_not_below_zero() -> None:
    def answer(at_s: float, outcome: Outcome) -> Answer:
        return Answer("bench-0", at_s, 50.0, outcome, {})

    played = Played(
        {"bench-0": 4},
        [
            answer(2.0, Outcome.ACCEPTED),  # while still walking
            answer(27.2, Outcome.DECIDING),
            answer(27.45, Outcome.ACCEPTED),
            answer(28.0, Outcome.ACCEPTED),
        ],
    )
    assert stream._accepted(played, [3.0, 27.0, 51.0]) == {"p50": 0.25, "p95": 0.47, "visits": 3, "accepted": 2}


def test_the_gallery_is_checked_against_brute_force(monkeypatch: pytest.MonkeyPatch) -> None:
    measured = gallery.measure((1_000,), rounds=1)
    assert measured["gallery_identical"]
    assert measured["gallery_memory_mb"] == {"1000": 1.0}
    monkeypatch.setattr(gallery, "_name", lambda row: "somebody else")
    assert not gallery.measure((1_000,), rounds=1)["gallery_identical"]


def test_which_faces_count_as_found_and_which_as_extra() -> None:
    def box(left: float, width: float) -> Any:
        return np.array([left, 0, left + width, width], np.float32)

    count = Count()
    count.add(
        [(box(0, 100), 0.99), (box(200, 50), 0.99), (box(300, 80), 0.8)], [box(5, 100), box(300, 80), box(600, 70)]
    )
    count.add([(box(0, 100), 0.95)], [box(80, 100), box(400, 40)])
    assert count.report() == {"pictures": 2, "faces": 2, "found_ratio": 0.5, "extra_boxes": 2}
    assert Count().report()["found_ratio"] is None


def test_simulated_kiosks_time_their_answers_and_count_what_is_missing(redis_pair: RedisPair) -> None:
    """A stand-in for the worker answers one kiosk and never the other."""
    stop = threading.Event()

    def answer() -> None:
        last: bytes = b"0"
        while not stop.is_set():
            for _, entries in redis_pair.live.xread({keys.frames("s0", "a"): last}, block=100):  # type: ignore[union-attr]
                for entry_id, fields in entries:
                    last = entry_id
                    seq = Frame.from_fields(fields).seq
                    said = Feedback(
                        seq=seq, captured_ms=1, outcome=Outcome.NO_FACE, worker="w", timings_ms={"queue": 1.0}
                    )
                    redis_pair.live.xadd(keys.feedback("s0", "a"), as_any(said.to_fields()))

    thread = threading.Thread(target=answer)
    thread.start()
    try:
        plan = [Planned(i / 20, "a", b"jpeg") for i in range(6)] + [Planned(0.1, "b", np.zeros((48, 64, 3), np.uint8))]
        played = Player(redis_pair.live_server.url(), "s0").play(plan)
    finally:
        stop.set()
        thread.join()
    assert played.offered == {"a": 6, "b": 1}
    assert len(played.answers) >= 5  # two frames sent at once on a busy machine may leave one behind
    assert played.drops == 7 - len(played.answers)
    assert all(one.kiosk == "a" and one.latency_ms > 0 for one in played.answers)
    assert played.fairness() == pytest.approx(0.5, abs=0.1)
    assert redis_pair.live.zcard(keys.kiosks("s0")) == 0


def test_tables_and_plots_come_from_the_json(tmp_path: Path) -> None:
    measured, page = tmp_path / "bench.json", tmp_path / "page.md"
    measured.write_text("bench: detect\n" + json.dumps(FIGURES) + "\n")
    page.write_text(f"before\n{report.BEGIN}\nold\n{report.END}\nafter\n")
    options = run.BenchOptions(json=True, figures=(measured,), tables=page, plots=tmp_path / "images")
    assert run.run(options) == 0
    text = page.read_text()
    assert text.startswith("before\n")
    assert text.endswith("\nafter\n")
    assert "old" not in text
    for words in (
        "10.0×",
        "random, bench only",
        "| 1,000 | 0.05 | 0.01 | 1.0 |",
        "p95 60.0",
        "a processor",
        "| rest | - | - |",
        "| 2 | 1 | 16 | 160.0 | 41.0 | 95.0 | 1.0 |",
    ):
        assert words in text
    assert {path.name for path in (tmp_path / "images").iterdir()} == {
        "bench-speed.svg",
        "bench-stages.svg",
        "bench-kiosks.svg",
    }
    run.run(options)
    assert page.read_text() == text


def test_parts_measured_one_by_one_are_put_together_if_they_are_of_one_machine() -> None:
    part = {
        "command": "one",
        "model_id": "m",
        "machine": {**FIGURES["machine"], "load_average": [3, 1, 1]},
        "a": 1,
        "b": 1,
    }
    other = {"command": "two", "model_id": "m", "machine": FIGURES["machine"], "b": 2}
    whole = run.merged([part, other])
    assert (whole["a"], whole["b"], whole["command"], whole["machine"]["load_average"]) == (1, 2, "one, two", [3, 1, 1])
    with pytest.raises(Problem, match="different machines"):
        run.merged([part, {**other, "machine": {**FIGURES["machine"], "cpu": "another"}}])
    with pytest.raises(Problem, match="different models"):
        run.merged([part, {**other, "model_id": "another"}])


def test_one_part_alone_makes_one_table() -> None:
    text = report.markdown(
        {key: FIGURES[key] for key in FIGURES if key not in ("by_size", "latency_ms", "kiosks", "workers", "embed_ms")}
    )
    assert "gallery" in text
    assert "obvious stack" not in text


@pytest.mark.parametrize("content", [None, "", "not json", "[1]", '{"a": 1}', '{"machine": 1}', "\x00"])
def test_figures_that_are_none_are_refused(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "bench.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(Problem, match="--figures"):
        run.read_figures(path)


@pytest.mark.parametrize(
    "content", [None, "", report.BEGIN, f"{report.END}\n{report.BEGIN}", f"{report.BEGIN * 2}{report.END}"]
)
def test_a_page_without_marks_is_left_alone(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "page.md"
    if content is not None:
        path.write_text(content)
    with pytest.raises(Problem, match="--tables"):
        report.write_tables(path, FIGURES)
    assert content is None or path.read_text() == content


def test_the_data_folder_is_checked(tmp_path: Path) -> None:
    from deploy.bench.found import measure

    with pytest.raises(Problem, match="crowd_1080p"):
        measure(tmp_path, "cpu", 1, tmp_path)


def test_cuda_where_there_is_none_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    result = CliRunner().invoke(app, ["bench", "--device", "cuda", "--only", "gallery"])
    assert result.exit_code == 2
    assert "no CUDA device" in result.output


def test_a_part_that_there_is_not() -> None:
    assert CliRunner().invoke(app, ["bench", "--only", "everything"]).exit_code == 2
