"""Excerpta's client: find passages in your own documents and get cited answers.

>>> from excerpta import Client
>>> with Client("http://localhost:8000") as client:                       # doctest: +SKIP
...     handbook = client.collections.create("handbook", exist_ok=True)
...     handbook.ingest(["./handbook/"]).wait(progress=True)
...     print(handbook.ask("Who approves trips above 2000 euros?").answer.text)
"""

from ._async import AsyncAnswerStream, AsyncClient, AsyncCollection, AsyncJob
from ._retry import RetryPolicy
from ._sync import AnswerStream, Client, Collection, Job
from ._version import __version__
from .errors import (
    ApiError,
    Conflict,
    ConnectionFailed,
    DeletesEverything,
    ExcerptaError,
    InvalidRequest,
    JobFailed,
    NotFound,
    NothingToSend,
    Overloaded,
    ServerError,
    ServerNotInstalled,
    TimedOut,
    TooLarge,
    Unauthorized,
)
from .types import (
    Answer,
    Citation,
    CollectionSettings,
    DocumentIn,
    Hit,
    JobReply,
    PlanOptions,
    QueryReply,
    SourceReply,
    SyncReport,
)

__all__ = [
    "Answer",
    "AnswerStream",
    "ApiError",
    "AsyncAnswerStream",
    "AsyncClient",
    "AsyncCollection",
    "AsyncJob",
    "Citation",
    "Client",
    "Collection",
    "CollectionSettings",
    "Conflict",
    "ConnectionFailed",
    "DeletesEverything",
    "DocumentIn",
    "ExcerptaError",
    "Hit",
    "InvalidRequest",
    "Job",
    "JobFailed",
    "JobReply",
    "NotFound",
    "NothingToSend",
    "Overloaded",
    "PlanOptions",
    "QueryReply",
    "RetryPolicy",
    "ServerError",
    "ServerNotInstalled",
    "SourceReply",
    "SyncReport",
    "TimedOut",
    "TooLarge",
    "Unauthorized",
    "__version__",
]
