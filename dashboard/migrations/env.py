"""Alembic's environment: it always works on the connection that dashboard/database.py hands over."""

from alembic import context

from dashboard.models import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,  # SQLite can't alter a column; Alembic then copies the table
)
with context.begin_transaction():
    context.run_migrations()
