"""Every endpoint with every role, against a table written by hand: not from the one that the app goes by."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from dashboard.access import rights
from dashboard.access.rights import PUBLIC, Reach, Sight
from dashboard.access.roles import Role
from dashboard.app import create_app
from dashboard.days.policy import weekly
from dashboard.models import AttendanceEvent, EventPicture
from dashboard.models import Site as SiteRow
from dashboard.people.employees import create_employee
from dashboard.planning.patterns import assign, save_pattern
from tests.dashboard.days.sheet import OFFICE
from tests.dashboard.site import Browser, Site, add_user

pytest_plugins = ["tests.dashboard.pages"]

ROLES = ("employee", "supervisor", "hr", "operator", "auditor")
SEVEN_MS = 1_795_478_400_000

# endpoint, method: what employee, supervisor, hr, operator and auditor get. What a role may not open is 403; 404 is what
# the supervisor of Flight gets on a person of Computing; 400 and 422 are forms that were let in and lack their values.
TABLE: dict[tuple[str, str], tuple[int, int, int, int, int]] = {
    ("account.begin_factor", "POST"): (302, 302, 302, 302, 302),
    ("account.end_others", "POST"): (302, 302, 302, 302, 302),
    ("account.end_session", "POST"): (404, 404, 404, 404, 404),
    ("account.factor", "GET"): (200, 200, 200, 200, 200),
    ("account.factor", "POST"): (422, 422, 422, 422, 422),
    ("account.index", "GET"): (200, 200, 200, 200, 200),
    ("account.new_codes", "POST"): (404, 404, 404, 404, 404),
    ("account.qr", "GET"): (404, 404, 404, 404, 404),
    ("account.remove_factor", "POST"): (422, 422, 422, 422, 422),
    ("accounts.account", "GET"): (403, 403, 200, 403, 200),
    ("accounts.change", "POST"): (403, 403, 422, 403, 403),
    ("accounts.create", "GET"): (403, 403, 200, 403, 403),
    ("accounts.create", "POST"): (403, 403, 422, 403, 403),
    ("accounts.index", "GET"): (403, 403, 200, 403, 200),
    ("accounts.take_step", "POST"): (403, 403, 302, 403, 403),
    ("attendance.export", "GET"): (403, 200, 200, 403, 200),
    ("attendance.log", "GET"): (403, 200, 200, 403, 200),
    ("attendance.picture", "GET"): (403, 403, 200, 403, 200),
    ("audit.export", "GET"): (403, 403, 200, 403, 200),
    ("audit.index", "GET"): (403, 403, 200, 403, 200),
    ("auth.logout", "POST"): (302, 302, 302, 302, 302),
    ("auth.password", "GET"): (200, 200, 200, 200, 200),
    ("auth.password", "POST"): (422, 422, 422, 422, 422),
    ("charts.index", "GET"): (403, 200, 200, 403, 200),
    ("connections.index", "GET"): (403, 403, 200, 200, 200),
    ("connections.make_key", "POST"): (403, 403, 422, 403, 403),
    ("connections.retry_frappe", "POST"): (403, 403, 302, 302, 403),
    ("connections.revoke_key", "POST"): (403, 403, 404, 404, 403),
    ("connections.webhook_step", "POST"): (403, 403, 404, 404, 403),
    ("corrections.decide", "POST"): (403, 404, 404, 403, 403),
    ("corrections.enter", "GET"): (403, 403, 200, 403, 403),
    ("corrections.enter", "POST"): (403, 403, 422, 403, 403),
    ("corrections.index", "GET"): (403, 200, 200, 403, 200),
    ("corrections.withdraw", "POST"): (403, 403, 404, 403, 403),
    ("departments.index", "GET"): (403, 403, 200, 403, 200),
    ("departments.rename", "POST"): (403, 403, 422, 403, 403),
    ("folder.form", "GET"): (403, 403, 200, 403, 403),
    ("folder.look", "POST"): (403, 403, 400, 403, 403),
    ("folder.person", "POST"): (403, 403, 422, 403, 403),
    ("guided.look", "POST"): (403, 403, 422, 403, 403),
    ("holidays.add", "POST"): (403, 403, 422, 403, 403),
    ("holidays.import_them", "POST"): (403, 403, 302, 403, 403),
    ("holidays.index", "GET"): (403, 403, 200, 403, 200),
    ("holidays.preview", "POST"): (403, 403, 400, 403, 403),
    ("holidays.remove", "POST"): (403, 403, 404, 403, 403),
    ("kiosk_enrolment.accept", "POST"): (403, 403, 302, 403, 403),
    ("kiosk_enrolment.choose", "GET"): (403, 403, 200, 403, 403),
    ("kiosk_enrolment.end", "POST"): (403, 403, 302, 403, 403),
    ("kiosk_enrolment.follow", "GET"): (403, 403, 200, 403, 403),
    ("kiosk_enrolment.picture", "GET"): (403, 403, 404, 403, 403),
    ("kiosk_enrolment.start", "POST"): (403, 403, 422, 403, 403),
    ("kiosk_enrolment.state", "GET"): (403, 403, 200, 403, 403),
    ("kiosks.change", "POST"): (403, 403, 302, 302, 403),
    ("kiosks.index", "GET"): (403, 403, 200, 200, 200),
    ("leave.enter", "POST"): (403, 403, 422, 403, 403),
    ("leave.index", "GET"): (403, 404, 200, 403, 200),
    ("leave.withdraw", "POST"): (403, 403, 404, 403, 403),
    ("live.board", "GET"): (403, 200, 200, 403, 200),
    ("live.start", "GET"): (302, 302, 302, 302, 302),
    ("live.stream", "GET"): (403, 200, 200, 403, 200),
    ("live.who", "GET"): (403, 200, 200, 403, 200),
    ("me.month", "GET"): (200, 403, 403, 403, 403),
    ("month_files.book", "GET"): (403, 200, 200, 403, 200),
    ("month_files.days", "GET"): (403, 200, 200, 403, 200),
    ("month_files.own_sheet", "GET"): (200, 403, 403, 403, 403),
    ("month_files.sheet", "GET"): (403, 404, 200, 403, 200),
    ("month_files.sheets", "GET"): (403, 200, 200, 403, 200),
    ("month_files.totals", "GET"): (403, 200, 200, 403, 200),
    ("alike.index", "GET"): (403, 403, 302, 302, 302),
    ("alike.limit", "POST"): (403, 403, 403, 302, 403),
    ("alike.look", "POST"): (403, 403, 302, 302, 403),
    ("alike.reset", "POST"): (403, 403, 403, 302, 403),
    ("models.cancel", "POST"): (403, 403, 403, 422, 403),
    ("models.index", "GET"): (403, 403, 200, 200, 200),
    ("models.prepare", "POST"): (403, 403, 403, 422, 403),
    ("models.progress", "GET"): (403, 403, 200, 200, 200),
    ("models.rollback", "POST"): (403, 403, 403, 422, 403),
    ("models.switch", "POST"): (403, 403, 403, 422, 403),
    ("site_health.index", "GET"): (403, 403, 200, 200, 200),
    ("site_settings.index", "GET"): (403, 403, 403, 200, 200),
    ("saved_filters.remove", "POST"): (404, 404, 404, 404, 404),
    ("saved_filters.save", "POST"): (302, 302, 302, 302, 302),
    ("months.index", "GET"): (403, 200, 200, 403, 200),
    ("months.person", "GET"): (403, 404, 200, 403, 200),
    ("weeks.week", "GET"): (403, 200, 200, 403, 200),
    ("weeks.day", "GET"): (403, 200, 200, 403, 200),
    ("my_corrections.ask", "GET"): (200, 403, 403, 403, 403),
    ("my_corrections.ask", "POST"): (422, 403, 403, 403, 403),
    ("my_corrections.index", "GET"): (200, 403, 403, 403, 403),
    ("my_corrections.withdraw", "POST"): (404, 403, 403, 403, 403),
    ("people.change", "POST"): (403, 403, 422, 403, 403),
    ("people.create", "GET"): (403, 403, 200, 403, 403),
    ("people.create", "POST"): (403, 403, 422, 403, 403),
    ("erasing.erase", "POST"): (403, 403, 422, 403, 403),
    ("erasing.form", "GET"): (403, 403, 200, 403, 403),
    ("people.export", "GET"): (403, 200, 200, 403, 200),
    ("people.index", "GET"): (403, 200, 200, 403, 200),
    ("people.person", "GET"): (403, 404, 200, 403, 200),
    ("people.take_step", "POST"): (403, 403, 302, 403, 403),
    ("people_import.apply", "POST"): (403, 403, 422, 403, 403),
    ("people_import.discard", "POST"): (403, 403, 302, 403, 403),
    ("people_import.form", "GET"): (403, 403, 200, 403, 403),
    ("people_import.look", "GET"): (403, 403, 422, 403, 403),
    ("people_import.report", "GET"): (403, 403, 422, 403, 403),
    ("people_import.upload", "POST"): (403, 403, 422, 403, 403),
    ("pictures.add", "POST"): (403, 403, 422, 403, 403),
    ("pictures.delete", "POST"): (403, 403, 404, 403, 403),
    ("pictures.same_person", "POST"): (403, 403, 400, 403, 403),
    ("pictures.show", "GET"): (403, 403, 404, 403, 404),
    ("shift_patterns.assign_pattern", "POST"): (403, 403, 422, 403, 403),
    ("shift_patterns.change", "POST"): (403, 403, 422, 403, 403),
    ("shift_patterns.create", "GET"): (403, 403, 200, 403, 403),
    ("shift_patterns.create", "POST"): (403, 403, 422, 403, 403),
    ("shift_patterns.look", "POST"): (403, 403, 422, 403, 403),
    ("shift_patterns.index", "GET"): (403, 200, 200, 403, 200),
    ("shift_patterns.pattern", "GET"): (403, 200, 200, 403, 200),
    ("sites.change", "POST"): (403, 403, 422, 403, 403),
    ("sites.create", "POST"): (403, 403, 422, 403, 403),
    ("sites.index", "GET"): (403, 403, 200, 403, 200),
    ("sites.site", "GET"): (403, 403, 200, 403, 403),
}
START = ("/me", "/live", "/live", "/kiosks", "/live")
NAVIGATION = {
    "employee": ["My records"],
    "supervisor": ["Live", "Attendance", "Months", "People", "Rules"],
    "hr": ["Live", "Attendance", "Months", "People", "Rules", "Kiosks", "Administration"],
    "operator": ["Kiosks", "Administration"],
    "auditor": ["Live", "Attendance", "Months", "People", "Rules", "Kiosks", "Administration"],
}


@pytest.fixture
def peopled(site: Site) -> Site:
    """Two departments with a person and a record each, and an account of each role named by it."""
    kept = site.keeping_pictures(7)
    with kept.sessions.begin() as session:
        grace = create_employee(session, "E-1", "Grace Hopper", "Computing", now_ms=1).id
        eileen = create_employee(session, "E-2", "Eileen Collins", "Flight", now_ms=1).id
    events = [kept.punch(who, SEVEN_MS) for who in (grace, eileen)]
    kept.punch(None, SEVEN_MS + 1, status="not_a_punch")
    with kept.sessions.begin() as session:
        for role in ROLES:
            departments = ["Flight"] if role == "supervisor" else []
            add_user(session, role, [role], departments, eileen if role == "employee" else None)
        add_user(session, "plain", ["employee"])
        for event in events:
            session.add(EventPicture(event_id=event, jpeg=b"\xff\xd8", expires_ms=2 * SEVEN_MS))
        session.add(SiteRow(name="Plant", time_zone="Asia/Makassar", country="ID", subdivision=""))
        version = save_pattern(session, "Office", weekly(OFFICE), date(2026, 1, 1), by="hr", now_ms=1)
        for department in ("Computing", "Flight"):
            assign(session, date(2026, 1, 1), department=department, pattern_id=version.pattern_id, by="hr", now_ms=1)
        assign(session, date(2026, 1, 2), employee_id=grace, pattern_id=version.pattern_id, by="hr", now_ms=1)
    return kept


def values(site: Site) -> dict[str, Any]:
    """Of every address: a person of Computing and their record, an account of no importance."""
    with site.sessions() as session:
        events = {event.employee.code: event for event in session.query(AttendanceEvent)}
        return {
            "employee_id": events["E-1"].employee_id,
            "event_id": events["E-1"].event_id,
            "picture_id": "p1",
            "name": "front-door",
            "user_id": 7,
            "session_id": 999,
            "filename": "style.css",
            "suffix": "csv",
            "token": "0" * 32,
            "pattern_id": 1,
            "site_id": 1,
            "holiday_id": 999,
            "leave_id": 999,
            "correction_id": 999,
            "key_id": "none",
            "kiosk": "front-door",
            "session": "none",
            "pose": "straight",
            "webhook_id": "none",
            "filter_id": 999,
            "filtered": "log",
        }


def endpoints(site: Site) -> Iterator[tuple[str, str, str]]:
    """Endpoint, method and address of everything that accounts are for; the API has keys, and its own tests."""
    known = values(site)
    for rule in site.app.url_map.iter_rules():
        if rule.endpoint not in PUBLIC and not rule.endpoint.startswith("api."):
            step = {"accounts": "disable", "connections": "replay"}.get(rule.endpoint.split(".")[0], "deactivate")
            built = rule.build(known | {"step": step})
            assert built, f"{rule} needs a value in this test"
            for method in sorted((rule.methods or set()) & {"GET", "POST"}):
                yield rule.endpoint, method, built[1]


@pytest.mark.parametrize("role", ROLES)
def test_every_endpoint_answers_every_role_as_the_table_says(peopled: Site, role: str) -> None:
    browser, found = peopled.browser_of(role), {}
    for endpoint, method, path in sorted(endpoints(peopled), key=lambda one: one[0] == "auth.logout"):
        data = {"direction": "in"} if endpoint == "kiosks.change" else {}
        if endpoint == "account.qr":
            continue  # set up by the line before: it has its own test
        answer = browser.get(path, buffered=False) if method == "GET" else browser.post(path, data)
        found[endpoint, method] = answer.status_code
        answer.close()
    wanted = {key: row[ROLES.index(role)] for key, row in TABLE.items() if key[0] != "account.qr"}
    assert found == wanted


@pytest.mark.parametrize("role", ROLES)
def test_the_navigation_holds_what_the_role_may_open(peopled: Site, role: str) -> None:
    browser = peopled.browser_of(role)
    start = START[ROLES.index(role)]
    assert browser.get("/").location == start
    page = browser.get(start).text
    nav = page.split('<nav class="nav"')[1].split("</nav>")[0]
    assert [line.split("</svg>")[1] for line in nav.split("</a>")[:-1]] == NAVIGATION[role]
    for link in nav.split('href="')[1:]:
        assert browser.get(link.split('"')[0]).status_code == 200


def test_pages_behind_one_entry_are_named_below_the_bar(peopled: Site) -> None:
    page = peopled.browser_of("auditor").get("/sites/1/holidays").text
    below = page.split('<nav class="subnav" aria-label="Rules">')[1].split("</nav>")[0]
    assert 'href="/shifts">Shifts<' in below
    assert 'href="/sites" aria-current="page">Sites and holidays<' in below
    assert "subnav" not in peopled.browser_of("supervisor").get("/shifts").text, "one page needs no choice"


def test_a_supervisor_sees_their_departments_and_no_others(peopled: Site) -> None:
    browser = peopled.browser_of("supervisor")
    paths = ("/people", "/attendance", "/live", "/attendance.csv", "/attendance?kind=all", "/people?q=grace")
    for path in (*paths, "/people.csv", "/months"):
        text = browser.get(path).text
        assert "Grace" not in text, path
        assert "Computing" not in text, path
        assert "Not recognised</td>" not in text, path
        if "grace" not in path:
            assert "Eileen Collins" in text, path
    assert "Grace" not in browser.get("/attendance?department=Computing&kind=all").text
    with peopled.sessions() as session:
        people = {event.employee.code: event.employee_id for event in session.query(AttendanceEvent)}
    own = browser.get(f"/people/{people['E-2']}")
    assert own.status_code == 200
    for button in ("Save details", "Deactivate", "agreed", "Upload"):
        assert button not in own.text
    for path in ("", "/month", "/leave"):
        assert browser.get(f"/people/{people['E-1']}{path}").status_code == 404
        assert browser.get(f"/people/{people['E-2']}{path}").status_code == 200
    shifts = browser.get("/shifts").text
    assert ("Flight" in shifts, "Computing" in shifts, "Grace" in shifts) == (True, False, False)


def test_an_auditor_sees_no_button_that_changes_something(peopled: Site) -> None:
    browser, ids = peopled.browser_of("auditor"), values(peopled)
    for path in (
        "/people",
        f"/people/{ids['employee_id']}",
        "/attendance",
        "/kiosks",
        "/models",
        "/health",
        "/settings",
        "/accounts",
        "/accounts/2",
        "/audit",
        "/connections",
        "/people/departments",
        "/months",
        f"/people/{ids['employee_id']}/leave",
        "/shifts",
        "/shifts/1",
        "/sites",
        "/sites/1/holidays",
    ):
        text = browser.get(path).text
        forms = [form for form in text.split('method="post"')[1:] if not form.startswith(' action="/saved-filters')]
        assert len(forms) == 2, f"{path}: the log-out and the language alone, beside filters of one's own"
        assert "/new" not in text, path


def test_records_of_other_departments_are_not_there_for_a_supervisor(
    peopled: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the guard, for any endpoint that names a record: as if this one were open to supervisors."""
    line = {Role.SUPERVISOR: Reach.DEPARTMENTS}
    monkeypatch.setitem(rights.RIGHTS, "attendance.picture", line)  # type: ignore[arg-type]
    browser = peopled.browser_of("supervisor")
    with peopled.sessions() as session:
        ids = {event.employee.code: event.event_id for event in session.query(AttendanceEvent)}
    for event_id, code in ((ids["E-2"], 200), (ids["E-1"], 404), ("nothing", 404)):
        assert browser.get(f"/attendance/{event_id}.jpg").status_code == code


def test_roles_add_up(peopled: Site) -> None:
    with peopled.sessions.begin() as session:
        add_user(session, "both", ["supervisor", "operator"], ["Flight"])
        add_user(session, "widest", ["supervisor", "auditor"], ["Flight"])
    both = peopled.browser_of("both")
    assert both.get("/kiosks").status_code == 200
    assert "Grace" not in both.get("/people").text
    assert "Grace" in peopled.browser_of("widest").get("/people").text


def test_a_supervisor_without_departments_sees_nobody(peopled: Site) -> None:
    with peopled.sessions.begin() as session:
        add_user(session, "lost", ["supervisor"])
        create_employee(session, "E-3", "Nameless", "", now_ms=1)
    browser = peopled.browser_of("lost")
    assert "Nameless" not in browser.get("/people").text
    assert "Eileen" not in browser.get("/attendance").text


def test_an_account_without_roles_reaches_its_own_page_alone(peopled: Site) -> None:
    with peopled.sessions.begin() as session:
        add_user(session, "nothing", [])
    browser = peopled.browser_of("nothing")
    for path in ("/live", "/people", "/me", "/account"):
        assert browser.get(path).status_code == 403


def test_the_app_does_not_start_with_an_endpoint_that_nobody_thought_of(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(rights.RIGHTS, "people.change")  # type: ignore[arg-type]
    with pytest.raises(RuntimeError, match=r"people\.change: say in dashboard/access/rights\.py"):
        create_app(site.settings)
    with pytest.raises(RuntimeError, match=r"there is no such endpoint"):
        rights.require_complete({"live.start"})


@pytest.mark.parametrize(
    ("sight", "sees"),
    [
        (Sight(Reach.ALL), (True, True, True)),
        (Sight(Reach.DEPARTMENTS, frozenset({"Flight"})), (True, False, False)),
        (Sight(Reach.DEPARTMENTS, frozenset({"Flight"}), "e2"), (True, False, False)),
        (Sight(Reach.DEPARTMENTS), (False, False, False)),
        (Sight(Reach.OWN, frozenset({"Flight"}), "e2"), (False, True, False)),
        (Sight(Reach.OWN), (False, False, False)),
    ],
)
def test_how_far_an_account_sees(sight: Sight, sees: tuple[bool, bool, bool]) -> None:
    assert (sight.sees("e1", "Flight"), sight.sees("e2", "Dock"), sight.sees(None, None)) == sees


def test_auditors_change_nothing_and_every_role_is_known() -> None:
    own = {endpoint for endpoint, line in rights.RIGHTS.items() if line is rights.OWN_ACCOUNT}
    for (endpoint, method), row in TABLE.items():
        if method == "POST" and endpoint not in own:
            assert row[4] == 403, endpoint
    assert tuple(Role) == ROLES


def test_pages_of_errors_work_for_everybody(peopled: Site) -> None:
    browser: Browser = peopled.browser_of("operator")
    refused = browser.get("/people")
    assert (refused.status_code, "Your account may not do this" in refused.text) == (403, True)
    assert browser.get("/nothing").status_code == 404
    assert browser.get("/people", headers={"Accept": "application/json"}).json == {
        "error": "Your account may not do this."
    }
