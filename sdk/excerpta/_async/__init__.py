"""The async client; `_sync` is written from it."""

from .answers import AsyncAnswerStream
from .client import AsyncClient
from .collections import AsyncCollection, AsyncCollections
from .jobs import AsyncJob, AsyncJobs

__all__ = ["AsyncAnswerStream", "AsyncClient", "AsyncCollection", "AsyncCollections", "AsyncJob", "AsyncJobs"]
