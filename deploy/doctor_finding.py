"""One line of the doctor's report."""

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


def ok(check: str, words: str) -> Finding:
    return Finding(check, State.OK, words)


def warning(check: str, words: str, advice: str) -> Finding:
    return Finding(check, State.WARNING, words, advice)


def problem(check: str, words: str, advice: str) -> Finding:
    return Finding(check, State.PROBLEM, words, advice)
