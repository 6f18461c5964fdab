"""The indices that corrections are found by come and go around rows, on both databases."""

from sqlalchemy import inspect, text

from dashboard.database import downgrade, engine_for, upgrade

BEFORE, THIS = "0010", "0011"


def test_the_migration_goes_up_and_down_with_rows(empty_url: str) -> None:
    upgrade(empty_url, BEFORE)
    engine = engine_for(empty_url)
    with engine.begin() as connection:
        person = "INSERT INTO employees (id, code, name, department, created_ms) VALUES ('e1', 'E-1', 'Ana', '', 1)"
        connection.execute(text(person))
        columns = "employee_id, punch_id, punch_ms, action, new_ms, new_direction, reason, asked_ms, asked_by, state"
        values = "'e1', 'p1', 5, 'add', 5, 'in', 'r', 6, 'ana', 'asked', ''"
        connection.execute(text(f"INSERT INTO corrections ({columns}, decided_note) VALUES ({values})"))
    for _ in range(2):
        upgrade(empty_url, THIS)
        names = {index["name"] for index in inspect(engine).get_indexes("corrections")}
        assert names >= {"correction_waiting", "correction_added"}
        downgrade(empty_url, BEFORE)
        names = {index["name"] for index in inspect(engine).get_indexes("corrections")}
        assert not names & {"correction_waiting", "correction_added"}
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM corrections")).scalar() == 1
    engine.dispose()
