"""How processes log: text or JSON lines, and who a line is about."""

import json
import logging
from collections.abc import Iterator

import pytest

from deploy import logs
from deploy.logs import LogFormat, LogLevel
from tests.deploy.test_cli import call


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:], root.level = handlers, level


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_a_line_is_one_json_object_with_what_it_is_about(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up("worker", LogLevel.INFO, LogFormat.JSON)
    log = logging.getLogger("worker.pipeline")
    about = {"kiosk": "front", "seq": 7, "event_id": "e1", "employee": "left out"}
    log.info("decision %s", "e1", extra=about)
    log.debug("too much")
    (line,) = lines(capsys)
    assert str(line.pop("time")).endswith("+00:00")
    assert line == {
        "level": "info",
        "process": "worker",
        "logger": "worker.pipeline",
        "message": "decision e1",
        "kiosk": "front",
        "seq": 7,
        "event_id": "e1",
    }


def test_whatever_is_logged_stays_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up("50%s kiosk", LogLevel.INFO, LogFormat.JSON)
    try:
        raise ValueError("two\nlines\udcff")
    except ValueError:
        logging.getLogger("x").exception("a\nb \x1b[2J %s", b"\xff")
    (line,) = lines(capsys)
    assert line["message"] == "a\nb \x1b[2J b'\\xff'"
    assert "two\nlines" in str(line["exception"])


def test_text_has_process_and_level(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up("50%s kiosk")
    logging.getLogger("x").warning("words")
    assert capsys.readouterr().err.rstrip().endswith("WARNING 50%s kiosk: words")


def test_a_format_that_is_none_is_refused() -> None:
    code, text = call("--log-format", "xml", "doctor")
    assert code == 2
    assert "json" in text
