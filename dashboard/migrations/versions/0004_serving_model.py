"""Which model serves, and which is coming."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "serving_model",
        sa.Column("id", BIG, nullable=False),
        sa.Column("revision", BIG, nullable=False),
        sa.Column("epoch", BIG, nullable=False),
        sa.Column("model_id", sa.String(length=128), nullable=True),
        sa.Column("previous", sa.String(length=128), nullable=True),
        sa.Column("coming", sa.String(length=128), nullable=True),
        sa.Column("holder", sa.String(length=64), nullable=True),
        sa.Column("held_until_ms", BIG, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_serving_model")),
    )


def downgrade() -> None:
    op.drop_table("serving_model")
