"""The tables of the rules, up and down with rows in what was there before."""

from datetime import date

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from dashboard.database import SessionFactory, downgrade, engine_for, upgrade
from dashboard.models import Correction, Kiosk, Leave, Site


def test_kiosks_outlive_the_tables_of_the_rules(empty_url: str) -> None:
    upgrade(empty_url, "0007")
    engine = engine_for(empty_url)
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO kiosks (name, label, direction) VALUES ('front-door', 'Front', 'in')"))
    upgrade(empty_url, "0008")
    with engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO sites (id, name, time_zone, country, subdivision) VALUES (1, 'A', 'Asia/Jakarta', 'ID', '')"
            )
        )
        connection.execute(text("UPDATE kiosks SET site_id = 1"))
        row = "('side-door', '', 'sideways')"
        with pytest.raises(IntegrityError), connection.begin_nested():  # the table's own rule is still there
            connection.execute(text(f"INSERT INTO kiosks (name, label, direction) VALUES {row}"))
    downgrade(empty_url, "0007")
    with engine.begin() as connection:
        assert connection.execute(text("SELECT name, label, direction FROM kiosks")).all() == [
            ("front-door", "Front", "in")
        ]
    upgrade(empty_url, "0008")
    with engine.begin() as connection:
        assert connection.execute(text("SELECT site_id FROM kiosks")).scalars().all() == [None]
    engine.dispose()


def test_a_site_that_a_kiosk_stands_at_stays(factory: SessionFactory) -> None:
    with factory.begin() as session:
        site = Site(name="Plant", time_zone="Asia/Jakarta", country="", subdivision="")
        session.add(site)
        session.flush()
        session.add(Kiosk(name="front-door", site_id=site.id))
    with pytest.raises(IntegrityError), factory.begin() as session:
        session.delete(session.get_one(Site, site.id))


@pytest.mark.parametrize(
    "wrong",
    [
        {"action": "add"},  # neither time nor direction
        {"action": "void"},  # points at nothing
        {"action": "add", "new_ms": 1, "new_direction": "in", "state": "approved"},  # decided by nobody
        {"action": "add", "new_ms": 1, "new_direction": "off"},
        {"action": "add", "new_ms": 1, "new_direction": "in", "corrects_id": 1},
    ],
)
def test_the_database_refuses_corrections_that_make_no_sense(factory: SessionFactory, add_person, wrong) -> None:
    with factory.begin() as session:
        person = add_person(session, "E1", templates=0)
    values = {"punch_id": "a", "punch_ms": 1, "reason": "r", "asked_ms": 1, "asked_by": "hr", "state": "asked", **wrong}
    with pytest.raises(IntegrityError), factory.begin() as session:
        session.add(Correction(employee_id=person, **values))


def test_the_database_refuses_leave_that_ends_before_it_begins(factory: SessionFactory, add_person) -> None:
    with factory.begin() as session:
        person = add_person(session, "E1", templates=0)
    days = {"first_day": date(2026, 11, 24), "last_day": date(2026, 11, 23)}
    with pytest.raises(IntegrityError), factory.begin() as session:
        session.add(Leave(employee_id=person, kind="annual", paid=True, entered_ms=1, entered_by="hr", **days))
