"""Enrolling a folder against a worker that answers by the picture's size, a database, and a real Redis."""

import io
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from rich.console import Console
from sqlalchemy import select
from typer.testing import CliRunner

from dashboard.database import engine_for, reading, session_factory, upgrade
from dashboard.enrolling.enrolment_words import EnrolResult
from dashboard.models import Employee, Template
from deploy.cli import app
from deploy.enrol_folder import read_plan
from deploy.enroll import enrol_people, show_report, why_refused
from tests.conftest import RedisPair
from worker.protocol import keys
from worker.protocol.connection import Client, connect
from worker.protocol.entries import EnrolReply, EnrolRequest, pack_fields
from worker.protocol.outcomes import Outcome

MODEL = "sface-0123456789ab"
BLURRED_WIDTH = 333
"""The fake worker calls a picture of this width blurred."""


def picture(width: int = 300) -> bytes:
    """A JPEG with some noise, so that no two are the same."""
    noise = np.frombuffer(os.urandom(200 * width * 3), np.uint8).reshape(200, width, 3)
    file = io.BytesIO()
    Image.fromarray(noise).save(file, "JPEG", quality=60)
    return file.getvalue()


@pytest.fixture
def fake_worker(redis_pair: RedisPair) -> Iterator[None]:
    """Answers enrolment requests; not ready for the first one."""
    live: Client = connect(redis_pair.live_server.url(), name="fake-worker")
    stop, asked = threading.Event(), []

    def answer() -> None:
        last: bytes | str = "0"
        while not stop.is_set():
            for _, entries in live.xread({keys.requests("s0"): last}, block=50, count=1) or []:
                for last, fields in entries:  # noqa: B007
                    request = EnrolRequest.from_fields(fields)
                    asked.append(request)
                    width = Image.open(io.BytesIO(request.jpeg)).width
                    outcome = Outcome.BLURRED if width == BLURRED_WIDTH else Outcome.ENROLLED
                    if len(asked) == 1:
                        outcome = Outcome.NOT_READY
                    template = np.full(128, 10 / 128**0.5, "<f4").tobytes() if outcome is Outcome.ENROLLED else None
                    reply = EnrolReply(
                        request_id=request.request_id, outcome=outcome, model_id=MODEL, faces=1, template=template
                    )
                    live.rpush(keys.reply("s0", request.request_id), pack_fields(reply.to_fields()))

    thread = threading.Thread(target=answer)
    thread.start()
    yield
    stop.set()
    thread.join()
    live.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "people"
    for code, files in {
        "E1_Ann_Lee": {"1.jpg": picture(), "2.jpg": picture(), "broken.jpg": b"no picture", "empty.png": b""},
        "E2_Budi": {"blurred.jpg": picture(BLURRED_WIDTH)},
    }.items():
        (folder / code).mkdir(parents=True)
        for name, data in files.items():
            (folder / code / name).write_bytes(data)
    return folder


@pytest.mark.usefixtures("fake_worker")
def test_a_folder_is_enrolled_and_every_refusal_has_its_reason(
    redis_pair: RedisPair, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ATTENDANCE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("ATTENDANCE_LIVE_URL", redis_pair.live_server.url())
    monkeypatch.setenv("COLUMNS", "160")
    result = CliRunner().invoke(app, ["enroll", str(folder), "--consent"])
    assert result.exit_code == 1, result.output  # E2 has no template
    assert "2 of 4" in result.output
    assert "not enrolled" in result.output
    for name in ("broken.jpg", "empty.png", "blurred.jpg"):
        assert name in result.output
    engine = engine_for(f"sqlite:///{tmp_path / 'home' / 'attendance.db'}")
    with reading(session_factory(engine)) as session:
        people = {e.code: (e.name, e.consent_by) for e in session.scalars(select(Employee))}
        templates = len(session.scalars(select(Template)).all())
    engine.dispose()
    assert people == {"E1": ("Ann Lee", "attendance enroll"), "E2": ("Budi", "attendance enroll")}
    assert templates == 2

    again = CliRunner().invoke(app, ["enroll", str(folder), "--consent"])
    assert "already stored" in again.output
    assert "0 of 4" in again.output
    assert "[red]" not in again.output


def test_without_a_worker_it_says_so_for_each_picture(redis_pair: RedisPair, folder: Path, tmp_path: Path) -> None:
    from dashboard.settings import DashboardSettings

    settings = DashboardSettings(home=tmp_path, enrol_timeout_s=1)
    upgrade(settings.database)
    engine = engine_for(settings.database)
    (folder / "E1_Ann_Lee" / "2.jpg").unlink()
    plan = read_plan(folder)
    reports = enrol_people(plan, session_factory(engine), redis_pair.live, settings)
    engine.dispose()
    console = Console(width=160, record=True, file=io.StringIO())
    show_report(plan, reports, console)
    assert console.export_text().count("No worker answered") == 2
    assert not any(report.has_template for report in reports)


def test_a_look_alike_is_named_and_left_to_the_page_that_shows_both() -> None:
    result = EnrolResult(Outcome.ALREADY_ENROLLED, "as on the page", similar_code="E002", similar_name="Twin Sibling")
    assert why_refused(result).startswith(
        "looks like Twin Sibling (E002), who is enrolled: add it on the person's page"
    )
    assert why_refused(EnrolResult(Outcome.BLURRED, "The face is blurred.")) == "The face is blurred."
