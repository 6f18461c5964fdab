"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
"""SQLite numbers rows by themselves only in an INTEGER column."""


def upgrade() -> None:
    op.create_table(
        "decisions",
        sa.Column("event_id", sa.String(length=64), nullable=False),
        sa.Column("kiosk", sa.String(length=32), nullable=False),
        sa.Column("presence", sa.String(length=64), nullable=False),
        sa.Column("outcome", sa.String(length=32), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("employee_id", sa.String(length=64), nullable=True),
        sa.Column("captured_ms", BIG, nullable=False),
        sa.Column("received_ms", BIG, nullable=False),
        sa.Column("distance", sa.Float(), nullable=True),
        sa.Column("threshold", sa.Float(), nullable=True),
        sa.Column("runner_up_distance", sa.Float(), nullable=True),
        sa.Column("good_frames", BIG, nullable=False),
        sa.Column("model_id", sa.String(length=128), nullable=False),
        sa.Column("liveness", sa.String(length=16), nullable=False),
        sa.Column("late", sa.Boolean(), nullable=False),
        sa.Column("time_uncertain", sa.Boolean(), nullable=False),
        sa.Column("worker", sa.String(length=64), nullable=False),
        sa.Column("duplicate_of", sa.String(length=64), nullable=True),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_decisions")),
    )
    op.create_index("ix_decisions_captured_ms", "decisions", ["captured_ms"])
    op.create_index("ix_decisions_kiosk", "decisions", ["kiosk"])
    op.create_index("ix_decisions_outcome", "decisions", ["outcome"])

    op.create_table(
        "employees",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("department", sa.String(length=200), nullable=False),
        sa.Column("created_ms", BIG, nullable=False),
        sa.Column("consent_ms", BIG, nullable=True),
        sa.Column("consent_by", sa.String(length=64), nullable=True),
        sa.Column("deactivated_ms", BIG, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_employees")),
        sa.UniqueConstraint("code", name=op.f("uq_employees_code")),
    )
    op.create_index("ix_employees_department", "employees", ["department"])
    op.create_index("ix_employees_name", "employees", ["name"])

    op.create_table(
        "gallery_outbox",
        sa.Column("id", BIG, nullable=False),
        sa.Column("op", sa.String(length=6), nullable=False),
        sa.Column("employee_id", sa.String(length=64), nullable=True),
        sa.Column("model_id", sa.String(length=128), nullable=False),
        sa.Column("created_ms", BIG, nullable=False),
        sa.Column("version", BIG, nullable=True),
        sa.Column("published_ms", BIG, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gallery_outbox")),
        sa.UniqueConstraint("version", name=op.f("uq_gallery_outbox_version")),
    )
    op.create_index("ix_gallery_outbox_published_ms", "gallery_outbox", ["published_ms"])

    op.create_table(
        "kiosks",
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("label", sa.String(length=200), nullable=False),
        sa.Column("direction", sa.String(length=9), nullable=False),
        sa.CheckConstraint("direction IN ('in', 'out', 'alternate')", name="kiosk_direction"),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_kiosks")),
    )
    op.create_table(
        "users",
        sa.Column("id", BIG, nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("password_hash", sa.String(length=255), nullable=False),
        sa.Column("must_change_password", sa.Boolean(), nullable=False),
        sa.Column("created_ms", BIG, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("name", name=op.f("uq_users_name")),
    )
    op.create_table(
        "attendance_events",
        sa.Column("event_id", sa.String(length=64), nullable=False),
        sa.Column("employee_id", sa.String(length=64), nullable=False),
        sa.Column("kiosk", sa.String(length=32), nullable=False),
        sa.Column("captured_ms", BIG, nullable=False),
        sa.Column("direction", sa.String(length=3), nullable=False),
        sa.Column("time_zone", sa.String(length=64), nullable=False),
        sa.CheckConstraint("direction IN ('in', 'out')", name="event_direction"),
        sa.ForeignKeyConstraint(["employee_id"], ["employees.id"], name=op.f("fk_attendance_events_employee_id")),
        sa.ForeignKeyConstraint(["event_id"], ["decisions.event_id"], name=op.f("fk_attendance_events_event_id")),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_attendance_events")),
    )
    op.create_index("event_by_employee", "attendance_events", ["employee_id", "captured_ms"])
    op.create_index("event_by_kiosk", "attendance_events", ["kiosk", "captured_ms"])
    op.create_index("ix_attendance_events_captured_ms", "attendance_events", ["captured_ms"])

    op.create_table(
        "enrolment_pictures",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("employee_id", sa.String(length=64), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("jpeg", sa.LargeBinary(), nullable=False),
        sa.Column("created_ms", BIG, nullable=False),
        sa.Column("created_by", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["employee_id"], ["employees.id"], name=op.f("fk_enrolment_pictures_employee_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_enrolment_pictures")),
        sa.UniqueConstraint("employee_id", "sha256", name="picture_once_per_employee"),
    )
    op.create_index("ix_enrolment_pictures_employee_id", "enrolment_pictures", ["employee_id"])

    op.create_table(
        "templates",
        sa.Column("id", BIG, nullable=False),
        sa.Column("picture_id", sa.String(length=64), nullable=False),
        sa.Column("model_id", sa.String(length=128), nullable=False),
        sa.Column("vector", sa.LargeBinary(), nullable=False),
        sa.Column("quality_json", sa.String(length=2000), nullable=False),
        sa.Column("created_ms", BIG, nullable=False),
        sa.ForeignKeyConstraint(
            ["picture_id"], ["enrolment_pictures.id"], name=op.f("fk_templates_picture_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_templates")),
        sa.UniqueConstraint("picture_id", "model_id", name="template_once_per_model"),
    )
    op.create_index("ix_templates_model_id", "templates", ["model_id"])
    op.create_index("ix_templates_picture_id", "templates", ["picture_id"])


def downgrade() -> None:
    for table in (
        "templates",
        "enrolment_pictures",
        "attendance_events",
        "users",
        "kiosks",
        "gallery_outbox",
        "employees",
        "decisions",
    ):
        op.drop_table(table)
