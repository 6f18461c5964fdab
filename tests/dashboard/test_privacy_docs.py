"""docs/privacy.md against the code: what it names is there, and its figures are those of the code."""

import re
from pathlib import Path

from dashboard.access.rights import RIGHTS
from dashboard.api.idempotency import KEPT_MS
from dashboard.models import Base
from dashboard.people import import_uploads
from dashboard.people.employees import ERASED_CODE
from dashboard.people.erasing import REASONS
from dashboard.settings import DashboardSettings
from dashboard.webhooks.deliveries import DEAD_KEPT_MS, DELIVERED_KEPT_MS
from dashboard.wiping import SMALL_BYTES
from deploy.people_cli import app
from worker.protocol import keys

TEXT = (Path(__file__).parents[2] / "docs" / "privacy.md").read_text()
PERSONAL = {"employees", "enrolment_pictures", "templates"}
DAY_MS = 86_400_000


def test_its_figures_are_those_of_the_code() -> None:
    assert (KEPT_MS // 3_600_000, import_uploads.KEPT_S) == (24, 3_600)
    assert f"delivered {DELIVERED_KEPT_MS // DAY_MS} days, failed {DEAD_KEPT_MS // DAY_MS}" in TEXT
    assert f"newest {keys.FEEDBACK_KEPT} answers of a kiosk and {keys.EVENTS_KEPT} arrivals" in TEXT
    assert (keys.ENROL_PICTURES_TTL_S, SMALL_BYTES) == (600, 200_000_000)
    assert f"`{ERASED_CODE}12`" in TEXT


def test_what_it_names_is_there() -> None:
    assert "picture_days" in DashboardSettings.model_fields
    assert {command.callback.__name__ for command in app.registered_commands if command.callback} >= {"erase", "wipe"}
    assert set(re.findall(r"--reason (\w+)", TEXT)) <= set(REASONS)
    assert len(REASONS) == 3
    assert set(Base.metadata.tables) >= PERSONAL
    assert {role.value for role in RIGHTS["erasing.erase"]} == {"hr"}


def test_every_column_that_may_hold_a_persons_words_is_known_to_erasing() -> None:
    """Who adds a column for something about a person says here whether erasing takes it, and in docs/privacy.md."""
    refers = {
        f"{table.name}.{column.name}"
        for table in Base.metadata.sorted_tables
        if any(key.column.table.name == "employees" for key in table.foreign_keys)
        for column in table.columns
        if column.name
        in ("name", "code", "note", "reason", "decided_note", "words", "kind", "text", "comment", "email")
    }
    assert refers == {"corrections.reason", "corrections.decided_note", "leave.kind", "leave.note"}
    columns = {column.name for column in Base.metadata.tables["employees"].columns}
    assert columns == {
        *("id", "created_ms", "department", "deactivated_ms", "erased_ms", "erased_number"),  # stay
        *("code", "name", "name_key", "search_text", "consent_ms", "consent_by"),  # go
    }
