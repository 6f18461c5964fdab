"""One line of the doctor's report."""

from worker.protocol.finding import Finding, State


def ok(check: str, words: str) -> Finding:
    return Finding(check, State.OK, words)


def warning(check: str, words: str, advice: str) -> Finding:
    return Finding(check, State.WARNING, words, advice)


def problem(check: str, words: str, advice: str) -> Finding:
    return Finding(check, State.PROBLEM, words, advice)
