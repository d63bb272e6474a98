"""Collections and documents."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, field

from excerpta.types.base import DocumentId, Metadata, Reply, Request
from excerpta.types.plan import PlanOptions


class CollectionSettings(Request, omit_defaults=False):
    """How documents are cut: passages of at most `passage_tokens` tokens, overlapping by `overlap_tokens`.

    `index` is the format of token vectors in large segments: `fast` (half a byte per two dimensions, in
    memory), `fine` (half a byte per dimension), `compact` (one bit per dimension, memory-mapped) or `flat`
    (compared exactly). With `prewarm`, jobs also encode new passages for answers while the prefix store has
    room, so that the first question about them does not wait.
    """

    passage_tokens: Annotated[int, Meta(ge=16, le=500)] = 200
    overlap_tokens: Annotated[int, Meta(ge=0, le=200)] = 32
    ngrams: bool = True
    index: Literal["fast", "fine", "compact", "flat"] = "fast"
    prewarm: bool = False
    plan: str | PlanOptions | None = None


class CollectionReply(Reply):
    """One collection: its size, version, settings and metadata fields with their types."""

    name: str
    documents: int
    passages: int
    segments: int
    version: int
    bytes: int
    created_at: str
    settings: CollectionSettings
    fields: dict[str, list[str]]


class CollectionList(Reply):
    """All collections, by name."""

    collections: list[CollectionReply]


class DocumentIn(Request):
    """A document to add. A document with the same id is replaced."""

    id: DocumentId
    text: Annotated[str, Meta(min_length=1, max_length=10_000_000)]
    title: Annotated[str, Meta(max_length=2000)] = ""
    metadata: Metadata = field(default_factory=dict)


class DocumentsRequest(Request):
    """Up to 100 documents, searchable when the reply comes."""

    documents: Annotated[list[DocumentIn], Meta(min_length=1, max_length=100)]


class DocumentsReply(Reply):
    """The result of adding documents."""

    added: int
    replaced: int
    passages: int
    version: int


class DeleteRequest(Request):
    """Documents to delete, by id."""

    ids: Annotated[list[DocumentId], Meta(min_length=1, max_length=10_000)]


class DocumentReply(Reply):
    """One document, whole."""

    id: str
    title: str
    text: str
    metadata: Metadata
    passages: int
    created_at: str


class DeleteReply(Reply):
    """The number of documents that were deleted."""

    deleted: int
    version: int
