"""The table of HR's decisions on look-alikes, up and down with rows, on both databases."""

import pytest
from sqlalchemy import inspect, text
from sqlalchemy.exc import IntegrityError

from dashboard.database import downgrade, engine_for, upgrade

BEFORE, THIS = "0009", "0010"


def test_the_migration_goes_up_and_down_with_rows(empty_url: str) -> None:
    upgrade(empty_url, BEFORE)
    engine = engine_for(empty_url)
    person = "INSERT INTO employees (id, code, name, department, created_ms) VALUES ('e1', 'E-1', 'Ana', '', 1)"
    row = "INSERT INTO likeness_decisions (employee_id, other_id, decision, decided_by, decided_ms) VALUES"
    with engine.begin() as connection:
        connection.execute(text(person))
    for _ in range(2):
        upgrade(empty_url, THIS)
        with engine.begin() as connection:
            connection.execute(text(f"{row} ('e1', 'gone', 'different', 'hr', 2), ('e1', 'e2', 'same', 'hr', 3)"))
            assert connection.execute(text("SELECT count(*) FROM likeness_decisions")).scalar() == 2
        for wrong in ("('e1', 'e2', 'perhaps', 'hr', 4)", "('nobody', 'e2', 'same', 'hr', 4)"):
            with pytest.raises(IntegrityError), engine.begin() as connection:
                connection.execute(text(f"{row} {wrong}"))
        downgrade(empty_url, BEFORE)
        assert "likeness_decisions" not in inspect(engine).get_table_names()
    upgrade(empty_url, THIS)
    with engine.begin() as connection:
        connection.execute(text(f"{row} ('e1', 'e2', 'same', 'hr', 3)"))
        connection.execute(text("DELETE FROM employees"))
        assert connection.execute(text("SELECT count(*) FROM likeness_decisions")).scalar() == 0, (
            "erased with the person"
        )
    engine.dispose()
