"""Several shards: each notes what it has published of the gallery's changes, and what all have is deleted."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "gallery_shards",
        sa.Column("shard", sa.String(length=16), nullable=False),
        sa.Column("version", BIG, nullable=False),
        sa.Column("seen_ms", BIG, nullable=False),
        sa.PrimaryKeyConstraint("shard", name=op.f("pk_gallery_shards")),
    )
    op.execute("DELETE FROM gallery_outbox WHERE published_ms IS NOT NULL")
    op.drop_index("ix_gallery_outbox_published_ms", "gallery_outbox")
    # Rows are deleted now: SQLite mustn't give a deleted row's id to another change.
    kept = {"sqlite_autoincrement": True}
    with op.batch_alter_table("gallery_outbox", table_kwargs=kept) as table:
        table.drop_constraint(op.f("uq_gallery_outbox_version"), type_="unique")
        table.drop_column("version")
        table.drop_column("published_ms")
    op.create_table(
        "gallery_publications",
        sa.Column("outbox_id", BIG, nullable=False),
        sa.Column("shard", sa.String(length=16), nullable=False),
        sa.ForeignKeyConstraint(
            ["outbox_id"],
            ["gallery_outbox.id"],
            name=op.f("fk_gallery_publications_outbox_id_gallery_outbox"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("outbox_id", "shard", name=op.f("pk_gallery_publications")),
    )


def downgrade() -> None:
    op.drop_table("gallery_publications")
    op.drop_table("gallery_shards")
    with op.batch_alter_table("gallery_outbox") as table:
        table.add_column(sa.Column("version", BIG, nullable=True))
        table.add_column(sa.Column("published_ms", BIG, nullable=True))
        table.create_unique_constraint(op.f("uq_gallery_outbox_version"), ["version"])
    op.create_index("ix_gallery_outbox_published_ms", "gallery_outbox", ["published_ms"])
