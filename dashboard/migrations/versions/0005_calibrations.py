"""Looks at how alike a site's own people are, and the site's limits."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "calibrations",
        sa.Column("id", BIG, nullable=False),
        sa.Column("model_id", sa.String(length=128), nullable=False),
        sa.Column("made_ms", BIG, nullable=False),
        sa.Column("made_by", sa.String(length=64), nullable=False),
        sa.Column("action", sa.String(length=8), nullable=False),
        sa.Column("people", BIG, nullable=False),
        sa.Column("matches", BIG, nullable=False),
        sa.Column("threshold", sa.Float(), nullable=False),
        sa.Column("site_limit", sa.Float(), nullable=True),
        sa.CheckConstraint("action IN ('look', 'apply', 'reset')", name="calibration_action"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calibrations")),
    )
    op.create_index(op.f("ix_calibrations_model_id"), "calibrations", ["model_id"])


def downgrade() -> None:
    op.drop_index(op.f("ix_calibrations_model_id"), table_name="calibrations")
    op.drop_table("calibrations")
