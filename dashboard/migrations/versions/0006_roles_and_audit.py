"""Roles, second factors, sessions of the server's own, and the audit trail. Every user there is keeps all rights.

A later migration that has Alembic copy `audit_log` on SQLite must make its triggers again.
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
REFUSAL = "audit_log is append-only"
SQLITE_TRIGGERS = (
    f"CREATE TRIGGER audit_log_no_update BEFORE UPDATE ON audit_log BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END",
    f"CREATE TRIGGER audit_log_no_delete BEFORE DELETE ON audit_log BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END",
    # INSERT OR REPLACE deletes without asking the trigger above
    "CREATE TRIGGER audit_log_no_replace BEFORE INSERT ON audit_log "
    "WHEN EXISTS (SELECT 1 FROM audit_log WHERE id = NEW.id) "
    f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END",
)
POSTGRES_TRIGGERS = (
    "CREATE FUNCTION audit_log_refuse() RETURNS trigger LANGUAGE plpgsql AS "
    f"$$ BEGIN RAISE EXCEPTION '{REFUSAL}'; END $$",
    "CREATE TRIGGER audit_log_no_change BEFORE UPDATE OR DELETE ON audit_log "
    "FOR EACH ROW EXECUTE FUNCTION audit_log_refuse()",
    "CREATE TRIGGER audit_log_no_truncate BEFORE TRUNCATE ON audit_log "
    "FOR EACH STATEMENT EXECUTE FUNCTION audit_log_refuse()",
)


def upgrade() -> None:
    op.add_column("users", sa.Column("employee_id", sa.String(length=64), nullable=True))
    op.add_column("users", sa.Column("disabled_ms", BIG, nullable=True))
    op.create_index("ix_users_employee_id", "users", ["employee_id"], unique=True)
    op.create_table(
        "user_roles",
        sa.Column("user_id", BIG, nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.CheckConstraint("role IN ('employee', 'supervisor', 'hr', 'operator', 'auditor')", name="user_role"),
        _of_a_user("user_roles"),
        sa.PrimaryKeyConstraint("user_id", "role", name=op.f("pk_user_roles")),
    )
    for role in ("hr", "operator"):
        op.execute(f"INSERT INTO user_roles (user_id, role) SELECT id, '{role}' FROM users")
    op.create_table(
        "user_departments",
        sa.Column("user_id", BIG, nullable=False),
        sa.Column("department", sa.String(length=200), nullable=False),
        _of_a_user("user_departments"),
        sa.PrimaryKeyConstraint("user_id", "department", name=op.f("pk_user_departments")),
    )
    op.create_table(
        "login_sessions",
        sa.Column("id", BIG, nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("user_id", BIG, nullable=False),
        sa.Column("started_ms", BIG, nullable=False),
        sa.Column("seen_ms", BIG, nullable=False),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.Column("browser", sa.String(length=200), nullable=False),
        _of_a_user("login_sessions"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_login_sessions")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_login_sessions_token_hash")),
    )
    op.create_index("ix_login_sessions_user_id", "login_sessions", ["user_id"])
    op.create_table(
        "second_factors",
        sa.Column("user_id", BIG, nullable=False),
        sa.Column("salt", sa.String(length=64), nullable=False),
        sa.Column("key_mark", sa.String(length=16), nullable=False),
        sa.Column("confirmed_ms", BIG, nullable=True),
        sa.Column("last_step", BIG, nullable=False),
        _of_a_user("second_factors"),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_second_factors")),
    )
    op.create_table(
        "recovery_codes",
        sa.Column("id", BIG, nullable=False),
        sa.Column("user_id", BIG, nullable=False),
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.Column("used_ms", BIG, nullable=True),
        _of_a_user("recovery_codes"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recovery_codes")),
    )
    op.create_index("ix_recovery_codes_user_id", "recovery_codes", ["user_id"])
    op.create_table(
        "audit_log",
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.Column("at_ms", BIG, nullable=False),
        sa.Column("via", sa.String(length=16), nullable=False),
        sa.Column("actor_id", BIG, nullable=True),
        sa.Column("key_id", sa.String(length=16), nullable=False),
        sa.Column("roles", sa.String(length=100), nullable=False),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.Column("action", sa.String(length=40), nullable=False),
        sa.Column("subject_type", sa.String(length=16), nullable=False),
        sa.Column("subject_id", sa.String(length=128), nullable=False),
        sa.Column("subject_code", sa.String(length=64), nullable=False),
        sa.Column("details", sa.Text(), nullable=False),
        sa.Column("previous", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_log")),
    )
    op.create_index("ix_audit_log_at_ms", "audit_log", ["at_ms"])
    op.create_index("audit_by_actor", "audit_log", ["actor_id", "id"])
    op.create_index("audit_by_key", "audit_log", ["key_id", "id"])
    op.create_index("audit_by_subject", "audit_log", ["subject_id", "id"])
    op.create_index("audit_by_code", "audit_log", ["subject_code", "id"])
    op.create_index("audit_by_action", "audit_log", ["action", "id"])
    for statement in SQLITE_TRIGGERS if op.get_bind().dialect.name == "sqlite" else POSTGRES_TRIGGERS:
        op.execute(statement)


def _of_a_user(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f(f"fk_{table}_user_id"), ondelete="CASCADE")


def downgrade() -> None:
    op.drop_table("audit_log")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION audit_log_refuse()")
    for table in ("recovery_codes", "second_factors", "login_sessions", "user_departments", "user_roles"):
        op.drop_table(table)
    op.drop_index("ix_users_employee_id", table_name="users")
    op.drop_column("users", "disabled_ms")
    op.drop_column("users", "employee_id")
