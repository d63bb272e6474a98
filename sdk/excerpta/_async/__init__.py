"""The async client; `_sync` is written from it."""

from .answers import AsyncAnswerStream
from .client import AsyncClient
from .collections import AsyncCollection, AsyncCollections
from .jobs import AsyncJob, AsyncJobs
from .prompts import AsyncPrompts

__all__ = [
    "AsyncAnswerStream",
    "AsyncClient",
    "AsyncCollection",
    "AsyncCollections",
    "AsyncJob",
    "AsyncJobs",
    "AsyncPrompts",
]
