"""Employees: valid codes, consent, who is let in, and the gallery changes that follow."""

from collections.abc import Callable

import pytest
from sqlalchemy import func, select

from dashboard.database import SessionFactory, reading
from dashboard.models import Employee, EnrolmentPicture, GalleryOutbox, Template
from dashboard.people.employees import (
    EmployeeError,
    create_employee,
    deactivate,
    reactivate,
    set_consent,
    update_employee,
    withdraw_consent,
)

NOW_MS = 1_795_478_400_000


def changes(factory: SessionFactory) -> list[tuple[str, str]]:
    with reading(factory) as session:
        rows = session.execute(select(GalleryOutbox.op, GalleryOutbox.model_id).order_by(GalleryOutbox.id))
        return [(row[0], row[1]) for row in rows]


def test_create_strips_and_keeps_consent(factory: SessionFactory) -> None:
    with factory.begin() as session:
        create_employee(session, "  A 1 ", " Siti Ñuñez-李 ", " Gudang ", consent_by="hr", now_ms=NOW_MS)
        create_employee(session, "A2", "No Consent", now_ms=NOW_MS)
    with reading(factory) as session:
        first, second = session.scalars(select(Employee).order_by(Employee.code))
        assert (first.code, first.name, first.department) == ("A 1", "Siti Ñuñez-李", "Gudang")
        assert (first.consent_ms, first.consent_by) == (NOW_MS, "hr")
        assert (second.consent_ms, second.department) == (None, "")
    assert changes(factory) == []


@pytest.mark.parametrize(
    ("field", "code", "name", "said"),
    [
        ("code", "", "N", "must not be empty"),
        ("code", " \t ", "N", "must not be empty"),
        ("code", "x" * 65, "N", "65 characters, at most 64"),
        ("code", "a\nb", "N", r"U\+000A"),
        ("code", "a\x00b", "N", r"U\+0000"),
        ("code", "a\ud800", "N", r"U\+D800"),
        ("name", "a", " ", "must not be empty"),
        ("name", "a", "n" * 201, "at most 200"),
        ("name", "a", "line\u2028break", r"U\+2028"),
    ],
)
def test_what_can_not_be_a_code_or_name(factory: SessionFactory, field: str, code: str, name: str, said: str) -> None:
    with pytest.raises(EmployeeError, match=said) as caught, factory.begin() as session:
        create_employee(session, code, name, now_ms=NOW_MS)
    assert caught.value.field == field


def test_a_code_is_given_once(factory: SessionFactory) -> None:
    with factory.begin() as session:
        create_employee(session, "A1", "First", now_ms=NOW_MS)
    with pytest.raises(EmployeeError, match="another employee has it"), factory.begin() as session:
        create_employee(session, " A1 ", "Second", now_ms=NOW_MS)


def test_whatever_changes_recognition_queues_a_change(factory: SessionFactory, add_person: Callable[..., str]) -> None:
    with factory.begin() as session:
        who = add_person(session, "A1", templates=2, model="sface-000000000000")
    with factory.begin() as session:
        deactivate(session, who, NOW_MS)
        deactivate(session, who, NOW_MS + 5)
    with factory.begin() as session:
        assert session.get_one(Employee, who).deactivated_ms == NOW_MS, "the first time counts"
        reactivate(session, who)
        update_employee(session, who, name="New Name", department="Dock")
        update_employee(session, who, name="New Name", department="Office")
    assert [op for op, _ in changes(factory)] == ["put", "remove", "put", "put"]


def test_withdrawn_consent_deletes_the_face_and_keeps_the_employee(
    factory: SessionFactory, add_person: Callable[..., str]
) -> None:
    with factory.begin() as session:
        who = add_person(session, "A1", templates=2)
    with factory.begin() as session:
        withdraw_consent(session, who)
    with factory.begin() as session:
        for table in (EnrolmentPicture, Template):
            assert session.scalar(select(func.count()).select_from(table)) == 0
        assert session.get_one(Employee, who).consent_ms is None
        set_consent(session, who, "hr", NOW_MS)
    with factory.begin() as session:
        assert set_consent(session, who, "other", NOW_MS + 1).consent_by == "hr"
    assert [op for op, _ in changes(factory)] == ["put", "remove"]


@pytest.mark.parametrize("act", [deactivate, reactivate, withdraw_consent])
def test_nobody(factory: SessionFactory, act: Callable[..., object]) -> None:
    with pytest.raises(EmployeeError, match="no such employee"), factory.begin() as session:
        act(session, "nobody", NOW_MS) if act is deactivate else act(session, "nobody")
