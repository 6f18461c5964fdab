"""What days are computed by: sites, shift patterns, assignments, holidays, leave and corrections."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "sites",
        sa.Column("id", BIG, nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("time_zone", sa.String(length=64), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.Column("subdivision", sa.String(length=16), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sites")),
        sa.UniqueConstraint("name", name=op.f("uq_sites_name")),
    )
    # a plain statement, the same on both databases: Alembic would copy SQLite's table for a column with a reference
    big = "INTEGER" if op.get_bind().dialect.name == "sqlite" else "BIGINT"
    op.execute(f"ALTER TABLE kiosks ADD COLUMN site_id {big} CONSTRAINT fk_kiosks_site_id REFERENCES sites (id)")
    op.create_index(
        "decision_time_uncertain",
        "decisions",
        ["captured_ms"],
        sqlite_where=sa.text("time_uncertain = 1"),
        postgresql_where=sa.text("time_uncertain"),
    )
    op.create_table(
        "shift_patterns",
        sa.Column("id", BIG, nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shift_patterns")),
        sa.UniqueConstraint("name", name=op.f("uq_shift_patterns_name")),
    )
    op.create_table(
        "shift_pattern_versions",
        sa.Column("id", BIG, nullable=False),
        sa.Column("pattern_id", BIG, nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("rules_json", sa.Text(), nullable=False),
        sa.Column("made_ms", BIG, nullable=False),
        sa.Column("made_by", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["pattern_id"], ["shift_patterns.id"], name=op.f("fk_shift_pattern_versions_pattern_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shift_pattern_versions")),
    )
    op.create_index(op.f("ix_shift_pattern_versions_pattern_id"), "shift_pattern_versions", ["pattern_id"])
    op.create_table(
        "assignments",
        sa.Column("id", BIG, nullable=False),
        sa.Column("employee_id", sa.String(length=64), nullable=True),
        sa.Column("department", sa.String(length=200), nullable=True),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("pattern_id", BIG, nullable=True),
        sa.Column("site_id", BIG, nullable=True),
        sa.Column("made_ms", BIG, nullable=False),
        sa.Column("made_by", sa.String(length=64), nullable=False),
        sa.CheckConstraint("(employee_id IS NULL) <> (department IS NULL)", name="assignment_of_one"),
        sa.ForeignKeyConstraint(
            ["employee_id"], ["employees.id"], name=op.f("fk_assignments_employee_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["pattern_id"], ["shift_patterns.id"], name=op.f("fk_assignments_pattern_id")),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_assignments_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assignments")),
    )
    op.create_index("assignment_by_employee", "assignments", ["employee_id", "first_day"])
    op.create_index("assignment_by_department", "assignments", ["department", "first_day"])
    op.create_table(
        "holidays",
        sa.Column("id", BIG, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("site_id", BIG, nullable=True),
        sa.Column("half", sa.String(length=6), nullable=True),
        sa.Column("source", sa.String(length=16), nullable=False),
        sa.Column("entered_ms", BIG, nullable=False),
        sa.Column("entered_by", sa.String(length=64), nullable=False),
        sa.CheckConstraint("half IN ('first', 'second')", name="holiday_half"),
        sa.CheckConstraint("source IN ('entered', 'icalendar', 'country')", name="holiday_source"),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_holidays_site_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_holidays")),
    )
    op.create_index(op.f("ix_holidays_day"), "holidays", ["day"])
    op.create_table(
        "leave",
        sa.Column("id", BIG, nullable=False),
        sa.Column("employee_id", sa.String(length=64), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("half", sa.String(length=6), nullable=True),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("paid", sa.Boolean(), nullable=False),
        sa.Column("note", sa.String(length=500), nullable=False),
        sa.Column("entered_ms", BIG, nullable=False),
        sa.Column("entered_by", sa.String(length=64), nullable=False),
        sa.Column("withdrawn_ms", BIG, nullable=True),
        sa.Column("withdrawn_by", sa.String(length=64), nullable=True),
        sa.CheckConstraint("first_day <= last_day", name="leave_days"),
        sa.CheckConstraint("half IN ('first', 'second')", name="leave_half"),
        sa.ForeignKeyConstraint(
            ["employee_id"], ["employees.id"], name=op.f("fk_leave_employee_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_leave")),
    )
    op.create_index("leave_by_employee", "leave", ["employee_id", "last_day"])
    op.create_table(
        "corrections",
        sa.Column("id", BIG, nullable=False),
        sa.Column("employee_id", sa.String(length=64), nullable=False),
        sa.Column("event_id", sa.String(length=64), nullable=True),
        sa.Column("corrects_id", BIG, nullable=True),
        sa.Column("punch_id", sa.String(length=64), nullable=False),
        sa.Column("punch_ms", BIG, nullable=False),
        sa.Column("action", sa.String(length=6), nullable=False),
        sa.Column("new_ms", BIG, nullable=True),
        sa.Column("new_direction", sa.String(length=3), nullable=True),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("asked_ms", BIG, nullable=False),
        sa.Column("asked_by", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=9), nullable=False),
        sa.Column("decided_ms", BIG, nullable=True),
        sa.Column("decided_by", sa.String(length=64), nullable=True),
        sa.Column("decided_note", sa.String(length=500), nullable=False),
        sa.CheckConstraint("action IN ('add', 'void', 'change')", name="correction_action"),
        sa.CheckConstraint("state IN ('asked', 'approved', 'refused', 'withdrawn')", name="correction_state"),
        sa.CheckConstraint("new_direction IN ('in', 'out')", name="correction_direction"),
        sa.CheckConstraint(
            "(action = 'add' AND event_id IS NULL AND corrects_id IS NULL AND new_ms IS NOT NULL"
            " AND new_direction IS NOT NULL) OR (action <> 'add' AND (event_id IS NULL) <> (corrects_id IS NULL))",
            name="correction_points_at_one",
        ),
        sa.CheckConstraint("(state = 'asked') = (decided_ms IS NULL)", name="correction_decided"),
        sa.ForeignKeyConstraint(
            ["employee_id"], ["employees.id"], name=op.f("fk_corrections_employee_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["event_id"], ["attendance_events.event_id"], name=op.f("fk_corrections_event_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["corrects_id"], ["corrections.id"], name=op.f("fk_corrections_corrects_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_corrections")),
        sqlite_autoincrement=True,
    )
    op.create_index("correction_by_punch_time", "corrections", ["employee_id", "punch_ms"])
    op.create_index("correction_by_new_time", "corrections", ["employee_id", "new_ms"])
    op.create_index("correction_by_punch", "corrections", ["punch_id"])


def downgrade() -> None:
    for table in ("corrections", "leave", "holidays", "assignments", "shift_pattern_versions", "shift_patterns"):
        op.drop_table(table)
    op.drop_index("decision_time_uncertain", table_name="decisions")
    op.execute("ALTER TABLE kiosks DROP COLUMN site_id")
    op.drop_table("sites")
