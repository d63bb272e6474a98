"""Documents in the database. If two changes meet, the one of the later collection version stays."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Sequence

import msgspec
from sqlalchemy import update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from api.db.tables import DocumentRow
from retrieval import Document
from retrieval.types import Mark

_IDS_A_STATEMENT = 500


def document_row(document: Document, *, collection: str, version: int, job: str, batch: int) -> DocumentRow:
    """The row of a document that `version` of the collection brought in."""
    fields = msgspec.json.encode(document.metadata).decode()
    content = [document.id, document.title, document.text, document.metadata, *document.marks]
    return DocumentRow(
        collection_id=collection,
        id=document.id,
        title=document.title,
        text=document.text,
        fields=fields,
        marks=msgspec.json.encode(document.marks).decode() if document.marks else "",
        hash=hashlib.sha256(msgspec.json.encode(content)).hexdigest(),
        version=version,
        deleted=False,
        job_id=job,
        batch=batch,
        created_at=time.time(),
    )


def document_of(row: DocumentRow) -> Document:
    """The document a row holds."""
    marks = msgspec.json.decode(row.marks, type=tuple[Mark, ...]) if row.marks else ()
    return Document(row.id, row.text, row.title, msgspec.json.decode(row.fields), marks)


async def put_documents(session: AsyncSession, documents: Sequence[DocumentRow]) -> None:
    """Inserts or replaces documents, save where the row is of a later version."""
    if not documents:
        return
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
    """Empties the rows of documents that are gone since `version` of the collection."""
    wanted = list(ids)
    for start in range(0, len(wanted), _IDS_A_STATEMENT):
        await session.execute(
            update(DocumentRow)
            .where(
                DocumentRow.collection_id == collection,
                DocumentRow.id.in_(wanted[start : start + _IDS_A_STATEMENT]),
                DocumentRow.version < version,
            )
            .values(
                deleted=True, text="", title="", fields="{}", marks="", hash="", version=version, job_id=job
            )
        )
