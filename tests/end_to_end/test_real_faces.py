"""Real people: two enrolled from their first take walk up in their second, and a stranger stands at a third door.

The pictures are for research and lie beside the checkout, or not; nothing of them is kept.
"""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.end_to_end.processes import working_in
from tests.end_to_end.running_site import CLI, clean_environment

TAKES = Path(__file__).resolve().parents[3] / "shared" / "data" / "nuaa" / "live"
PEOPLE, STRANGER = ("0001", "0005"), "0002"
SECONDS, STAGGER_S = 25, 2

pytestmark = [
    pytest.mark.end_to_end,
    pytest.mark.real_faces,
    pytest.mark.long,
    pytest.mark.timeout(240),
    pytest.mark.skipif(not TAKES.is_dir(), reason=f"the research pictures are not at {TAKES}"),
]


def takes(person: str) -> list[Path]:
    return sorted(folder for folder in (TAKES / person).iterdir() if folder.is_dir())


def test_two_people_are_recorded_once_each_and_the_stranger_never(tmp_path: Path) -> None:
    for person in PEOPLE:
        (tmp_path / "people" / person).mkdir(parents=True)
        pictures = sorted(takes(person)[0].iterdir())
        for picture in (pictures[0], pictures[len(pictures) // 2], pictures[-1]):
            shutil.copy(picture, tmp_path / "people" / person)
    sources = [str(takes(person)[-1]) for person in (*PEOPLE, STRANGER)]
    assert sources[0] != str(takes(PEOPLE[0])[0])
    command = [*CLI, "demo", "--headless", "--json", "--seconds", str(SECONDS), "--stagger", str(STAGGER_S)]
    command += ["--enroll", str(tmp_path / "people"), *(word for source in sources for word in ("--source", source))]
    environment = clean_environment() | {"TMPDIR": str(tmp_path)}
    done = subprocess.run(command, capture_output=True, text=True, timeout=200, env=environment)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout.splitlines()[-1])
    recorded = sorted((record["employee"], record["source"]) for record in result["recorded"])
    assert recorded == list(zip(PEOPLE, sources[: len(PEOPLE)], strict=True)), done.stderr
    assert all(record["distance"] < record["threshold"] for record in result["recorded"])
    assert result["strangers_recorded"] is None
    assert working_in(tmp_path) == {}
