"""The prefix store behind the API: what deleting and replacing forget, pre-warming, numbers, settings."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import get_args

import msgspec
import pytest

from api import settings as settings_module
from api.access.caller import LOCAL
from api.device.networks import filed_under, prefix_store
from context.prefix_store import ADMISSIONS, EVICTIONS, STORAGES, PrefixStore, document_of

pytestmark = pytest.mark.long

QUESTION = "Travel above 2000 euros is approved by the head of finance."
DOCUMENTS = [
    {
        "id": "tides",
        "text": "Tides are caused by the gravity of the moon and the sun. They come twice a day.",
    },
    {"id": "travel/eu", "text": "Travel above 2000 euros is approved by the head of finance."},
    {"id": "volcano", "text": "Volcanoes erupt when magma rises through the crust."},
]
_BLOCKS = 2
"""A passage's own, and one of the words that lead to every question behind it."""


@pytest.fixture
async def filled(api):
    await api.made()
    await api.put(*DOCUMENTS)
    return api


async def usage(api, collection="c"):
    body = {"collection": collection, "query": QUESTION, "plan": {"answer": {"max_tokens": 1}}}
    reply = await api("POST", "/v1/query", json=body)
    assert reply.status_code == 200, reply.text
    used = reply.json()["usage"]
    assert used["context_tokens"]
    api.service.networks.store.flush()
    return used


async def cached(api, collection="c"):
    """Whether all, some or none of the passages read were there: 1.0, less, 0.0."""
    used = await usage(api, collection)
    return used["cached_tokens"] / used["context_tokens"]


def blocks_of(api, salt, document, name="c"):
    """In how many places blocks of a document are: in memory, and on disk."""
    wanted = document_of(LOCAL.salt(salt).encode(), filed_under(name, document))
    store = api.service.networks.store
    in_memory = sum(key.document == wanted for key in store._tiers[0]._ledger)
    on_disk = len(list((api.service.settings.data_dir / "prefixes").glob(f"*/*/{wanted}/*")))
    return in_memory, on_disk


async def test_collections_share_nothing(filled):
    await filled.made("other")
    await filled.put(*DOCUMENTS, collection="other")
    assert [await cached(filled), await cached(filled)] == [0, 1]
    assert await cached(filled, "other") == 0
    assert await cached(filled, ["c", "other"]) == 1  # each passage under its own collection's salt


async def delete_one(api):
    assert (await api("DELETE", "/v1/collections/c/documents/travel/eu")).json()["deleted"] == 1


async def delete_several(api):
    await api("POST", "/v1/collections/c/documents:delete", json={"ids": ["travel/eu", "unknown"]})


async def replace_one(api):
    assert (await api.put({**DOCUMENTS[1], "title": "New"}))["replaced"] == 1


async def replace_by_job(api):
    lines = b"\n".join(
        map(msgspec.json.encode, [{**DOCUMENTS[1], "title": "New"}, {"id": "n", "text": "new"}])
    )
    reply = await api(
        "POST",
        "/v1/collections/c/documents:batch",
        content=lines,
        headers={"content-type": "application/x-ndjson"},
    )
    assert (await api.finished(reply.json()["id"]))["state"] == "succeeded"


@pytest.mark.long
@pytest.mark.parametrize("change", [delete_one, delete_several, replace_one, replace_by_job])
async def test_a_document_that_goes_takes_its_blocks_with_it(filled, change):
    await filled.made("other")
    await filled.put(*DOCUMENTS, collection="other")
    entry = await filled.service.library.get("c")
    for collection in ("c", "other", ["c", "other"]):
        await usage(filled, collection)
    assert blocks_of(filled, entry.id, "travel/eu") == (_BLOCKS, _BLOCKS)
    await change(filled)
    assert blocks_of(filled, entry.id, "travel/eu") == (0, 0)
    assert blocks_of(filled, entry.id, "tides") == (_BLOCKS, _BLOCKS)
    assert await cached(filled, "other") == 1


async def test_new_documents_forget_nothing(filled):
    await usage(filled)
    await filled.put({"id": "new", "text": "Something else."})
    entry = await filled.service.library.get("c")
    assert blocks_of(filled, entry.id, "travel/eu") == (_BLOCKS, _BLOCKS)


async def test_a_deleted_collection_takes_all_its_blocks_with_it(filled):
    await usage(filled)
    await filled("DELETE", "/v1/collections/c")
    assert [tier.blocks for tier in filled.service.networks.store.stats().tiers] == [0, 0]


async def test_the_stores_numbers(filled, problem):
    empty = (await filled("GET", "/v1/stats")).json()
    assert empty["prefix_store"] is None or empty["prefix_store"]["encoded"] == 0
    await usage(filled)
    await usage(filled)
    stats = (await filled("GET", "/v1/stats")).json()["prefix_store"]
    memory, disk = stats["tiers"]
    wanted = _BLOCKS * len(DOCUMENTS)
    assert (memory["name"], disk["name"]) == ("memory", "disk")
    counted = [memory[name] for name in ("misses", "blocks")] + [disk["blocks"], disk["misses"]]
    assert {*counted, stats["encoded"]} == {wanted}
    assert memory["hits"] == len(DOCUMENTS), "what leads to a question is not read for one that is known"
    assert 0 < memory["saved_s"] < stats["encode_s"]
    assert memory["capacity_bytes"] == 16 << 20
    page = (await filled("GET", "/metrics")).text
    for line in (
        f'excerpta_prefix_hits_total{{tier="memory"}} {len(DOCUMENTS):.1f}',
        f'excerpta_prefix_misses_total{{tier="disk"}} {wanted:.1f}',
        f'excerpta_prefix_bytes{{tier="disk"}} {float(disk["bytes"])}',
        f"excerpta_prefix_encoded_total {wanted:.1f}",
    ):
        assert line in page
    for name in ("evictions_total", "errors_total", "saved_seconds_total", "capacity_bytes"):
        assert f'excerpta_prefix_{name}{{tier="memory"}}' in page
    assert "excerpta_prefix_encode_seconds_total" in page


# pre-warming


async def job_of(api, documents=DOCUMENTS, collection="c"):
    reply = await api(
        "POST",
        f"/v1/collections/{collection}/documents:batch",
        content=b"\n".join(map(msgspec.json.encode, documents)),
        headers={"content-type": "application/x-ndjson"},
    )
    assert reply.status_code == 202, reply.text
    return reply.json()["id"]


@pytest.mark.parametrize("prewarm", [True, False])
async def test_a_job_warms_the_store_where_the_collection_says_so(api, prewarm):
    await api.made(prewarm=prewarm)
    assert (await api.finished(await job_of(api)))["state"] == "succeeded"
    encoded = api.service.networks.store.stats().encoded
    assert encoded == (_BLOCKS * len(DOCUMENTS) if prewarm else 0)
    assert await cached(api) == prewarm
    assert not prewarm or api.service.networks.store.stats().encoded == encoded
    assert (await api("GET", "/v1/collections/c")).json()["settings"]["prewarm"] == prewarm


@pytest.mark.long
async def test_warming_ends_where_the_store_is_full(settings, open_api):
    async with open_api(replace(settings, prefix_memory_mb=1, prefix_disk_mb=0)) as api:
        await api.made(prewarm=True)
        documents = [{"id": str(n), "text": f"{n} " + "tides and moon " * 60} for n in range(40)]
        assert (await api.finished(await job_of(api, documents)))["state"] == "succeeded"
        (memory,) = api.service.networks.store.stats().tiers
        assert memory.evictions == 0
        assert 0 < memory.blocks < 40


@pytest.mark.long
async def test_warming_that_fails_does_not_fail_the_job(api, monkeypatch):
    def broken(*_, **__):
        raise RuntimeError("out of memory")

    await api.made(prewarm=True)
    monkeypatch.setattr(api.service.networks, "keep_passage", broken)
    state = await api.finished(await job_of(api))
    assert (state["state"], state["error"], state["done"]) == ("succeeded", None, 3)


@pytest.mark.long
async def test_warming_is_cancelled_with_its_job(api, monkeypatch):
    await api.made(prewarm=True)
    began = asyncio.Event()
    loop = asyncio.get_running_loop()
    keep = api.service.networks.keep_passage
    kept: list[str] = []

    def slow(passage):
        loop.call_soon_threadsafe(began.set)
        asyncio.run(asyncio.sleep(0.05))
        kept.append(passage.text)
        keep(passage)

    monkeypatch.setattr(api.service.networks, "keep_passage", slow)
    job = await job_of(api, [{"id": str(n), "text": f"Passage {n}."} for n in range(100)])
    await began.wait()
    assert (await api("DELETE", f"/v1/jobs/{job}")).status_code == 200
    state = await api.finished(job)
    assert (state["state"], state["done"]) == ("cancelled", 100)
    assert 0 < len(kept) < 100


# settings


def test_the_settings_name_what_the_store_has():
    assert get_args(settings_module.Storage) == STORAGES
    assert get_args(settings_module.Eviction) == EVICTIONS
    assert get_args(settings_module.Admission) == ADMISSIONS


def test_every_setting_of_the_store_reaches_it(settings, monkeypatch):
    def tiers(**changes) -> PrefixStore:
        store = prefix_store(replace(settings, **changes))
        store.close()
        return store

    assert [tier.stats().name for tier in tiers()._tiers] == ["memory", "disk"]
    assert [tier.stats().name for tier in tiers(prefix_disk_mb=0)._tiers] == ["memory"]
    shared = tiers(prefix_redis=True, redis_url="redis://x", prefix_redis_mb=2, prefix_redis_ttl_s=9)
    assert [tier.stats().name for tier in shared._tiers] == ["memory", "disk", "redis"]
    assert (shared._redis._largest, shared._redis._ttl_s) == (2 << 20, 9)
    other = tiers(prefix_redis=True, redis_url="redis://x", database_url="sqlite+aiosqlite:///other.db")
    assert shared._redis._name != other._redis._name
    assert tiers(prefix_storage="int8").storage == "int8"
    assert tiers(prefix_admission="always")._admission == "always"
    assert type(tiers(prefix_eviction="lfu")._tiers[0]._ledger._eviction).__name__ == "LFU"
    assert [one.stats().capacity_bytes for one in tiers(prefix_memory_mb=3, prefix_disk_mb=5)._tiers] == [
        3 << 20,
        5 << 20,
    ]


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"prefix_storage": "int4"}, "exact, bfloat16, int8"),
        ({"prefix_eviction": "fifo"}, "lru, lfu, gdsf"),
        ({"prefix_admission": "never"}, "room, second-use, always"),
        ({"prefix_redis": True}, "EXCERPTA_REDIS_URL"),
    ],
)
def test_a_setting_of_the_store_that_cannot_work_is_refused(wrong, says):
    from api.errors import InvalidSettings

    with pytest.raises(InvalidSettings, match=says):
        settings_module.Settings(**wrong)
