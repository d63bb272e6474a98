"""How Alembic runs a migration: on the connection it is given, in that connection's transaction."""

from alembic import context

from api.db.tables import Base

connection = context.config.attributes.get("connection")
if connection is None:
    raise SystemExit("migrations run through api.db.upgrade and api.db.downgrade, which bring a connection")

# SQLite changes a table by copying it.
context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    render_as_batch=True,
    compare_server_default=True,
)
with context.begin_transaction():
    context.run_migrations()
