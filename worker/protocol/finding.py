"""What a look at a part of the site found: a line of the doctor's report, and of the dashboard's page on health."""

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True)
class Finding:
    check: str
    state: State
    words: str
    advice: str = ""
