"""The tables of docs/accuracy.md: every row's lines from a result that its protocol gave, and columns beside each other."""

from pathlib import Path

import cv2
import pytest

from tests.training.drawn_people import TinyEmbedder, drawn_face, write_people
from tests.training.faces import admiral, astronaut, darker, write
from training import accuracy_table, protocols
from training.accuracy_table import ROWS, markdown
from training.degradations import Degradation
from training.protocols import Subject
from training.quality_protocol import quality
from training.takes import takes

COST = {
    "threads": 2,
    "parameters": 36353216,
    "weights_bytes": 72706432,
    "precisions": {
        "f32": {"ms_one_face": 20.04, "faces_a_second_in_batches_of_8": 50.4, "largest_angle_degrees": 0.0},
        "bf16": {"ms_one_face": 11.0, "faces_a_second_in_batches_of_8": 91.0, "largest_angle_degrees": 1.234},
    },
}


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict]:
    """A result of every protocol, on drawn people and two portraits."""
    root = tmp_path_factory.mktemp("data")
    subject = Subject(TinyEmbedder(), root / "cache", folds=2)
    lfw = root / "lfw"
    write_people(lfw, {f"p{i:02d}": 2 + i % 2 for i in range(14)})
    lines = [f"p{i:02d} 1 2\np{i:02d} 1 p{(i + 1) % 14:02d} 2" for i in range(14)]
    (root / "pairs.txt").write_text("\n".join(lines))
    for name, portrait in (("eileen", astronaut()), ("grace", admiral())):
        for take in ("a", "b"):
            for i in range(3):
                write(root / "takes" / name / take / f"{i}.png", darker(portrait, 0.05 * i))
    (root / "groups" / "one").mkdir(parents=True)
    for person in range(20):
        cv2.imwrite(str(root / "groups" / "one" / f"{person}.png"), drawn_face(person, 0))
    outcomes = {
        "lfw-view2": protocols.pairs_file(subject, lfw, root / "pairs.txt"),
        "lfw-all": protocols.lfw_all(subject, lfw),
        "thesis": protocols.thesis(subject, lfw, triplets=100),
        "pairs30": protocols.pairs_30(subject, lfw),
        "identify": protocols.identify(subject, lfw),
        "quality": quality(subject, lfw, root / "pairs.txt", [Degradation("jpeg-30", jpeg=30)]),
        "takes": takes(subject, root / "takes"),
        "groups": protocols.groups(subject, root / "groups"),
    }
    return {**{name: outcome.figures for name, outcome in outcomes.items()}, "cost": COST}


def test_every_row_has_its_table_and_command(found: dict[str, dict], tmp_path: Path) -> None:
    text, bad = markdown({"tiny": found}), found["quality"]["rows"]["jpeg-30"]
    for row in ROWS:
        assert f"## {row.title}\n\n`{row.command}`\n\n| {row.name} | tiny |" in text
    for line in (
        f"| accuracy | {found['lfw-view2']['accuracy']:.4f} ± {found['lfw-view2']['accuracy_std']:.4f} |",
        "| AUC | 1.0000 |",
        "| 10 people: rank 1 | 1.0000 |",
        f"| jpeg-30: accuracy | {bad['accuracy']:.4f} ± {bad['accuracy_std']:.4f} |",
        "| as served: takes recognised | 4 of 4 |",
        "| genuine and impostor pairs | 12 and 24 |",
        "| parameters | 36,353,216 |",
        "| weights on disk | 72.7 MB |",
        "| bf16: largest angle to f32 | 1.23° |",
    ):
        assert line in text
    assert "at its threshold for 0.01: worst group | one: 0.0000 (0.0000–" in text
    assert str(tmp_path.parent) not in text
    widths = {line.count("|") for line in text.splitlines() if line.startswith("|")}
    assert widths == {3}


def test_models_stand_side_by_side(found: dict[str, dict]) -> None:
    """A row that one of them hasn't is empty there, and one that nobody has isn't shown."""
    text = markdown({"first": {"cost": COST}, "second": {"cost": COST | {"parameters": None}, "takes": found["takes"]}})
    assert "| parameters | 36,353,216 | – |" in text
    assert "| as served: takes recognised | – | 4 of 4 |" in text
    assert "lfw-view2" not in text
    assert markdown({"first": {}}) == ""


def test_rates_of_few_errors_say_so() -> None:
    few = {"tar_at_far": {"0.001": None}, "tar_at_far_with_few_errors": {"0.001": {"tar": 0.9, "false_accepts": 3}}}
    assert accuracy_table._tar(few, "0.001") == "0.9000 (3 false accepts)"
    assert accuracy_table._tar({"tar_at_far": {}}, "0.001") == "–"
    assert [accuracy_table._rate(v) for v in (None, 0.0, 0.00012, 0.5)] == ["–", "0.0000", "1.2e-04", "0.5000"]
