"""Keys that admins make: hashed, scoped, expiring, revocable, and rarely read from the database."""

import asyncio
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import event

from api.access.caller import SCOPES, Caller
from api.access.keys import KeyGuard, digest, scopes_of
from api.access.stored_keys import FRESH_S, USED_EVERY_S, StoredKeys
from api.app import create_app
from api.db import ApiKeyRow, Database, upgrade
from api.errors import UnknownKey

ADMIN = "a" * 20


class Clock:
    def __init__(self):
        self.time = 1000.0

    def __call__(self):
        return self.time


@pytest.fixture
async def database(database_url):
    opened = Database(database_url)
    await upgrade(opened)
    yield opened
    await opened.close()


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
async def keys(database, clock):
    made = StoredKeys(database, clock)
    yield made
    await made.close()


def statements(database):
    seen = []
    event.listen(database.engine.sync_engine, "before_cursor_execute", lambda *a: seen.append(a[2]))
    return seen


async def used(keys):
    await keys.close()
    (row,) = await keys.all()
    return row.last_used_at


async def test_only_the_hash_is_stored(keys):
    key, row = await keys.create("site", ["write", "search", "search"], None)
    assert row.digest == digest(key).hex()
    assert len(key) >= 40
    (stored,) = await keys.all()
    columns = [getattr(stored, column.name) for column in ApiKeyRow.__table__.columns]
    assert key not in repr(columns)
    assert await keys.verify(digest(key)) == Caller(key=row.id, scopes=frozenset({"search", "write"}))


async def test_a_digest_that_begins_alike_does_not_pass(keys):
    key, _ = await keys.create("site", ["search"], None)
    alike = digest(key)[:6] + bytes(26)
    assert await keys.verify(alike) is None
    assert await keys.verify(digest("exk_other")) is None


async def test_a_key_expires_even_while_it_is_kept(keys, clock):
    key, _ = await keys.create("short", ["search"], 2)
    assert await keys.verify(digest(key))
    clock.time += 1.9
    assert await keys.verify(digest(key))
    clock.time += 0.1
    assert await keys.verify(digest(key)) is None
    assert await keys.verify(digest(key)) is None


async def test_a_verified_key_is_not_read_again_for_some_seconds(keys, clock, database):
    key, _ = await keys.create("site", ["search"], None)
    await keys.verify(digest(key))
    await keys.close()
    seen = statements(database)
    for _ in range(100):
        assert await keys.verify(digest(key))
    assert seen == []
    clock.time += FRESH_S
    assert await keys.verify(digest(key))
    assert seen


async def test_revocation_is_at_once_here_and_soon_elsewhere(keys, clock, database):
    elsewhere = StoredKeys(database, clock)
    key, row = await keys.create("site", ["search"], None)
    assert await keys.verify(digest(key)) == await elsewhere.verify(digest(key)) != None  # noqa: E711
    await elsewhere.close()
    await keys.revoke(row.id)
    assert await keys.verify(digest(key)) is None
    clock.time += FRESH_S
    assert await elsewhere.verify(digest(key)) is None
    with pytest.raises(UnknownKey):
        await keys.revoke(row.id)


async def test_a_key_that_is_revoked_while_it_is_read_is_not_kept(keys, clock):
    for _ in range(20):
        key, row = await keys.create("site", ["search"], None)
        await asyncio.gather(*(keys.verify(digest(key)) for _ in range(3)), keys.revoke(row.id))
        assert await keys.verify(digest(key)) is None


async def test_the_last_use_is_written_at_most_once_a_minute(keys, clock):
    key, _ = await keys.create("site", ["search"], None)
    assert await used(keys) is None
    await keys.verify(digest(key))
    assert await used(keys) == 1000
    clock.time += USED_EVERY_S - 1
    await keys.verify(digest(key))
    assert await used(keys) == 1000
    clock.time += FRESH_S
    await keys.verify(digest(key))
    assert await used(keys) == clock.time


@given(st.frozensets(st.sampled_from(sorted(SCOPES))), st.sets(st.sampled_from(sorted(SCOPES)), min_size=1))
def test_a_caller_may_what_one_of_its_scopes_allows(scopes, wanted):
    assert Caller(scopes=scopes).may(*wanted) == ("admin" in scopes or bool(scopes & wanted))


def test_every_route_has_the_scopes_that_it_ought_to(settings):
    found, methods = {}, {}
    for route in create_app(replace(settings, api_keys=(ADMIN,))).routes:
        for handler in getattr(route, "route_handlers", ()):
            if not handler.opt.get("public") and getattr(handler, "operation_id", None):
                found[handler.operation_id] = set(scopes_of(handler))
                methods[handler.operation_id] = handler.http_methods
    asks = {"query", "search", "searchBatch", "chat_completions", "rerank", "rerank_v2", "compress"}
    assert asks < set(found)
    for name, scopes in found.items():
        if name in ("create_key", "list_keys", "revoke_key"):
            assert scopes == {"admin"}, name
        elif name in asks:
            assert scopes == {"search", "answer"}, name
        elif methods[name] == {"GET"} or name == "compare_sources":
            assert scopes == {"search", "answer", "write"}, name
        else:
            assert scopes == {"write"}, name


def bearer(key):
    return {"authorization": f"Bearer {key}"}


@pytest.fixture
async def api(settings, open_api):
    async with open_api(replace(settings, api_keys=(ADMIN,))) as opened:
        yield opened


async def made(api, *scopes, **options):
    body = {"name": "site", "scopes": scopes, **options}
    reply = await api("POST", "/v1/keys", json=body, headers=bearer(ADMIN))
    assert reply.status_code == 201, reply.text
    return reply.json()


async def status(api, method, path, key, **options):
    return (await api(method, path, headers=bearer(key), **options)).status_code


async def test_scopes_of_requests(api):
    search, answer, write, admin = [
        (await made(api, scope))["key"] for scope in ("search", "answer", "write", "admin")
    ]
    for key, expected in ((search, 403), (answer, 403), (write, 201), (admin, 409)):
        assert await status(api, "PUT", "/v1/collections/c", key, json={}) == expected
    question = {"collection": "c", "query": "tides"}
    for key, expected in ((search, 200), (answer, 200), (write, 403), (admin, 200)):
        assert await status(api, "POST", "/v1/search", key, json=question) == expected
    for key, expected in ((search, 403), (answer, 200), (write, 403), (admin, 200)):
        assert await status(api, "POST", "/v1/query", key, json=question) == expected
        chat = {"model": "c", "messages": [{"role": "user", "content": "tides"}]}
        assert await status(api, "POST", "/v1/chat/completions", key, json=chat) == expected
    fast = {**question, "plan": "fast"}
    assert await status(api, "POST", "/v1/query", search, json=fast) == 200
    for key in (search, answer, write, admin):
        assert await status(api, "GET", "/v1/collections", key) == 200
        assert await status(api, "GET", "/v1/keys", key) == (200 if key == admin else 403)


async def test_the_message_names_the_scopes(api, problem):
    key = (await made(api, "search"))["key"]
    reply = await api("DELETE", "/v1/collections/c", headers=bearer(key))
    assert problem(reply, 403, "forbidden")["scopes"] == ["write"]


async def test_keys_are_made_listed_and_revoked(api, problem):
    new = await made(api, "search", expires_in_s=3600)
    listed = (await api("GET", "/v1/keys", headers=bearer(ADMIN))).json()["keys"]
    assert [one["id"] for one in listed] == [new["id"]]
    assert "key" not in listed[0]
    assert listed[0]["expires_at"] > listed[0]["created_at"]
    assert await status(api, "GET", "/v1/collections", new["key"]) == 200
    assert await status(api, "DELETE", f"/v1/keys/{new['id']}", ADMIN) == 200
    assert await status(api, "GET", "/v1/collections", new["key"]) == 401
    problem(await api("DELETE", "/v1/keys/none", headers=bearer(ADMIN)), 404, "unknown-key")


async def test_both_headers(api):
    key = (await made(api, "search"))["key"]
    for headers, expected in (
        ({"x-api-key": key}, 200),
        ({"x-api-key": ADMIN}, 200),
        ({"x-api-key": "wrong"}, 401),
        ({"x-api-key": key, "authorization": "Bearer wrong"}, 401),
        ({"x-api-key": key, "authorization": f"Basic {key}"}, 401),
    ):
        assert (await api("GET", "/v1/collections", headers=headers)).status_code == expected, headers


async def test_without_keys_of_its_settings_a_service_stays_open(settings, open_api):
    async with open_api(settings) as api:
        assert (await api("POST", "/v1/keys", json={"name": "a", "scopes": ["search"]})).status_code == 201
        assert (await api("PUT", "/v1/collections/c", json={})).status_code == 201


def test_a_guard_without_keys_needs_no_service():
    asyncio.run(KeyGuard([])(None, None))
