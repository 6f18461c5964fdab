"""Face crops of records, for sites that keep them for a while."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "event_pictures",
        sa.Column("event_id", sa.String(length=64), nullable=False),
        sa.Column("jpeg", sa.LargeBinary(), nullable=False),
        sa.Column("expires_ms", BIG, nullable=False),
        sa.ForeignKeyConstraint(
            ["event_id"],
            ["attendance_events.event_id"],
            name=op.f("fk_event_pictures_event_id_attendance_events"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_event_pictures")),
    )
    op.create_index("ix_event_pictures_expires_ms", "event_pictures", ["expires_ms"])


def downgrade() -> None:
    op.drop_table("event_pictures")
