"""How every process of the product logs: time, level, process, message, on standard error."""

import logging
import sys
from enum import StrEnum

QUIET_LIBRARIES = ("werkzeug", "cheroot", "PIL", "matplotlib", "urllib3", "alembic")
"""Talkative below warnings."""
SPEAKS_FOR_ITSELF = ("bench", "demo", "enroll", "doctor")
"""Commands that tell people what they do; the log's own lines between would only confuse."""


class LogLevel(StrEnum):
    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


def set_up(process: str, level: LogLevel = LogLevel.INFO) -> None:
    """Log to standard error from now on. `process` names the program in each line, such as `kiosk front-door`."""
    handler = logging.StreamHandler(sys.stderr)
    name = process.replace("%", "%%")
    handler.setFormatter(
        logging.Formatter(f"%(asctime)s.%(msecs)03d %(levelname)-7s {name}: %(message)s", "%Y-%m-%d %H:%M:%S")
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    quiet = process in SPEAKS_FOR_ITSELF and level is LogLevel.INFO
    root.setLevel(logging.WARNING if quiet else level.upper())
    for library in QUIET_LIBRARIES:
        logging.getLogger(library).setLevel(logging.WARNING)
