"""Routes of API keys, for admins: create, list, revoke."""

import structlog
from excerpta.types import KeyList, KeyReply, KeySettings, NewKeyReply
from litestar import delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import json, structs

from api.access.keys import needs
from api.collections.storable import clean
from api.db import ApiKeyRow
from api.db.replies import iso_time
from api.http.contract import problems
from api.service import Service

_log = structlog.get_logger("excerpta.keys")


@post(
    "/v1/keys",
    operation_id="create_key",
    opt=needs("admin"),
    responses=problems(413, 422),
    status_code=201,
    tags=["keys"],
)
async def create(data: JSONBody[KeySettings], service: NamedDependency[Service]) -> NewKeyReply:
    """Makes an API key. `key` is shown only in this reply; its hash is stored."""
    key, row = await service.keys.create(clean(data.name), data.scopes, data.expires_in_s)
    _log.info("key.created", of=row.id, scopes=row.scopes)
    return NewKeyReply(**structs.asdict(_reply(row)), key=key)


@get("/v1/keys", operation_id="list_keys", opt=needs("admin"), responses=problems(), tags=["keys"])
async def list_all(service: NamedDependency[Service]) -> KeyList:
    """All keys that were made here, oldest first. Those of `EXCERPTA_API_KEYS` are not among them."""
    return KeyList(keys=[_reply(row) for row in await service.keys.all()])


@delete(
    "/v1/keys/{key_id:str}",
    operation_id="revoke_key",
    opt=needs("admin"),
    responses=problems(404),
    status_code=200,
    tags=["keys"],
)
async def revoke(key_id: FromPath[str], service: NamedDependency[Service]) -> KeyReply:
    """Revokes a key by its id and returns it. Other processes of the service take 5 seconds at most."""
    row = await service.keys.revoke(clean(key_id))
    _log.info("key.revoked", of=row.id)
    return _reply(row)


def _reply(row: ApiKeyRow) -> KeyReply:
    return KeyReply(
        id=row.id,
        name=row.name,
        scopes=json.decode(row.scopes, type=list[str]),
        created_at=iso_time(row.created_at),
        expires_at=None if row.expires_at is None else iso_time(row.expires_at),
        last_used_at=None if row.last_used_at is None else iso_time(row.last_used_at),
    )


KEYS = [create, list_all, revoke]
