"""Keys of the API, answers for requests sent twice, webhooks, and connectors to other products."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "api_keys",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("secret_sha256", sa.String(length=64), nullable=False),
        sa.Column("scopes", sa.String(length=500), nullable=False),
        sa.Column("created_ms", BIG, nullable=False),
        sa.Column("created_by", sa.String(length=64), nullable=False),
        sa.Column("expires_ms", BIG, nullable=True),
        sa.Column("last_used_ms", BIG, nullable=True),
        sa.Column("revoked_ms", BIG, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_keys")),
    )
    op.create_table(
        "api_idempotency",
        sa.Column("api_key_id", sa.String(length=16), nullable=False),
        sa.Column("idempotency_key", sa.String(length=255), nullable=False),
        sa.Column("request_sha256", sa.String(length=64), nullable=False),
        sa.Column("holder", sa.String(length=64), nullable=False),
        sa.Column("held_until_ms", BIG, nullable=False),
        sa.Column("created_ms", BIG, nullable=False),
        sa.Column("status", BIG, nullable=True),
        sa.Column("headers_json", sa.String(length=1000), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["api_key_id"], ["api_keys.id"], name=op.f("fk_api_idempotency_api_key_id_api_keys"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("api_key_id", "idempotency_key", name=op.f("pk_api_idempotency")),
    )
    op.create_index(op.f("ix_api_idempotency_created_ms"), "api_idempotency", ["created_ms"])
    op.create_table(
        "changes",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("subject_id", sa.String(length=64), nullable=False),
        sa.Column("created_ms", BIG, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_changes")),
    )
    op.create_index(op.f("ix_changes_created_ms"), "changes", ["created_ms"])
    op.create_table(
        "webhooks",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("url", sa.String(length=2000), nullable=False),
        sa.Column("kinds", sa.String(length=500), nullable=False),
        sa.Column("secret", sa.String(length=100), nullable=False),
        sa.Column("previous_secret", sa.String(length=100), nullable=True),
        sa.Column("previous_until_ms", BIG, nullable=True),
        sa.Column("created_ms", BIG, nullable=False),
        sa.Column("created_by", sa.String(length=64), nullable=False),
        sa.Column("failing_since_ms", BIG, nullable=True),
        sa.Column("disabled_ms", BIG, nullable=True),
        sa.Column("disabled_why", sa.String(length=500), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhooks")),
    )
    op.create_table(
        "webhook_deliveries",
        sa.Column("id", BIG, nullable=False),
        sa.Column("webhook_id", sa.String(length=64), nullable=False),
        sa.Column("change_id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("subject_id", sa.String(length=64), nullable=False),
        sa.Column("created_ms", BIG, nullable=False),
        sa.Column("state", sa.String(length=9), nullable=False),
        sa.Column("attempts", BIG, nullable=False),
        sa.Column("tried_since_ms", BIG, nullable=False),
        sa.Column("next_try_ms", BIG, nullable=False),
        sa.Column("last_words", sa.String(length=500), nullable=False),
        sa.Column("finished_ms", BIG, nullable=True),
        sa.CheckConstraint("state IN ('pending', 'delivered', 'dead')", name="delivery_state"),
        sa.ForeignKeyConstraint(
            ["webhook_id"], ["webhooks.id"], name=op.f("fk_webhook_deliveries_webhook_id_webhooks"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_deliveries")),
        sa.UniqueConstraint("webhook_id", "change_id", name="change_once_per_webhook"),
    )
    op.create_index("delivery_due", "webhook_deliveries", ["state", "next_try_ms"])
    op.create_table(
        "connectors",
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("connected_ms", BIG, nullable=False),
        sa.Column("synced_until_ms", BIG, nullable=True),
        sa.Column("next_try_ms", BIG, nullable=False),
        sa.Column("failures", BIG, nullable=False),
        sa.Column("trouble", sa.String(length=500), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_connectors")),
    )
    op.create_table(
        "connector_pushes",
        sa.Column("id", BIG, nullable=False),
        sa.Column("connector", sa.String(length=32), nullable=False),
        sa.Column("event_id", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("words", sa.String(length=500), nullable=False),
        sa.Column("changed_ms", BIG, nullable=False),
        sa.CheckConstraint(
            "state IN ('pending', 'done', 'unknown_employee', 'inactive_employee', 'refused')", name="push_state"
        ),
        sa.ForeignKeyConstraint(
            ["connector"],
            ["connectors.name"],
            name=op.f("fk_connector_pushes_connector_connectors"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_connector_pushes")),
        sa.UniqueConstraint("connector", "event_id", name="event_once_per_connector"),
    )
    op.create_index("push_by_state", "connector_pushes", ["connector", "state", "id"])
    op.create_index("decision_by_received", "decisions", ["received_ms", "event_id"])


def downgrade() -> None:
    op.drop_index("decision_by_received", table_name="decisions")
    for table in (
        "connector_pushes",
        "connectors",
        "webhook_deliveries",
        "webhooks",
        "changes",
        "api_idempotency",
        "api_keys",
    ):
        op.drop_table(table)
