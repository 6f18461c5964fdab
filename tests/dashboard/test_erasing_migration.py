"""The columns of erasing come and go around people with pictures, on both databases."""

from sqlalchemy import inspect, text

from dashboard.database import downgrade, engine_for, upgrade

BEFORE, THIS = "0012", "0013"


def test_the_migration_goes_up_and_down_with_rows(empty_url: str) -> None:
    upgrade(empty_url, BEFORE)
    engine = engine_for(empty_url)
    with engine.begin() as connection:
        people = "INSERT INTO employees (id, code, name, department, created_ms) VALUES ('a', 'E-1', 'Ana', '', 1)"
        connection.execute(text(people))
        picture = "'p', 'a', 's', :jpeg, 3, 'hr'"
        columns = "id, employee_id, sha256, jpeg, created_ms, created_by"
        connection.execute(text(f"INSERT INTO enrolment_pictures ({columns}) VALUES ({picture})"), {"jpeg": b"x"})
    for number in (1, 2):
        upgrade(empty_url, THIS)
        with engine.begin() as connection:
            assert connection.execute(text("SELECT erased_ms, erased_number FROM employees")).all() == [(None, None)]
            connection.execute(text(f"UPDATE employees SET erased_ms = 1, erased_number = {number}"))
        downgrade(empty_url, BEFORE)
        assert "erased_ms" not in {column["name"] for column in inspect(engine).get_columns("employees")}
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM enrolment_pictures")).scalar() == 1
    engine.dispose()
