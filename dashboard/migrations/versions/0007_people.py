"""People and the log at 10,000 people and millions of records: how people are searched and sorted, and the log's indices."""

import sqlalchemy as sa
from alembic import op

from dashboard.web.folding import folded, searched

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

ROWS_AT_ONCE = 1_000


def upgrade() -> None:
    # not as a batch: SQLite would copy the table, and dropping the old one would delete everybody's pictures
    for name in ("name_key", "search_text"):
        op.add_column("employees", sa.Column(name, sa.Text(), nullable=False, server_default=""))
    _fill_keys()
    op.drop_index("ix_employees_name", "employees")
    op.drop_index("ix_employees_department", "employees")
    op.create_index("employee_by_name", "employees", ["name_key", "id"])
    op.create_index("employee_by_department", "employees", ["department", "name_key", "id"])
    op.create_index("employee_by_created", "employees", ["created_ms", "id"])
    op.drop_index("ix_enrolment_pictures_employee_id", "enrolment_pictures")
    op.create_index("picture_by_employee", "enrolment_pictures", ["employee_id", "created_ms"])
    op.drop_index("ix_decisions_kiosk", "decisions")
    op.drop_index("ix_decisions_outcome", "decisions")
    op.create_index("decision_by_status", "decisions", ["status", "captured_ms"])
    op.create_index("decision_by_kiosk", "decisions", ["kiosk", "status", "captured_ms"])
    op.create_index("decision_by_employee", "decisions", ["employee_id", "captured_ms", "status"])


def _fill_keys() -> None:
    connection = op.get_bind()
    people = sa.table(
        "employees", *(sa.column(c) for c in ("id", "code", "name", "department", "name_key", "search_text"))
    )
    change = sa.update(people).where(people.c.id == sa.bindparam("who"))
    change = change.values(name_key=sa.bindparam("key"), search_text=sa.bindparam("words"))
    rows = connection.execute(sa.select(people.c.id, people.c.code, people.c.name, people.c.department)).all()
    for start in range(0, len(rows), ROWS_AT_ONCE):
        values = [
            {"who": row.id, "key": folded(row.name), "words": searched(row.code, row.name, row.department)}
            for row in rows[start : start + ROWS_AT_ONCE]
        ]
        connection.execute(change, values)


def downgrade() -> None:
    op.drop_index("decision_by_employee", "decisions")
    op.drop_index("decision_by_kiosk", "decisions")
    op.drop_index("decision_by_status", "decisions")
    op.create_index("ix_decisions_outcome", "decisions", ["outcome"])
    op.create_index("ix_decisions_kiosk", "decisions", ["kiosk"])
    op.drop_index("picture_by_employee", "enrolment_pictures")
    op.create_index("ix_enrolment_pictures_employee_id", "enrolment_pictures", ["employee_id"])
    for name in ("employee_by_created", "employee_by_department", "employee_by_name"):
        op.drop_index(name, "employees")
    op.create_index("ix_employees_department", "employees", ["department"])
    op.create_index("ix_employees_name", "employees", ["name"])
    op.drop_column("employees", "search_text")
    op.drop_column("employees", "name_key")
