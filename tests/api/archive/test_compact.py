"""`excerpta compact` on a data directory, next to a service that answers and changes."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from api.archive import compaction
from api.archive.compaction import compact_collection
from api.commands.compact import main
from api.errors import InvalidSettings, UnknownCollection
from retrieval.errors import CorruptSegment

pytestmark = pytest.mark.long


def texts(count, first=0):
    return [{"id": f"d{at}", "text": f"Passage {at} is about otters."} for at in range(first, first + count)]


@pytest.fixture
async def filled(settings, open_api):
    async with open_api(replace(settings, merge_share=0.0)) as api:
        await api.made(plan="fast")
        for at in range(3):
            await api.put(*texts(4, 4 * at))
        await api("DELETE", "/v1/collections/c/documents/d1")
        yield api


async def found(api):
    reply = await api("POST", "/v1/search", json={"collection": "c", "query": "otters", "limit": 50})
    assert reply.status_code == 200, reply.text
    return {
        hit["document"]["id"] if "document" in hit else hit["document_id"] for hit in reply.json()["hits"]
    }


async def test_compacts_next_to_a_running_service(filled, settings, capsys):
    before, version = await found(filled), (await filled("GET", "/v1/collections/c")).json()["version"]
    done = await asyncio.to_thread(compact_collection, settings, "c")
    assert (done.segments, done.passages) == ((3, 1), (12, 11))
    assert done.version == version + done.merges
    assert await found(filled) == before
    assert (await filled("GET", "/v1/collections/c")).json()["version"] == done.version
    assert (await filled("POST", "/v1/collections/c/verify")).json() == {"corrupt": []}
    await filled.put(*texts(1, 40))
    assert await found(filled) == before | {"d40"}


async def test_the_command_says_what_it_did(filled, settings, capsys):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EXCERPTA_DATABASE_URL", settings.database_url)
        data = ["--data", str(settings.data_dir)]
        assert await asyncio.to_thread(main, ["c", *data]) == 0
        assert "3 segments became 1, 1 deleted passages are gone, 11 are left" in capsys.readouterr().out
        assert await asyncio.to_thread(main, ["nobody", *data]) == 2
        assert capsys.readouterr().err.startswith("error: ")


async def test_a_rebuilt_index_is_compacted_in_place_of_the_old_one(filled, settings, monkeypatch):
    """The old directory goes while it is compacted."""
    real, seen = compaction.compact, []

    def slow(path):
        seen.append(path.name)
        if len(seen) == 1:
            raise CorruptSegment(str(path), "gone")
        return real(path)

    async def row(settings, name):
        found = await asked(settings, name)
        found.directory = found.directory if seen else "before"
        return found

    asked = compaction._row
    monkeypatch.setattr(compaction, "compact", slow)
    monkeypatch.setattr(compaction, "_row", row)
    done = await asyncio.to_thread(compact_collection, settings, "c")
    assert seen[0] == "before"
    assert len(seen) == 2
    assert done.segments == (3, 1)


async def test_errors(filled, settings, tmp_path):
    with pytest.raises(UnknownCollection):
        await asyncio.to_thread(compact_collection, settings, "nobody")
    with pytest.raises(InvalidSettings, match="--data"):
        compact_collection(replace(settings, data_dir=tmp_path / "none", database_url=None), "c")
