"""The database: tables, sessions and migrations."""

from api.db.database import UNAVAILABLE, Database
from api.db.migrate import upgrade
from api.db.tables import (
    ApiKeyRow,
    Base,
    BatchRow,
    CollectionRow,
    DocumentRow,
    IdempotencyRow,
    JobRow,
    PromptRow,
    ServiceRow,
    SourceRow,
)

__all__ = [
    "UNAVAILABLE",
    "ApiKeyRow",
    "Base",
    "BatchRow",
    "CollectionRow",
    "Database",
    "DocumentRow",
    "IdempotencyRow",
    "JobRow",
    "PromptRow",
    "ServiceRow",
    "SourceRow",
    "upgrade",
]
