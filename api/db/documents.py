"""Documents in the database. If two changes meet, the one of the later collection version stays."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

import msgspec
from sqlalchemy import select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from api.db.tables import DocumentRow, SourceRow
from api.errors import CorruptDocument
from retrieval import Document
from retrieval.types import Mark

_IDS_A_STATEMENT = 500

T = TypeVar("T")


def parts(values: Sequence[T]) -> Iterator[Sequence[T]]:
    """The values, as many at a time as one statement takes."""
    for start in range(0, len(values), _IDS_A_STATEMENT):
        yield values[start : start + _IDS_A_STATEMENT]


def document_hash(document: Document) -> str:
    """SHA-256 of all that a document holds."""
    content = [document.id, document.title, document.text, document.metadata, *document.marks]
    return hashlib.sha256(msgspec.json.encode(content)).hexdigest()


def document_row(
    document: Document, *, collection: str, version: int, job: str, batch: int, source: str | None = None
) -> DocumentRow:
    """The row of a document that `version` of the collection brought in."""
    fields = msgspec.json.encode(document.metadata).decode()
    return DocumentRow(
        collection_id=collection,
        id=document.id,
        title=document.title,
        text=document.text,
        fields=fields,
        marks=msgspec.json.encode(document.marks).decode() if document.marks else "",
        source=source,
        hash=document_hash(document),
        version=version,
        deleted=False,
        job_id=job,
        batch=batch,
        created_at=time.time(),
    )


def document_of(row: DocumentRow) -> Document:
    """The document a row holds. Raises CorruptDocument if that is not what was written."""
    try:
        marks = msgspec.json.decode(row.marks, type=tuple[Mark, ...]) if row.marks else ()
        document = Document(row.id, row.text, row.title, msgspec.json.decode(row.fields), marks)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise CorruptDocument(row.id) from None
    if document_hash(document) != row.hash:
        raise CorruptDocument(row.id)
    return document


async def put_documents(session: AsyncSession, documents: Sequence[DocumentRow]) -> None:
    """Inserts or replaces documents, save where the row is of a later version.

    A source that loses a document to another one, or to a posted document, is read again the next time.
    """
    if not documents:
        return
    owners = {one.id: one.source for one in documents}
    await take_from_sources(session, documents[0].collection_id, owners)
    columns = [column.key for column in DocumentRow.__mapper__.column_attrs]
    values = [{name: getattr(document, name) for name in columns} for document in documents]
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    statement = insert(DocumentRow)
    replaced = {
        column.name: statement.excluded[column.name]
        for column in DocumentRow.__table__.columns
        if not column.primary_key
    }
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=["collection_id", "id"],
            set_=replaced,
            where=DocumentRow.version <= statement.excluded.version,
        ),
        values,
    )


async def remove_documents(
    session: AsyncSession, collection: str, ids: Iterable[str], *, version: int, job: str
) -> None:
    """Empties the rows of documents that are gone since `version` of the collection.

    A source that loses a document is read again the next time.
    """
    wanted = list(ids)
    await take_from_sources(session, collection, dict.fromkeys(wanted))
    for some in parts(wanted):
        await session.execute(
            update(DocumentRow)
            .where(
                DocumentRow.collection_id == collection,
                DocumentRow.id.in_(some),
                DocumentRow.version < version,
            )
            .values(
                deleted=True,
                text="",
                title="",
                fields="{}",
                marks="",
                source=None,
                hash="",
                version=version,
                job_id=job,
            )
        )


async def take_from_sources(session: AsyncSession, collection: str, owners: Mapping[str, str | None]) -> None:
    """Forgets the content's hash of sources whose documents get other `owners` (by document id)."""
    losers: set[str] = set()
    for some in parts(list(owners)):
        rows = await session.execute(
            select(DocumentRow.id, DocumentRow.source).where(
                DocumentRow.collection_id == collection,
                DocumentRow.id.in_(some),
                DocumentRow.source.is_not(None),
            )
        )
        losers.update(source for identity, source in rows if source != owners[identity])
    for names in parts(sorted(losers)):
        await session.execute(
            update(SourceRow)
            .where(SourceRow.collection_id == collection, SourceRow.name.in_(names))
            .values(hash="")
        )
