"""Departments: counted, renamed, put together."""

from datetime import date

from sqlalchemy import select

from dashboard.database import now_ms, reading
from dashboard.days.policy import weekly
from dashboard.models import Assignment, Employee, UserDepartment
from dashboard.people.employees import create_employee, deactivate
from dashboard.planning.patterns import assign, save_pattern
from tests.dashboard.days.sheet import OFFICE
from tests.dashboard.site import Browser, Site, add_user

pytest_plugins = ["tests.dashboard.pages"]


def test_renaming_and_putting_together(any_site: Site) -> None:
    browser = any_site.browser()
    assert "No departments yet" in browser.get("/people/departments").text
    with any_site.sessions.begin() as session:
        for n, department in enumerate(("Dock", "Dock", "Office", "")):
            create_employee(session, f"E-{n}", f"Person {n}", department, now_ms=now_ms())
        deactivate(session, session.scalars(select(Employee.id).where(Employee.code == "E-0")).one(), now_ms())
    page = browser.get("/people/departments").text
    assert "Without a department" in page
    assert "No departments yet" not in page

    def rename(before: str, after: str, **more: str) -> object:
        return browser.post("/people/departments/rename", {"before": before, "after": after, **more})

    assert "2 people are in Gudang now" in browser.get(rename("Dock", " Gudang ").location).text  # type: ignore[attr-defined]
    asked = rename("Gudang", "Office")
    assert asked.status_code == 422  # type: ignore[attr-defined]
    assert "There is a department Office already, with 1 person" in asked.text  # type: ignore[attr-defined]
    assert rename("Gudang", "Office", merge="1").status_code == 302  # type: ignore[attr-defined]
    with reading(any_site.sessions) as session:
        found = session.execute(select(Employee.department, Employee.search_text).order_by(Employee.code)).all()
    assert [row[0] for row in found] == ["Office", "Office", "Office", ""]
    assert "office" in found[0][1]


def test_what_can_not_be_a_department(site: Site, browser: Browser) -> None:
    with site.sessions.begin() as session:
        create_employee(session, "E-1", "Siti", "Dock", now_ms=now_ms())
    for before, after, words in (
        ("Dock", "", "must not be empty"),
        ("Dock", "x" * 201, "at most 200"),
        ("Dock", "Dock", "its name already"),
        ("Nowhere", "Office", "nobody is in it"),
    ):
        answer = browser.post("/people/departments/rename", {"before": before, "after": after})
        assert answer.status_code == 422
        assert words in answer.text


def test_many_are_paged(site: Site, browser: Browser) -> None:
    with site.sessions.begin() as session:
        for n in range(7):
            create_employee(session, f"E-{n}", "Siti", f"Department {n}", now_ms=now_ms())
    assert "7 departments, page 1 of 2" in browser.get("/people/departments").text
    assert "Department 6" in browser.get("/people/departments?page=2").text
    assert "no page 9" in browser.get("/people/departments?page=9").text


def test_whoever_looks_after_a_department_and_its_shifts_follow_its_name(any_site: Site) -> None:
    browser = any_site.browser()
    with any_site.sessions.begin() as session:
        for n, department in enumerate(("Dock", "Office", "Yard")):
            create_employee(session, f"E-{n}", f"Person {n}", department, now_ms=now_ms())
        add_user(session, "one", ["supervisor"], ["Dock"])
        add_user(session, "both", ["supervisor"], ["Dock", "Office"])
        version = save_pattern(session, "Day", weekly(OFFICE), date(2026, 1, 1), by="hr", now_ms=1)
        for department in ("Dock", "Office"):
            assign(session, date(2026, 1, 1), department=department, pattern_id=version.pattern_id, by="hr", now_ms=1)

    def rename(before: str, after: str) -> tuple[list[tuple[int, str]], list[str]]:
        answer = browser.post("/people/departments/rename", {"before": before, "after": after, "merge": "1"})
        assert answer.status_code == 302
        with reading(any_site.sessions) as session:
            seen = session.execute(select(UserDepartment.user_id, UserDepartment.department))
            return sorted((row[0], row[1]) for row in seen), list(
                session.scalars(select(Assignment.department).order_by(Assignment.id))
            )

    one, both = 2, 3
    assert rename("Dock", "Pier") == ([(one, "Pier"), (both, "Office"), (both, "Pier")], ["Pier", "Office"])
    assert rename("Pier", "Office") == ([(one, "Office"), (both, "Office")], ["Pier", "Office"]), "Office has its own"
    assert rename("Office", "Yard") == ([(one, "Yard"), (both, "Yard")], ["Pier", "Yard"])
