"""Enrolling everybody in a folder: what `attendance enroll` does, and the demo with `--enroll`."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from dashboard.auditing import audit
from dashboard.database import BadDatabase, SessionFactory, engine_for, now_ms, session_factory, upgrade
from dashboard.enrolling.enrolment import enrol_picture
from dashboard.enrolling.enrolment_words import EnrolResult
from dashboard.enrolling.folder_people import find_or_enter
from dashboard.enrolling.picture_names import Person
from dashboard.people.employees import EmployeeError
from dashboard.settings import DashboardSettings
from deploy.enrol_folder import BadFolder, Plan, read_plan
from deploy.errors import Problem, settings_from
from deploy.secret_store import running_urls
from deploy.site import require_redis
from worker.protocol.connection import Client, connect
from worker.protocol.outcomes import Outcome

CONSENT = "I confirm that these people have agreed to the storing of their face data."
NOT_READY_WAIT_S = 20.0
"""A worker that is still loading is asked again for this long."""
BY = "attendance enroll"


@dataclass
class PersonReport:
    """What became of one person: pictures enrolled, and per picture refused the reason."""

    person: Person
    enrolled: int = 0
    refused: list[tuple[str, str]] = field(default_factory=list)
    error: str | None = None
    had_template: bool = False

    @property
    def has_template(self) -> bool:
        return self.enrolled > 0 or self.had_template


def enrol_people(
    plan: Plan,
    sessions: SessionFactory,
    live: Client,
    settings: DashboardSettings,
    step: Callable[[], Any] = lambda: None,
    stopped: Callable[[], bool] = lambda: False,
) -> list[PersonReport]:
    """Enrol the people of a plan, calling `step` after each picture. An employee who is there already gets the pictures too."""
    reports = []
    for person in plan.people:
        report = PersonReport(person)
        reports.append(report)
        try:
            with sessions.begin() as session:
                employee = find_or_enter(session, person, BY, audit.COMMAND, now_ms())
                assert employee is not None  # there is a consent
                employee_id = employee.id
        except EmployeeError as error:
            report.error = str(error)
            continue
        for picture in person.pictures:
            if stopped():
                return reports
            _enrol_one(plan.folder, picture, report, sessions, live, settings, employee_id)
            step()
    return reports


def _enrol_one(
    folder: Path,
    picture: str,
    report: PersonReport,
    sessions: SessionFactory,
    live: Client,
    settings: DashboardSettings,
    employee_id: str,
) -> None:
    path = folder / picture
    try:
        if path.stat().st_size > settings.max_upload_mb * 1_000_000:
            report.refused.append((picture, f"larger than {settings.max_upload_mb} MB"))
            return
        data = path.read_bytes()
    except OSError as error:
        report.refused.append((picture, f"can't be read ({error.strerror})"))
        return
    result = _enrol_when_ready(lambda: enrol_picture(sessions, live, settings, employee_id, data, by=BY))
    if result.stored:
        report.enrolled += 1
        return
    report.had_template = report.had_template or result.outcome == "same_picture"
    report.refused.append((picture, why_refused(result)))


def why_refused(result: EnrolResult) -> str:
    """In words. Whether two faces are one person's is decided where both are seen, not in a terminal."""
    if result.outcome is Outcome.ALREADY_ENROLLED and result.similar_name:
        who = f"{result.similar_name} ({result.similar_code})" if result.similar_code else result.similar_name
        return f"looks like {who}, who is enrolled: add it on the person's page, which shows both faces"
    return result.words


def _enrol_when_ready(attempt: Callable[[], EnrolResult]) -> EnrolResult:
    deadline_s = time.monotonic() + NOT_READY_WAIT_S
    result = attempt()
    while result.outcome is Outcome.NOT_READY and time.monotonic() < deadline_s:
        time.sleep(0.3)
        result = attempt()
    return result


def show_report(plan: Plan, reports: list[PersonReport], console: Console) -> None:
    """Everybody with the number of pictures enrolled, then what was refused or left out, and why."""
    people = Table("code", "name", "pictures", "", title="Enrolled")
    for report in reports:
        words = report.error or ("[green]ok[/]" if report.has_template else "[red]no usable picture: not enrolled[/]")
        people.add_row(
            report.person.code, report.person.name, f"{report.enrolled} of {len(report.person.pictures)}", words
        )
    console.print(people)
    refused = [(path, why) for report in reports for path, why in report.refused]
    refused += [(item.path, item.why) for item in plan.left_out]
    if refused:
        table = Table("file", "why", title="Refused or left out")
        for path, why in refused:
            table.add_row(path, why)
        console.print(table)


def enrol_with_bar(
    plan: Plan,
    sessions: SessionFactory,
    live: Client,
    settings: DashboardSettings,
    console: Console,
    stopped: Callable[[], bool] = lambda: False,
) -> list[PersonReport]:
    pictures = sum(len(person.pictures) for person in plan.people)
    columns = (TextColumn("enrolling"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=not console.is_terminal) as progress:
        task = progress.add_task("", total=pictures)
        return enrol_people(plan, sessions, live, settings, lambda: progress.advance(task), stopped)


def plan_for(folder: Path) -> Plan:
    """The folder's plan; raises Problem instead of BadFolder."""
    try:
        return read_plan(folder)
    except BadFolder as error:
        raise Problem(str(error)) from None


def run(folder: Path, consent: bool) -> int:
    """`attendance enroll FOLDER`: 0 when everybody has a template, 1 otherwise; raises Problem when it can't begin."""
    if not consent:
        raise Problem(f"add --consent to say: “{CONSENT}” Without it no template is made.")
    plan = plan_for(folder)
    settings: DashboardSettings = settings_from(DashboardSettings)
    if settings.live_url is None and settings.redis_url is None:
        settings = settings.model_copy(update={"live_url": running_urls(settings.home).get("live")})
    try:
        url = settings.url("live")
    except ValueError as error:
        raise Problem(str(error)) from None
    require_redis(url, "ATTENDANCE_LIVE_URL")
    live = connect(url, name="enroll")
    try:
        upgrade(settings.database)
        engine = engine_for(settings.database)
    except BadDatabase as error:
        raise Problem(str(error)) from None
    console = Console(stderr=True)
    try:
        reports = enrol_with_bar(plan, session_factory(engine), live, settings, console)
    finally:
        live.close()
        engine.dispose()
    show_report(plan, reports, console)
    return 0 if all(report.has_template for report in reports) else 1
