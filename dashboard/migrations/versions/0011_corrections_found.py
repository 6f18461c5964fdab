"""Requests for corrections that wait are counted for every page of who decides; added punches stand below the log."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

WAITS, ADDED = sa.text("state = 'asked'"), sa.text("action = 'add'")


def upgrade() -> None:
    op.create_index("correction_waiting", "corrections", ["employee_id"], sqlite_where=WAITS, postgresql_where=WAITS)
    op.create_index("correction_added", "corrections", ["new_ms"], sqlite_where=ADDED, postgresql_where=ADDED)


def downgrade() -> None:
    op.drop_index("correction_added", table_name="corrections")
    op.drop_index("correction_waiting", table_name="corrections")
