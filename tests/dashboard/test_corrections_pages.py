"""Requests for corrections are decided by somebody else, of the right department, once, with the day before and after."""

from datetime import date

import pytest
from sqlalchemy import text

from dashboard.correcting.corrections import ask, ask_to_add
from dashboard.database import now_ms, reading
from dashboard.days.policy import weekly
from dashboard.models import AuditEntry, Change, Correction, User, Webhook
from dashboard.models import Site as SiteRow
from dashboard.people.employees import create_employee
from dashboard.planning.patterns import assign, save_pattern
from tests.dashboard.days.sheet import OFFICE
from tests.dashboard.site import Browser, Site, add_user

pytest_plugins = ["tests.dashboard.pages"]

HOUR_MS = 3_600_000
EIGHT_MS = 1_763_946_000_000
"""Mon 2025-11-24 08:00 in Jakarta."""
DAY = "2025-11-24"
ADDED = {"day": DAY, "time": "17:00", "direction": "out", "reason": "Forgot to punch"}


@pytest.fixture
def people(any_site: Site) -> dict[str, str]:
    """Somebody of each department with a punch in, and accounts: a supervisor of Flight who works there, two of HR."""
    with any_site.sessions.begin() as session:
        grace = create_employee(session, "E-1", "Grace Hopper", "Computing", now_ms=1).id
        eileen = create_employee(session, "E-2", "Eileen Collins", "Flight", now_ms=1).id
        sally = create_employee(session, "E-3", "Sally Ride", "Flight", now_ms=1).id
        add_user(session, "boss", ["supervisor", "employee"], ["Flight"], sally)
        add_user(session, "eileen", ["employee"], employee_id=eileen)
        add_user(session, "clerk", ["hr"])
        add_user(session, "auditor", ["auditor"])
        version = save_pattern(session, "Office", weekly(OFFICE), date(2025, 1, 1), by="hr", now_ms=1)
        for department in ("Computing", "Flight"):
            assign(session, date(2025, 1, 1), department=department, pattern_id=version.pattern_id, by="hr", now_ms=1)
    found = {"grace": grace, "eileen": eileen, "sally": sally}
    return found | {f"{name}'s": any_site.punch(who, EIGHT_MS) for name, who in found.items()}


def add(site: Site, person: str, by: str = "eileen", reason: str = "Forgot to punch") -> int:
    """A punch out at 17:00 that is asked for."""
    with site.sessions.begin() as session:
        at_ms = EIGHT_MS + 9 * HOUR_MS
        return ask_to_add(session, person, at_ms, "out", reason=reason, by=by, now_ms=now_ms()).id


def decide(browser: Browser, person: str, number: int, decision: str, note: str = "", query: str = ""):
    data = {"decision": decision, "note": note}
    return browser.post(f"/people/{person}/corrections/{number}/decide{query}", data)


def state(site: Site, number: int) -> tuple[str, str | None, str]:
    with reading(site.sessions) as session:
        row = session.get_one(Correction, number)
        return row.state, row.decided_by, row.decided_note


def test_the_day_before_and_after_and_the_decision(any_site: Site, people: dict[str, str]) -> None:
    number = add(any_site, people["eileen"])
    boss = any_site.browser_of("boss")
    page = boss.get("/corrections").text
    assert "Eileen Collins" in page
    assert "“Forgot to punch”" in page
    before, after = (page.split(f"</span> {word}</th>")[1].split("</tr>")[0] for word in ("is", "would be"))
    assert "Out missing" in before
    assert '<td data-label="Missing" class="number">8:00</td>' in before
    assert "Out missing" not in after
    assert "17:00 out" in after
    assert '<td data-label="Worked" class="number"><strong>9:00</strong></td>' in after
    assert '<td data-label="Missing" class="number"><strong>0:00</strong></td>' in after
    month = f"/people/{people['eileen']}/month?month=2025-11"
    assert "A correction waits for a decision" in boss.get(month).text

    answer = decide(boss, people["eileen"], number, "approved", "Seen at the gate")
    assert (answer.status_code, answer.location) == (302, "/corrections")
    assert state(any_site, number) == ("approved", "boss", "Seen at the gate")
    told = boss.get(month).text
    assert "17:00 out" in told
    assert "asked by eileen, approved by boss" in told
    assert "Forgot to punch (Seen at the gate)" in told
    with reading(any_site.sessions) as session:
        entry = session.query(AuditEntry).filter_by(action="correction.approved").one()
    assert entry.actor_id is not None
    assert (entry.subject_id, "gate" in entry.details) == (people["eileen"], False)


def test_refusing_needs_words_and_keeps_none_typed_elsewhere(any_site: Site, people: dict[str, str]) -> None:
    number, boss = add(any_site, people["eileen"]), any_site.browser_of("boss")
    for note, said in (("", "is missing"), ("n" * 501, "at most 500")):
        answer = decide(boss, people["eileen"], number, "refused", note, "?state=asked")
        assert (answer.status_code, said in answer.text) == (422, True)
    assert decide(boss, people["eileen"], number, "maybe").status_code == 422
    assert state(any_site, number)[0] == "asked"
    answer = decide(boss, people["eileen"], number, "refused", "You left at noon", "?state=asked")
    assert answer.location == "/corrections?state=asked"
    assert "You left at noon" in any_site.browser_of("eileen").get("/my-corrections").text


def test_the_second_of_two_is_told(any_site: Site, people: dict[str, str]) -> None:
    number = add(any_site, people["eileen"])
    decide(any_site.browser_of("boss"), people["eileen"], number, "approved")
    clerk = any_site.browser_of("clerk")
    decide(clerk, people["eileen"], number, "refused", "Too late")
    assert "boss has approved it already" in clerk.get("/corrections").text
    assert state(any_site, number) == ("approved", "boss", "")


def test_a_supervisor_decides_on_their_departments_and_not_on_their_own(any_site: Site, people: dict[str, str]) -> None:
    others, own = add(any_site, people["grace"], "grace"), add(any_site, people["sally"], "boss", "My own")
    for_me = add(any_site, people["sally"], "clerk", "For the boss")
    boss = any_site.browser_of("boss")
    page = boss.get("/corrections").text
    assert "Grace" not in page
    assert "somebody else decides" in page
    assert 'value="approved"><' not in page
    assert decide(boss, people["grace"], others, "approved").status_code == 404
    assert decide(boss, people["sally"], others, "approved").status_code == 404
    assert decide(boss, people["sally"], own, "approved").status_code == 403
    assert decide(boss, people["sally"], for_me, "approved").status_code == 403
    assert decide(any_site.browser_of("eileen"), people["sally"], own, "approved").status_code == 403
    assert [state(any_site, number)[0] for number in (others, own, for_me)] == ["asked"] * 3
    assert decide(any_site.browser_of("clerk"), people["sally"], own, "approved").status_code == 302


def test_hr_asks_for_somebody_and_another_decides(any_site: Site, people: dict[str, str]) -> None:
    clerk, path = any_site.browser_of("clerk"), f"/people/{people['eileen']}/corrections"
    month = clerk.get(f"/people/{people['eileen']}/month?month=2025-11").text
    assert f"{path}/new?punch=" + people["eileen's"] in month
    assert clerk.post(f"{path}/new", ADDED).status_code == 302
    assert clerk.post(f"{path}/new", {**ADDED, "reason": ""}).status_code == 422
    assert clerk.get(f"{path}/new", query_string={"punch": people["grace's"]}).status_code == 404
    assert clerk.get("/people/nobody/corrections/new").status_code == 404
    assert "You asked for this" in clerk.get("/corrections").text
    assert decide(clerk, people["eileen"], 1, "approved").status_code == 403
    assert any_site.browser_of("admin").post(f"{path}/1/withdraw").status_code == 403
    assert clerk.post(f"{path}/1/withdraw").status_code == 302
    assert state(any_site, 1)[:2] == ("withdrawn", "clerk")
    assert clerk.post(f"{path}/new", ADDED).status_code == 302  # what was withdrawn may be asked for again
    assert decide(any_site.browser_of("admin"), people["eileen"], 2, "approved").status_code == 302
    assert "was added already" in clerk.post(f"{path}/new", ADDED).text
    with reading(any_site.sessions) as session:
        entries = session.query(AuditEntry).filter(AuditEntry.action.like("correction.%")).order_by(AuditEntry.id).all()
        names = {user.id: user.name for user in session.query(User)}
    told = [(names[entry.actor_id or 0], entry.action.removeprefix("correction.")) for entry in entries]
    assert told == [("clerk", "asked"), ("clerk", "withdrawn"), ("clerk", "asked"), ("admin", "approved")]
    assert {entry.subject_id for entry in entries} == {people["eileen"]}


def test_an_added_punch_can_be_changed_in_turn(any_site: Site, people: dict[str, str]) -> None:
    number = add(any_site, people["eileen"])
    admin, clerk = any_site.browser(), any_site.browser_of("clerk")
    decide(admin, people["eileen"], number, "approved")
    with reading(any_site.sessions) as session:
        punch = session.get_one(Correction, number).punch_id
    changed = {**ADDED, "what": "change", "time": "16:30"}
    assert clerk.post(f"/people/{people['eileen']}/corrections/new?punch={punch}", changed).status_code == 302
    decide(admin, people["eileen"], number + 1, "approved")
    month = clerk.get(f"/people/{people['eileen']}/month?month=2025-11").text
    assert "16:30 out" in month
    assert "17:00 out" not in month


def test_a_mark_in_the_log_and_reasons_for_those_who_may_read_them(any_site: Site, people: dict[str, str]) -> None:
    with any_site.sessions.begin() as session:
        event = people["eileen's"]
        number = ask(session, "void", event_id=event, reason="Was not me", by="eileen", now_ms=now_ms()).id
    log = f"/attendance?from={DAY}&to={DAY}"
    boss = any_site.browser_of("boss")
    assert "Correction asked for" in boss.get(log).text
    decide(boss, people["eileen"], number, "approved")
    for name in ("boss", "clerk", "auditor"):
        shown = any_site.browser_of(name).get(log).text
        assert "<strong>Voided</strong>" in shown
        assert "Was not me" in shown
        assert "08:00:00" in shown
    auditor = any_site.browser_of("auditor")
    assert "Was not me" in auditor.get("/corrections").text
    assert decide(auditor, people["eileen"], number, "approved").status_code == 403


def test_times_are_those_of_the_persons_site(any_site: Site, people: dict[str, str]) -> None:
    with any_site.sessions.begin() as session:
        session.add(SiteRow(name="Plant", time_zone="Asia/Makassar", country="ID", subdivision=""))
        session.flush()
        version = save_pattern(session, "Plant", weekly(OFFICE), date(2025, 1, 1), by="hr", now_ms=1)
        rules = {"pattern_id": version.pattern_id, "site_id": 1, "by": "hr", "now_ms": 1}
        assign(session, date(2025, 1, 2), employee_id=people["eileen"], **rules)
    clerk = any_site.browser_of("clerk")
    form = clerk.get(f"/people/{people['eileen']}/corrections/new", query_string={"punch": people["eileen's"]}).text
    assert 'value="09:00"' in form
    assert "On the clock of Asia/Makassar" in form
    clerk.post(f"/people/{people['eileen']}/corrections/new", ADDED)
    with reading(any_site.sessions) as session:
        assert session.get_one(Correction, 1).new_ms == EIGHT_MS + 8 * HOUR_MS
    assert "17:00:00" in clerk.get("/corrections").text


def test_the_filter_and_the_pages(any_site: Site, people: dict[str, str]) -> None:
    clerk = any_site.browser_of("clerk")
    with any_site.sessions.begin() as session:
        for number in range(6):
            ask(session, "void", event_id=people["grace's"], reason=f"R{number}.", by="grace", now_ms=now_ms())
    add(any_site, people["eileen"], reason="R6.")
    decide(clerk, people["grace"], 6, "refused", "No")

    def found(query: str) -> list[int]:
        page = clerk.get(f"/corrections{query}").text
        return sorted((n for n in range(7) if f"R{n}." in page), key=lambda n: page.index(f"R{n}."))

    assert found("") == [6, 4, 3, 2, 1]
    after = clerk.get("/corrections").text.split('rel="next" href="')[1].split('"')[0]
    assert found(after.removeprefix("/corrections")) == [0, 5]
    assert found("?state=refused") == [5]
    assert found("?department=Flight") == [6]
    assert found("?state=asked&department=Computing") == [4, 3, 2, 1, 0]
    assert clerk.get("/corrections?state=sideways").status_code == 400
    assert clerk.get("/corrections?department=" + "x" * 201).status_code == 400
    assert "Nobody has asked" in clerk.get("/corrections?state=withdrawn").text


def test_webhooks_are_told_of_what_was_approved(any_site: Site, people: dict[str, str]) -> None:
    with any_site.sessions.begin() as session:
        hook = {"id": "w1", "url": "https://hr.example/hook", "kinds": "days.changed", "secret": "s"}
        session.add(Webhook(**hook, created_ms=1, created_by="hr"))
    number, boss = add(any_site, people["eileen"]), any_site.browser_of("boss")
    decide(boss, people["eileen"], number, "approved")
    with reading(any_site.sessions) as session:
        assert [(row.kind, row.subject_id) for row in session.query(Change)] == [("days.changed", people["eileen"])]


def test_the_bar_counts_what_waits_for_whom(any_site: Site, people: dict[str, str]) -> None:
    add(any_site, people["eileen"])
    add(any_site, people["grace"], "grace")
    shown = {name: any_site.browser_of(name).get("/corrections").text for name in ("boss", "clerk", "auditor")}
    assert [number for number in (1, 2) if f"Corrections ({number})" in shown["boss"]] == [1]
    assert "Corrections (2)" in shown["clerk"]
    assert "Corrections (" not in shown["auditor"]
    assert '2<span class="visually-hidden"> corrections wait' in any_site.browser_of("clerk").get("/people").text


def test_added_punches_stand_below_the_log(any_site: Site, people: dict[str, str]) -> None:
    clerk = any_site.browser_of("clerk")
    for name in ("eileen", "grace"):
        number = add(any_site, people[name], name, f"Reason of {name}")
        assert "Added by corrections" not in clerk.get(f"/attendance?from={DAY}&person=E-{2 - (name == 'grace')}").text
        decide(clerk, people[name], number, "approved")
    boss = any_site.browser_of("boss").get("/attendance").text.split("Added by corrections")[1]
    assert ("17:00:00" in boss, "Reason of eileen" in boss, "Grace" in boss) == (True, True, False)
    found = clerk.get("/attendance", query_string={"person": "grace"}).text.split("Added by corrections")[1]
    assert ("Grace" in found, "Eileen" in found) == (True, False)
    for query in ("kiosk=front-door", "kind=unrecognised", "to=2025-11-23", "from=2025-11-25"):
        assert "Added by corrections" not in clerk.get(f"/attendance?{query}").text


def test_what_waits_and_what_was_added_is_found_by_an_index(any_site: Site) -> None:
    if any_site.settings.database.startswith("sqlite"):
        with reading(any_site.sessions) as session:
            for index, query in (
                ("correction_waiting", "SELECT id FROM corrections WHERE state = 'asked' LIMIT 100"),
                ("correction_added", "SELECT id FROM corrections WHERE action = 'add' ORDER BY new_ms DESC LIMIT 20"),
            ):
                plan = session.execute(text(f"EXPLAIN QUERY PLAN {query}")).all()
                assert index in str(plan)


def test_a_mark_on_the_persons_page(any_site: Site, people: dict[str, str]) -> None:
    with any_site.sessions.begin() as session:
        ask(session, "void", event_id=people["eileen's"], reason="Was not me", by="eileen", now_ms=now_ms())
    page = any_site.browser_of("boss").get(f"/people/{people['eileen']}?month=2025-11").text
    assert "Correction asked for" in page


def test_a_changed_punch_stands_beside_what_was_recorded(any_site: Site, people: dict[str, str]) -> None:
    with any_site.sessions.begin() as session:
        event, earlier = people["eileen's"], EIGHT_MS - HOUR_MS
        ask(session, "change", event_id=event, new_ms=earlier, reason="Queue", by="eileen", now_ms=now_ms())
    boss = any_site.browser_of("boss")
    decide(boss, people["eileen"], 1, "approved")
    for browser, path in (
        (boss, f"/people/{people['eileen']}/month"),
        (any_site.browser_of("eileen"), "/me"),
    ):
        page = browser.get(f"{path}?month=2025-11").text
        assert "07:00 in" in page
        assert "Mon 24 Nov 2025, 08:00:00</span>.</span>" in page
        assert "<strong>Changed</strong> to" in page
