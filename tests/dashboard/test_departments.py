"""Departments: counted, renamed, put together."""

from sqlalchemy import select

from dashboard.database import now_ms, reading
from dashboard.employees import create_employee, deactivate
from dashboard.models import Employee
from tests.dashboard.site import Browser, Site

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
