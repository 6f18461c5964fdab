"""Swaps of the model that were begun on a page."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "swap_runs",
        sa.Column("token", sa.String(length=64), nullable=False),
        sa.Column("target", sa.String(length=128), nullable=False),
        sa.Column("goal", sa.String(length=8), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("begun_ms", BIG, nullable=False),
        sa.Column("begun_by", sa.String(length=64), nullable=False),
        sa.Column("ended_ms", BIG, nullable=True),
        sa.Column("unusable", BIG, nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.CheckConstraint("goal IN ('prepare', 'switch')", name="swap_goal"),
        sa.CheckConstraint("state IN ('running', 'done', 'failed')", name="swap_state"),
        sa.PrimaryKeyConstraint("token", name=op.f("pk_swap_runs")),
    )
    op.create_index(op.f("ix_swap_runs_begun_ms"), "swap_runs", ["begun_ms"])


def downgrade() -> None:
    op.drop_index(op.f("ix_swap_runs_begun_ms"), table_name="swap_runs")
    op.drop_table("swap_runs")
