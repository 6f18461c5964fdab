"""`attendance doctor`: what is right, what is not, and what to do about it."""

import json
from collections.abc import Callable
from dataclasses import asdict

from rich.console import Console
from rich.table import Table

from deploy import doctor_machine, doctor_site, site_key
from deploy.doctor_finding import problem
from deploy.errors import hide_passwords
from worker.protocol.finding import Finding, State

COLOURS = {State.OK: "green", State.WARNING: "yellow", State.PROBLEM: "red"}


def run(as_json: bool) -> int:
    """Print all findings; 1 when one of them is a problem, else 0."""
    findings = examine()
    if as_json:
        print(json.dumps({"findings": [asdict(finding) for finding in findings]}, indent=1))
    else:
        show(findings, Console())
    return int(any(finding.state is State.PROBLEM for finding in findings))


def examine() -> list[Finding]:
    """Every check. One that fails itself is a problem among the others, never the end of the list."""
    findings: list[Finding] = []
    for check in (*doctor_machine.CHECKS, *doctor_site.CHECKS, *site_key.CHECKS):
        findings += _protected(check)
    return findings


def _protected(check: Callable[[], list[Finding]]) -> list[Finding]:
    try:
        return check()
    except Exception as error:
        name = check.__name__.strip("_").replace("_", " ")
        return [problem(name, hide_passwords(f"the check failed: {type(error).__name__}: {error}"), "see the message")]


def show(findings: list[Finding], console: Console) -> None:
    table = Table()
    for title in ("", "check", "found", "what to do"):
        table.add_column(title, overflow="fold")
    for finding in findings:
        table.add_row(f"[{COLOURS[finding.state]}]{finding.state}[/]", finding.check, finding.words, finding.advice)
    console.print(table)
