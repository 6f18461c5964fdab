"""The table of swaps begun on a page, up and down with rows, on both databases."""

import pytest
from sqlalchemy import inspect, text
from sqlalchemy.exc import IntegrityError

from dashboard.database import downgrade, engine_for, upgrade

BEFORE, THIS = "0011", "0012"
ROW = "INSERT INTO swap_runs (token, target, goal, state, begun_ms, begun_by, unusable, words) VALUES"


def test_the_migration_goes_up_and_down_with_rows(empty_url: str) -> None:
    upgrade(empty_url, BEFORE)
    engine = engine_for(empty_url)
    for _ in range(2):
        upgrade(empty_url, THIS)
        with engine.begin() as connection:
            connection.execute(text(f"{ROW} ('t1', 'm', 'prepare', 'done', 1, 'op', 0, '')"))
        for wrong in ("'t2', 'm', 'perhaps', 'done'", "'t2', 'm', 'switch', 'lost'", "'t1', 'm', 'switch', 'done'"):
            with pytest.raises(IntegrityError), engine.begin() as connection:
                connection.execute(text(f"{ROW} ({wrong}, 1, 'op', 0, '')"))
        downgrade(empty_url, BEFORE)
        assert "swap_runs" not in inspect(engine).get_table_names()
    engine.dispose()
