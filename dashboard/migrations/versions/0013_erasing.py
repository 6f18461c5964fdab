"""People who were erased: when, and the number that their records are kept under."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    # not as a batch: SQLite would copy the table, and dropping the old one would delete everybody's pictures
    op.add_column("employees", sa.Column("erased_ms", BIG, nullable=True))
    op.add_column("employees", sa.Column("erased_number", BIG, nullable=True))
    op.create_index("employee_by_erased_number", "employees", ["erased_number"], unique=True)


def downgrade() -> None:
    op.drop_index("employee_by_erased_number", "employees")
    op.drop_column("employees", "erased_number")
    op.drop_column("employees", "erased_ms")
