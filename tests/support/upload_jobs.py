"""Documents sent in bulk to a service, and where they end up."""

from __future__ import annotations

import msgspec
from sqlalchemy import select

from api.db import DocumentRow


def ndjson(count, start=0, text="Document {} is about tides."):
    return b"".join(
        msgspec.json.encode({"id": f"d{n:04}", "text": text.format(n)}) + b"\n"
        for n in range(start, start + count)
    )


async def upload(api, body, key=None, collection="c"):
    headers = {"content-type": "application/x-ndjson"} | ({"Idempotency-Key": key} if key else {})
    reply = await api("POST", f"/v1/collections/{collection}/documents:batch", content=body, headers=headers)
    assert reply.status_code == 202, reply.text
    assert reply.headers["location"] == f"/v1/jobs/{reply.json()['id']}"
    return reply.json()["id"]


async def ids_in(api, collection="c"):
    """Ids in the database and in the index, each as often as it is there."""
    async with api.service.database.read() as session:
        rows = await session.scalars(
            select(DocumentRow.id).where(~DocumentRow.deleted).order_by(DocumentRow.id)
        )
        stored = list(rows)
    entry = await api.service.library.get(collection)
    index = await api.service.library.run(api.service.library.open, entry)
    with index.snapshot() as snapshot:
        live = [snapshot.passage(n).document_id for n in range(snapshot.passages)]
    present = sorted(one for one in live if index.contains([one]))
    return stored, present, index.stats().documents
