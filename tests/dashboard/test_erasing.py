"""Erasing a person for good: nothing of them is found in the database's file or the gallery, and payroll's figures stay."""

import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from random import Random
from typing import Any

import pytest
from sqlalchemy import select

from dashboard.auditing import audit
from dashboard.correcting import corrections
from dashboard.database import now_ms, reading
from dashboard.enrolling import enrolment
from dashboard.gallery.outbox import queue_change
from dashboard.gallery.publisher import Publisher
from dashboard.models import (
    AuditEntry,
    Base,
    Connector,
    Correction,
    Employee,
    EnrolmentPicture,
    EventPicture,
    IdempotentAnswer,
    Leave,
    LikenessDecision,
    Push,
    Template,
    User,
)
from dashboard.months.day_store import days_of
from dashboard.people import employees, erasing
from dashboard.recording.records import record
from tests.conftest import RedisPair
from tests.dashboard.api_client import ApiClient, assert_problem
from tests.dashboard.days.sheet import at
from tests.dashboard.site import MODEL, Site, add_user
from tests.dashboard.support import dock_in_office_hours
from worker.protocol import keys
from worker.protocol.connection import connect
from worker.protocol.entries import Decision, EnrolReply
from worker.protocol.outcomes import Outcome

pytest_plugins = ["tests.dashboard.pages"]

CODE, NAME, ACCOUNT, NOTE = "PAYROLL-0815", "Wilhelmina Østergård", "whuber.payroll", "Saw Wilhelmina at the gate"
JPEG, CROP, VECTOR = (b"\xff\xd8" + Random(seed).randbytes(20_000) for seed in (1, 2, 3))
VECTOR = VECTOR[: 4 * 128]
NEEDLES = [text.encode() for text in (CODE, CODE.casefold(), NAME, "wilhelmina", "Wilhelmina", ACCOUNT)]
NEEDLES += [data[start : start + 40] for data in (JPEG, CROP, VECTOR) for start in (2, len(data) // 2, len(data) - 40)]
MONDAY = date(2026, 11, 23)
YES = {"code": CODE, "reason": "asked"}


@pytest.fixture
def person(any_site: Site) -> str:
    """Somebody whose traces are everywhere: entered over the API, enrolled, recorded, corrected, on leave, with an account."""
    body = {"code": CODE, "name": NAME, "department": "Dock"}
    person: str = ApiClient(any_site).post("/employees", body, headers={"Idempotency-Key": "k1"}).json["id"]
    came, left = (any_site.punch(person, at(clock, MONDAY)) for clock in ("08:10", "17:00"))
    with any_site.sessions.begin() as session:
        employees.set_consent(session, person, "admin", 1)
        other = Employee(id="other", code="E-2", name="Grace Hopper", created_ms=1, consent_ms=1, consent_by=ACCOUNT)
        session.add(other)
        template = Template(model_id=MODEL, vector=VECTOR, created_ms=1)
        picture = EnrolmentPicture(employee_id=person, sha256="0" * 64, jpeg=JPEG, created_ms=1, templates=[template])
        session.add_all([picture, EventPicture(event_id=came, jpeg=CROP, expires_ms=now_ms() + 10**9)])
        queue_change(session, "put", person, MODEL)
        add_user(session, ACCOUNT, ["employee"], employee_id=person)
        by: dict[str, Any] = {"by": ACCOUNT, "now_ms": now_ms()}
        asked = corrections.ask(session, "change", event_id=left, new_direction="out", reason=NOTE, **by)
        corrections.decide(session, asked.id, "approved", by="admin", now_ms=now_ms(), note=NOTE)
        corrections.ask(session, "void", event_id=came, reason=NOTE, **by)
        days = {"first_day": date(2026, 11, 24), "last_day": date(2026, 11, 25)}
        session.add(Leave(employee_id=person, **days, kind="sick", paid=True, note=NOTE, entered_ms=1, entered_by="hr"))
        for who, whom in ((person, "other"), ("other", person)):
            made = {"decision": "different", "decided_by": ACCOUNT, "decided_ms": 1}
            session.add(LikenessDecision(employee_id=who, other_id=whom, **made))
        session.add(Connector(name="frappe", connected_ms=1))
        session.flush()
        session.add(Push(connector="frappe", event_id=came, state="refused", words=f"{CODE} is unknown", changed_ms=1))
        session.add(Push(connector="frappe", event_id=left, changed_ms=1))
        dock_in_office_hours(session)
    waiting = any_site.settings.home / "imports"
    waiting.mkdir(exist_ok=True)
    (waiting / ("a" * 32)).write_text(f"code,name\n{CODE},{NAME}\n")
    return person


def everything(site: Site) -> bytes:
    """All that the database holds: every row, and on SQLite every byte of its files."""
    with reading(site.sessions) as session:
        rows = [tuple(row) for table in Base.metadata.sorted_tables for row in session.execute(select(table))]
    cells = [
        bytes(cell) if isinstance(cell, bytes | memoryview) else str(cell).encode() for row in rows for cell in row
    ]
    file = site.sessions.kw["bind"].url.database
    files = [path.read_bytes() for path in Path(file).parent.glob(f"{Path(file).name}*")] if "/" in file else []
    return b"\0".join(cells + files)


def erase(site: Site, person: str, form: dict[str, str] = YES) -> Any:
    return site.browser().post(f"/people/{person}/erase", form)


def month(site: Site, person: str) -> Any:
    with reading(site.sessions) as session:
        as_of = at("12:00", date(2026, 12, 24))
        days = days_of(session, [person], date(2026, 11, 1), date(2026, 11, 30), as_of, site.settings.zone)
        return [(day.minutes, day.statuses) for day in days[person]]


def test_nothing_of_them_is_left_in_the_database_and_the_gallery(
    any_site: Site, person: str, redis_pair: RedisPair
) -> None:
    ledger = connect(redis_pair.ledger_server.url(), name="publisher")
    publisher = Publisher(any_site.sessions, ledger, "s0")
    while publisher.step():
        pass
    assert ledger.hexists(keys.gallery("s0", MODEL), person)
    before, figures = everything(any_site), month(any_site, person)
    assert [needle for needle in NEEDLES if needle not in before] == []
    answer = erase(any_site, person)
    assert (answer.status_code, answer.location) == (302, f"/people/{person}")
    after, began = everything(any_site), time.monotonic()
    assert [needle for needle in NEEDLES if needle in after] == []
    while publisher.step():
        pass
    assert time.monotonic() - began < 2
    assert not ledger.hexists(keys.gallery("s0", MODEL), person)
    held = [
        value for key in ledger.scan_iter("*gallery*") if ledger.type(key) == b"hash" for value in ledger.hvals(key)
    ]
    assert b"Wilhelmina" not in b"".join(held)
    assert month(any_site, person) == figures, "payroll's figures stay as they were"
    assert not list((any_site.settings.home / "imports").iterdir())
    ledger.close()


def test_what_stays_is_under_a_number(any_site: Site, person: str) -> None:
    erase(any_site, person)
    with reading(any_site.sessions) as session:
        one = session.get_one(Employee, person)
        assert (one.code, one.name, one.department) == ("erased-1", "Erased person 1", "Dock")
        assert (one.consent_ms, one.deactivated_ms, one.erased_number) == (None, one.erased_ms, 1)
        waited = session.scalars(select(Correction).order_by(Correction.id)).all()
        assert [(row.state, row.reason, row.asked_by) for row in waited] == [
            ("approved", "", "erased-1"),
            ("withdrawn", "", "erased-1"),
        ]
        pushes = session.execute(select(Push.state, Push.words).order_by(Push.id)).all()
        assert [tuple(row) for row in pushes] == [("refused", ""), ("unknown_employee", "")]
        assert session.get_one(Employee, "other").consent_by == "erased-1"
        assert session.scalars(select(LikenessDecision)).all() == []
        told = session.scalars(select(AuditEntry).where(AuditEntry.action == "person.erased")).one()
        assert (told.subject_id, '"reason":"asked"' in told.details) == (person, True)
        assert audit.verify(session).whole
    browser = any_site.browser()
    page = browser.get(f"/people/{person}").text
    assert "Erased person 1" in page
    assert "enrol.js" not in page or 'name="pictures"' not in page
    assert "Reactivate" not in page
    assert "erased-1" in browser.get("/audit?whom=erased-1&action=person.erased").text
    assert "Erased person 1" in browser.get("/months/days.csv?month=2026-11").text
    assert "Erased person 1" in browser.get("/attendance.csv").text
    assert "erased-1" not in browser.get("/people").text
    assert "erased-1" in browser.get("/people?state=erased").text
    assert "erased-1" not in browser.get("/people.csv").text


def test_the_account_is_closed(any_site: Site, person: str) -> None:
    own = any_site.browser_of(ACCOUNT)
    assert own.get("/me").status_code == 200
    erase(any_site, person)
    assert own.get("/me").status_code == 302
    with reading(any_site.sessions) as session:
        user = session.scalars(select(User).where(User.name == "erased-1")).one()
        assert (user.employee_id, user.disabled_ms is not None) == (None, True)
    assert any_site.browser(log_in=False).log_in("erased-1").status_code != 302


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"code": "E-2", "reason": "asked"}, "is not this person"),
        ({"code": "", "reason": "asked"}, "is not this person"),
        ({"code": CODE.lower(), "reason": "asked"}, "is not this person"),
        ({"code": CODE, "reason": ""}, "choose one of"),
        ({"code": CODE, "reason": "<b>" * 200}, "choose one of"),
        ({}, "is not this person"),
    ],
)
def test_a_form_that_is_refused_erases_nothing(any_site: Site, person: str, form: dict[str, str], said: str) -> None:
    answer = erase(any_site, person, form)
    assert (answer.status_code, said in answer.text, "<b><b>" in answer.text) == (422, True, False)
    if form.get("code"):
        assert f'value="{form["code"]}"' in answer.text
    with reading(any_site.sessions) as session:
        assert session.get_one(Employee, person).erased_ms is None
        assert session.scalar(select(Template.id)) is not None


def test_a_second_click_and_somebody_unknown(any_site: Site, person: str) -> None:
    browser = any_site.browser()
    assert "1 correction that waits" in browser.get(f"/people/{person}/erase").text
    for _ in range(2):
        assert browser.post(f"/people/{person}/erase", YES).location == f"/people/{person}"
    assert browser.get(f"/people/{person}/erase").location == f"/people/{person}"
    assert (
        browser.get("/people/nobody/erase").status_code == browser.post("/people/nobody/erase", YES).status_code == 404
    )
    with reading(any_site.sessions) as session:
        assert len(session.scalars(select(AuditEntry).where(AuditEntry.action == "person.erased")).all()) == 1


def test_the_last_who_manages_accounts_is_unlinked_first(any_site: Site, person: str) -> None:
    with any_site.sessions.begin() as session:
        session.scalars(select(User).where(User.name == ACCOUNT)).one().employee_id = None
        session.scalars(select(User).where(User.name == "admin")).one().employee_id = person
    answer = erase(any_site, person)
    assert (answer.status_code, "this is the last account" in answer.text) == (422, True)
    with any_site.sessions.begin() as session:
        assert session.get_one(Employee, person).erased_ms is None
        session.scalars(select(User).where(User.name == "admin")).one().employee_id = None
    assert erase(any_site, person).status_code == 302
    assert any_site.browser().get("/people").status_code == 200


def test_a_decision_in_flight_is_no_punch_and_brings_no_picture(
    any_site: Site, person: str, make_decision: Callable[..., Decision]
) -> None:
    erase(any_site, person)
    late = make_decision(person, captured_ms=at("09:00", MONDAY), snapshot=CROP)
    settings = any_site.settings.model_copy(update={"picture_days": 30})
    with any_site.sessions.begin() as session:
        assert record(session, late, now_ms(), settings).status == "inactive"
    with reading(any_site.sessions) as session:
        assert session.get(EventPicture, late.event_id) is None
        assert CROP[2:42] not in everything(any_site)


def test_a_workers_late_answer_brings_no_template_back(
    any_site: Site, person: str, redis_pair: RedisPair, monkeypatch: pytest.MonkeyPatch
) -> None:
    def answer(*_: Any, **__: Any) -> EnrolReply:
        erase(any_site, person)
        return EnrolReply(request_id="r1", outcome=Outcome.ENROLLED, model_id=MODEL, template=VECTOR)

    monkeypatch.setattr(enrolment, "ask_worker", answer)
    monkeypatch.setattr(enrolment, "normalise_upload", lambda data: data)
    wish = enrolment.Wish(person, "admin")
    results = enrolment.enrol_pictures(any_site.sessions, redis_pair.live, any_site.settings, wish, [b"picture"])
    assert [result.outcome for result in results] == ["no_such_employee"]
    with reading(any_site.sessions) as session:
        assert session.scalars(select(Template)).all() == []


def test_nothing_of_somebody_erased_is_changed_any_more(any_site: Site, person: str) -> None:
    client, body = ApiClient(any_site), {"code": CODE, "name": NAME, "department": "Dock"}
    with reading(any_site.sessions) as session:
        key = session.scalars(select(IdempotentAnswer.api_key_id)).one()
    erase(any_site, person)
    browser, path = any_site.browser(), f"/people/{person}"
    for where, form in (
        (path, {"name": NAME, "department": ""}),
        (f"{path}/reactivate", {}),
        (f"{path}/give-consent", {}),
        (
            f"{path}/leave",
            {"first_day": "2026-11-23", "last_day": "2026-11-23", "kind": "sick", "half": "", "paid": "no"},
        ),
    ):
        assert browser.post(where, form).status_code == 404, where
    assert_problem(client.ask("PATCH", f"/employees/{person}", json={"name": NAME}, headers={"If-Match": "*"}), 404)
    assert_problem(client.post("/employees", {**body, "code": "Erased-7"}), 422, "erased-… is kept")
    view = client.get(f"/employees/{person}").json
    assert (view["name"], view["code"], view["active"]) == ("Erased person 1", "erased-1", False)
    with any_site.sessions.begin() as session:
        session.get_one(IdempotentAnswer, (key, "k1")).api_key_id = client.key.split("_")[1]
    assert_problem(client.post("/employees", body, headers={"Idempotency-Key": "k1"}), 409, "was erased since")
    with any_site.sessions.begin() as session, pytest.raises(corrections.CorrectionError, match="was erased"):
        corrections.ask_to_add(
            session, person, at("09:00", MONDAY), "in", reason="r", by="admin", now_ms=at("12:00", MONDAY)
        )


def test_hr_is_told_where_the_file_may_hold_traces(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    with site.sessions.begin() as session:
        session.add(Employee(id="e1", code="E-1", name="Grace Hopper", created_ms=1))
    monkeypatch.setattr(erasing, "wipe", lambda _sessions: False)
    answer = site.browser().post("/people/e1/erase", {"code": "E-1", "reason": "left"}, follow_redirects=True)
    assert "attendance people wipe" in answer.text


def test_two_who_are_erased_get_numbers_of_their_own(any_site: Site, person: str) -> None:
    with any_site.sessions.begin() as session:
        session.add(Employee(id="old", code="erased-2", name="Entered long ago", created_ms=1))
    told = [
        erasing.erase_for_good(any_site.sessions, any_site.settings, who, code, "left", by="admin")
        for who, code in ((person, CODE), ("other", "E-2"))
    ]
    assert told == [("Erased person 1", True), ("Erased person 3", True)]
