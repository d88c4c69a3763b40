"""Alembic's entry: runs the versions on the connection that `storage.migrate` gives."""

from alembic import context

from storage.tables import metadata

connection = context.config.attributes["connection"]
context.configure(
    connection=connection, target_metadata=metadata, transaction_per_migration=True
)
with context.begin_transaction():
    context.run_migrations()
