"""The list of people: what a search finds, who is in which state, and every order paged through to its end and back."""

from collections.abc import Callable
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from dashboard.database import SessionFactory, reading
from dashboard.models import EnrolmentPicture
from dashboard.people.employees import create_employee, deactivate, departments, set_consent
from dashboard.people.people_list import SORTS, PeopleFilter, count, everybody, months_before, page
from dashboard.web.cursors import Place
from dashboard.web.folding import folded

NOW = datetime(2026, 11, 24, 7, 0, tzinfo=ZoneInfo("Asia/Jakarta"))
NOW_MS = round(NOW.timestamp() * 1000)


def codes(factory: SessionFactory, **chosen: object) -> list[str]:
    """Of everybody that a filter finds, in order; the page and the count must agree."""
    filtered = PeopleFilter(**chosen)  # type: ignore[arg-type]
    with reading(factory) as session:
        found = [row.employee.code for row in everybody(session, filtered, NOW)]
        rows, before, after = page(session, filtered, NOW, None, 50)
        assert [row.employee.code for row in rows] == found
        assert (before, after, count(session, filtered, NOW)) == (None, None, len(found))
        return found


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("Siti Ñuñez", "siti nunez"),
        ("ŁUKASZ  Straße", "lukasz strasse"),
        ("Søren Æbelø", "soren aebelo"),
        ("ﬁn", "fin"),
        ("李 小龙", "李 小龙"),
        ("Йорг", "иорг"),
        ("", ""),
    ],
)
def test_folding(text: str, want: str) -> None:
    assert folded(text) == want
    assert folded(want) == want


def test_search_takes_any_case_and_accent(factory: SessionFactory) -> None:
    with factory.begin() as session:
        create_employee(session, "E-1", "José Muñoz", "Kantor", now_ms=NOW_MS)
        create_employee(session, "E-2", "jose munoz", "100%_sure", now_ms=NOW_MS)
        create_employee(session, "X-3", "Ärmin Li", "Kantor", now_ms=NOW_MS)
    assert codes(factory, text="MUNOZ") == ["E-1", "E-2"] or codes(factory, text="MUNOZ") == ["E-2", "E-1"]
    assert codes(factory, text="muñ kan") == ["E-1"]
    assert codes(factory, text="armin") == ["X-3"]
    assert codes(factory, text="e-2") == ["E-2"]
    assert codes(factory, text="%_") == ["E-2"], "searched for, not wildcards"
    assert codes(factory, text="nobody") == []
    assert codes(factory, department="Kantor") == ["X-3", "E-1"], "by name without accents"
    with reading(factory) as session:
        assert departments(session) == ["100%_sure", "Kantor"]


def test_states(factory: SessionFactory, add_person: Callable[..., str]) -> None:
    with factory.begin() as session:
        for code, templates in (("A", 1), ("B", 1), ("C", 0), ("D", 1)):
            who = add_person(session, code, templates=templates)
            if code == "D":
                deactivate(session, who, NOW_MS)
        create_employee(session, "E", "Without consent", now_ms=NOW_MS)
        session.flush()
        for picture in session.query(EnrolmentPicture):
            code = picture.employee.code
            picture.created_ms = round(datetime(2024 if code == "A" else 2026, 11, 23).timestamp() * 1000)
    assert codes(factory, state="active") == ["A", "B", "C", "E"]
    assert codes(factory, state="inactive") == ["D"]
    assert codes(factory, state="no_consent") == ["E"]
    assert codes(factory, state="no_pictures") == ["C", "E"]
    assert codes(factory, state="old_pictures") == ["A"]
    assert codes(factory, state="old_pictures", months=25) == []
    with factory.begin() as session:
        set_consent(session, next(everybody(session, PeopleFilter(text="E without"), NOW)).employee.id, "hr", NOW_MS)
    assert codes(factory, state="no_consent") == []


@pytest.mark.parametrize("sort", SORTS)
def test_every_order_has_no_gap_and_leads_back(factory: SessionFactory, sort: str) -> None:
    with factory.begin() as session:
        for n in range(11):  # two of each name, three departments, all entered in the same millisecond
            create_employee(session, f"E{n:02}", f"Name {n // 2}", "abc"[n % 3], now_ms=NOW_MS)
    chosen = PeopleFilter(sort=sort)
    with reading(factory) as session:
        pages, place = [], None
        while True:
            rows, _, after = page(session, chosen, NOW, place, 4)
            pages.append([row.employee.code for row in rows])
            if after is None:
                break
            place = Place(after)
        assert [len(one) for one in pages] == [4, 4, 3]
        assert len({code for one in pages for code in one}) == 11
        rows, before, _ = page(session, chosen, NOW, place, 4)
        assert before is not None
        for want in reversed(pages[:-1]):
            rows, before, after = page(session, chosen, NOW, Place(before, backwards=True), 4)
            assert [row.employee.code for row in rows] == want
            assert after is not None
            before = before or ("unused",)
        assert before == ("unused",), "the first page has nothing before it"


def test_months_before_ends_on_a_day_that_there_is() -> None:
    assert months_before(datetime(2026, 3, 31), 1) == datetime(2026, 2, 28)
    assert months_before(datetime(2026, 1, 15), 13) == datetime(2024, 12, 15)
    assert months_before(datetime(2024, 2, 29), 12) == datetime(2023, 2, 28)
