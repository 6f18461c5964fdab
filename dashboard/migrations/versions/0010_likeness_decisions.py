"""What HR decided where a new face looked like somebody already enrolled."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "likeness_decisions",
        sa.Column("id", BIG, nullable=False),
        sa.Column("employee_id", sa.String(length=64), nullable=False),
        sa.Column("other_id", sa.String(length=64), nullable=False),
        sa.Column("picture_id", sa.String(length=64), nullable=True),
        sa.Column("decision", sa.String(length=9), nullable=False),
        sa.Column("distance", sa.Float(), nullable=True),
        sa.Column("decided_by", sa.String(length=64), nullable=False),
        sa.Column("decided_ms", BIG, nullable=False),
        sa.CheckConstraint("decision IN ('different', 'same')", name="likeness_decision"),
        sa.ForeignKeyConstraint(
            ["employee_id"],
            ["employees.id"],
            name=op.f("fk_likeness_decisions_employee_id_employees"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_likeness_decisions")),
    )
    op.create_index(op.f("ix_likeness_decisions_employee_id"), "likeness_decisions", ["employee_id"])


def downgrade() -> None:
    op.drop_index(op.f("ix_likeness_decisions_employee_id"), table_name="likeness_decisions")
    op.drop_table("likeness_decisions")
