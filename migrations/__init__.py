"""The database's history, for Alembic: `api.db.upgrade` runs it at every start."""
