"""How every process of the product logs: time, level, process, message, on standard error; as text, or as JSON lines."""

import json
import logging
import sys
from datetime import UTC, datetime
from enum import StrEnum

QUIET_LIBRARIES = ("werkzeug", "cheroot", "PIL", "matplotlib", "urllib3", "alembic")
"""Talkative below warnings."""
SPEAKS_FOR_ITSELF = ("bench", "demo", "enroll", "doctor", "dead", "status")
"""Commands that tell people what they do; the log's own lines between would only confuse."""


class LogLevel(StrEnum):
    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class LogFormat(StrEnum):
    TEXT = "text"
    JSON = "json"


class JsonLines(logging.Formatter):
    """One JSON object a line. What a line is about (SUBJECTS) comes by `extra=` of the call that logs it."""

    SUBJECTS = ("kiosk", "seq", "event_id")

    def __init__(self, process: str) -> None:
        super().__init__()
        self.process = process

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "process": self.process,
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= {name: record.__dict__[name] for name in self.SUBJECTS if name in record.__dict__}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


def set_up(process: str, level: LogLevel = LogLevel.INFO, form: LogFormat = LogFormat.TEXT) -> None:
    """Log to standard error from now on. `process` names the program in each line, such as `kiosk front-door`."""
    handler = logging.StreamHandler(sys.stderr)
    name = process.replace("%", "%%")
    text = logging.Formatter(f"%(asctime)s.%(msecs)03d %(levelname)-7s {name}: %(message)s", "%Y-%m-%d %H:%M:%S")
    handler.setFormatter(JsonLines(process) if form is LogFormat.JSON else text)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    quiet = process in SPEAKS_FOR_ITSELF and level is LogLevel.INFO
    root.setLevel(logging.WARNING if quiet else level.upper())
    for library in QUIET_LIBRARIES:
        logging.getLogger(library).setLevel(logging.WARNING)
