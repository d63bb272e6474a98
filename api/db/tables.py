"""The tables: the truth about collections, documents, jobs, prompts and keys.

Times are seconds since 1970 (UTC). Small structured values are JSON text, which both databases keep as it is.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Double, ForeignKey, Index, MetaData, String, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

_CONVENTION = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """Base of all tables; constraints have names, so that migrations can change them."""

    metadata = MetaData(naming_convention=_CONVENTION)
    type_annotation_map = {float: Double(), int: BigInteger()}


class CollectionRow(Base):
    """A collection: its settings, and the directory that holds its index now.

    A rebuilt index starts counting its versions anew; `version_base` keeps the collection's own count
    growing: it is the sum of the last versions of all indexes before this one.
    """

    __tablename__ = "collections"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    name: Mapped[str] = mapped_column(String(128), unique=True)
    directory: Mapped[str] = mapped_column(String(100))
    version_base: Mapped[int] = mapped_column(default=0)
    settings: Mapped[str] = mapped_column(Text)
    created_at: Mapped[float]


class DocumentRow(Base):
    """A document, whole. `version` is the collection's version that brought or removed it.

    `marks` are the pages and rows of its text, as JSON; "" where it has none. `source` is the file that it
    was read from; None where it was posted.

    A removed document stays as an empty row: a transaction that comes late, of an older version, must
    not bring it back.
    """

    __tablename__ = "documents"
    __table_args__ = (Index("ix_documents_source", "collection_id", "source"),)

    collection_id: Mapped[str] = mapped_column(
        ForeignKey("collections.id", ondelete="CASCADE"), primary_key=True
    )
    id: Mapped[str] = mapped_column(String(512), primary_key=True)
    title: Mapped[str] = mapped_column(Text)
    text: Mapped[str] = mapped_column(Text)
    fields: Mapped[str] = mapped_column("metadata", Text)
    marks: Mapped[str] = mapped_column(Text, default="", server_default="")
    source: Mapped[str | None] = mapped_column(String(512))
    hash: Mapped[str] = mapped_column(String(64))
    version: Mapped[int]
    deleted: Mapped[bool] = mapped_column(default=False)
    job_id: Mapped[str] = mapped_column(String(40))
    batch: Mapped[int]
    created_at: Mapped[float]


class SourceRow(Base):
    """A file that documents were read from, by its name in the collection.

    `hash` is that of its content (SHA-256), and `reader` the reader that made documents of it; "" for
    `hash` where the documents may be others than that content's. `report` is JSON: names and reasons of
    what could not be read. `folder` is the folder below which its name is a path, None where that is not
    known. `version` and `job_id` are those that last changed it.
    """

    __tablename__ = "sources"

    collection_id: Mapped[str] = mapped_column(
        ForeignKey("collections.id", ondelete="CASCADE"), primary_key=True
    )
    name: Mapped[str] = mapped_column(String(512), primary_key=True)
    hash: Mapped[str] = mapped_column(String(64))
    reader: Mapped[str] = mapped_column(String(40))
    bytes: Mapped[int]
    documents: Mapped[int]
    state: Mapped[str] = mapped_column(String(20))
    report: Mapped[str] = mapped_column(Text)
    folder: Mapped[str | None] = mapped_column(String(255))
    job_id: Mapped[str] = mapped_column(String(40))
    version: Mapped[int]
    updated_at: Mapped[float]


class JobRow(Base):
    """A job. An `inline` job is a single change that a request waits for; job lists leave it out.

    `owner` holds the job until `lease_until`; each new owner raises `fence`, and a write that names an
    old fence changes nothing. `attempts` counts owners since the last batch that was committed. `tenant`
    and `key` are the caller's. `files` and `bytes` are those of its upload, `counts` is JSON: how many files
    were read, and how. `progress` is the share of the work that is done, from 0 to 1, and `place` as JSON
    where in a file it is. `folder` is that of its files.
    """

    __tablename__ = "jobs"
    __table_args__ = (
        Index("ix_jobs_claim", "state", "created_at"),
        Index("ix_jobs_collection_state", "collection_id", "state"),
    )

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    collection_id: Mapped[str] = mapped_column(ForeignKey("collections.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(20))
    tenant: Mapped[str] = mapped_column(String(128), default="default")
    key: Mapped[str] = mapped_column(String(64), default="")
    inline: Mapped[bool] = mapped_column(default=False)
    state: Mapped[str] = mapped_column(String(20))
    done: Mapped[int] = mapped_column(default=0)
    total: Mapped[int | None]
    passages: Mapped[int] = mapped_column(default=0)
    files: Mapped[int | None]
    bytes: Mapped[int | None]
    folder: Mapped[str | None] = mapped_column(String(255))
    counts: Mapped[str] = mapped_column(Text, default="{}", server_default="{}")
    progress: Mapped[float] = mapped_column(default=0.0, server_default="0")
    place: Mapped[str] = mapped_column(Text, default="null", server_default="null")
    error: Mapped[str | None] = mapped_column(Text)
    cancel_requested: Mapped[bool] = mapped_column(default=False)
    owner: Mapped[str | None] = mapped_column(String(100))
    lease_until: Mapped[float] = mapped_column(default=0)
    fence: Mapped[int] = mapped_column(default=0)
    attempts: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[float]
    started_at: Mapped[float | None]
    finished_at: Mapped[float | None]


class BatchRow(Base):
    """A committed batch of a job: where it ended in the upload, and what could not be read.

    `documents` were brought or found as they are, `removed` were deleted. `sources` is JSON: name, state,
    number of documents and remarks of each source that the batch completed.
    """

    __tablename__ = "job_batches"

    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    documents: Mapped[int]
    removed: Mapped[int] = mapped_column(default=0, server_default="0")
    passages: Mapped[int]
    version: Mapped[int]
    cursor: Mapped[str] = mapped_column(Text)
    errors: Mapped[str] = mapped_column(Text)
    sources: Mapped[str] = mapped_column(Text, default="[]", server_default="[]")
    committed_at: Mapped[float]


class PromptRow(Base):
    """A prompt; its modules as JSON."""

    __tablename__ = "prompts"

    name: Mapped[str] = mapped_column(String(128), primary_key=True)
    modules: Mapped[str] = mapped_column(Text)
    created_at: Mapped[float]
    updated_at: Mapped[float]


class ApiKeyRow(Base):
    """An API key: the first digits of its digest (SHA-256), the digest, and its scopes as a JSON list."""

    __tablename__ = "api_keys"

    id: Mapped[str] = mapped_column(String(12), primary_key=True)
    digest: Mapped[str] = mapped_column(String(64))
    name: Mapped[str] = mapped_column(String(128))
    scopes: Mapped[str] = mapped_column(Text)
    created_at: Mapped[float]
    expires_at: Mapped[float | None]
    last_used_at: Mapped[float | None]


class IdempotencyRow(Base):
    """The job that an Idempotency-Key started, and the digest of its upload."""

    __tablename__ = "idempotency_keys"

    collection_id: Mapped[str] = mapped_column(
        ForeignKey("collections.id", ondelete="CASCADE"), primary_key=True
    )
    key: Mapped[str] = mapped_column(String(200), primary_key=True)
    digest: Mapped[str] = mapped_column(String(64))
    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"))
    created_at: Mapped[float]


class ServiceRow(Base):
    """The identity that this database shares with its data directory: one row, at 1."""

    __tablename__ = "service"

    at: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    identity: Mapped[str] = mapped_column(String(40))
