"""A file that is indexed again takes the place of all that it was; a file that did not change costs a hash."""

import asyncio
import io
import zipfile
from dataclasses import replace

import pytest
from sqlalchemy import select, update

from api.db import DocumentRow, JobRow, SourceRow
from api.db.sources import unassigned_documents

pytestmark = pytest.mark.long

FEES = b"id,text\n1,The fee for parking is 5 euros.\n2,The fee for late books is 9 euros.\n"
STAFF = b"id,text\n1,Mrs Ada leads the library.\n2,Mr Bo leads the garage.\n"


@pytest.fixture
async def small(settings, open_api):
    """A service whose batches have at most three documents."""
    async with open_api(replace(settings, batch_documents=3, merge_share=0)) as opened:
        await opened.made()
        yield opened


def packed(members):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


def table(rows):
    return ("id,text\n" + "".join(f"{row},Row {row} says {words}.\n" for row, words in rows.items())).encode()


async def index(api, *, ends="succeeded", **files):
    """Indexes files by name; dots in names are written `__`. The job ends in the state `ends`."""
    named = {name.replace("__", "."): content for name, content in files.items()}
    return await index_files(api, named, ends=ends)


async def index_files(api, files, *, ends="succeeded"):
    parts = [("files", (name, content)) for name, content in files.items()]
    reply = await api("POST", "/v1/collections/c/files", files=parts)
    assert reply.status_code == 202, reply.text
    state = await api.finished(reply.json()["id"])
    assert state["state"] == ends, state
    return state


async def stored(api):
    """The documents by id, which database and index agree about."""
    entry = await api.service.library.get("c")
    async with api.service.database.read() as session:
        rows = await session.scalars(
            select(DocumentRow).where(DocumentRow.collection_id == entry.id, ~DocumentRow.deleted)
        )
        found = {row.id: row.text for row in rows}
    collection = await api.service.library.run(api.service.library.open, entry)
    assert collection.contains(found) == found.keys()
    assert collection.stats().documents == len(found)
    return found


async def sources(api):
    async with api.service.database.read() as session:
        return {row.name: row for row in await session.scalars(select(SourceRow))}


async def version(api):
    return (await api("GET", "/v1/collections/c")).json()["version"]


async def test_a_row_taken_out_of_a_table_is_gone(small):
    await index(small, fees__csv=FEES)
    assert set(await stored(small)) == {"fees.csv#1", "fees.csv#2"}
    await index(small, fees__csv=FEES[: FEES.index(b"2,")])
    assert set(await stored(small)) == {"fees.csv#1"}
    reply = await small("POST", "/v1/search", json={"collection": "c", "query": "fee for late books"})
    assert [hit["document_id"] for hit in reply.json()["hits"]] == ["fees.csv#1"]
    row = (await sources(small))["fees.csv"]
    assert (row.state, row.documents) == ("read", 1)


async def test_tables_with_equal_ids_stay_apart(small):
    await index(small, fees__csv=FEES, staff__csv=STAFF)
    assert set(await stored(small)) == {"fees.csv#1", "fees.csv#2", "staff.csv#1", "staff.csv#2"}


@pytest.mark.parametrize(
    ("name", "before", "after", "left"),
    [
        ("a.jsonl", b'{"text": "one"}\n{"text": "two"}\n', b'{"text": "one"}\n', {"a.jsonl#1"}),
        ("a.zip", packed({"x.md": "x", "y.md": "y"}), packed({"x.md": "x"}), {"a.zip/x.md"}),
        ("a.csv", b"text\none\ntwo\n", b"text\n", set()),
        ("a.txt", b"one", b" \n", set()),
    ],
)
async def test_what_a_file_no_longer_has_is_gone(small, name, before, after, left):
    await index_files(small, {name: before, "other.txt": b"Other words."})
    await index_files(small, {name: after})
    assert set(await stored(small)) == left | {"other.txt"}


async def test_a_large_table_is_replaced_over_several_batches(small):
    await index(small, t__csv=table(dict.fromkeys(range(8), "old")))
    before = await version(small)
    await index(small, t__csv=table(dict.fromkeys(range(4, 12), "new")))
    found = await stored(small)
    assert found == {f"t.csv#{row}": f"Row {row} says new." for row in range(4, 12)}
    assert await version(small) == before + 3, "what is gone goes with the last batch"


async def test_the_last_batch_is_the_version_without_the_rest(small):
    await index(small, t__csv=table({1: "a", 2: "b", 3: "c"}))
    before = await version(small)
    await index(small, t__csv=table({1: "a", 4: "d"}))
    assert await version(small) == before + 1
    assert set(await stored(small)) == {"t.csv#1", "t.csv#4"}


async def test_an_unchanged_file_is_neither_read_nor_encoded(small, monkeypatch):
    first = await index(small, fees__csv=FEES, a__md=b"# A\n\nText.")
    assert [(one["name"], one["state"], one["documents"]) for one in first["sources"]] == [
        ("fees.csv", "read", 2),
        ("a.md", "read", 1),
    ]
    before = await version(small)
    monkeypatch.setattr("retrieval.corpus.file_reader.load_file", lambda *_: pytest.fail("it was read"))
    again = await index(small, fees__csv=FEES, a__md=b"# A\n\nText.")
    assert [one["state"] for one in again["sources"]] == ["unchanged", "unchanged"]
    assert again["passages"] == 0
    assert await version(small) == before


async def test_another_reader_reads_an_unchanged_file_again(small, monkeypatch):
    await index(small, a__txt=b"Text.")
    monkeypatch.setattr("api.db.sources.READER", "another")
    again = await index(small, a__txt=b"Text.")
    assert [one["state"] for one in again["sources"]] == ["read"]
    assert again["passages"] == 0, "its document is the same, and is not encoded again"


async def test_rows_that_stay_as_they_were_are_not_encoded(small):
    await index(small, t__csv=table(dict.fromkeys(range(7), "old")))
    state = await index(small, t__csv=table({row: "new" if row == 5 else "old" for row in range(7)}))
    assert state["passages"] == 1
    assert (await stored(small))["t.csv#5"] == "Row 5 says new."


async def test_a_file_that_cannot_be_read_keeps_its_documents(small):
    await index(small, t__jsonl=b'{"text": "Kept words."}\n')
    state = await index(small, t__jsonl=b"no JSON at all\n", ends="failed")
    assert [(one["name"], one["state"]) for one in state["sources"]] == [("t.jsonl", "failed")]
    assert (await stored(small)) == {"t.jsonl#1": "Kept words."}
    assert (await sources(small))["t.jsonl"].state == "failed"
    again = await index(small, t__jsonl=b"no JSON at all\n", ends="failed")
    assert again["sources"][0]["state"] == "failed", "a failed source never counts as unchanged"
    back = await index(small, t__jsonl=b'{"text": "Kept words."}\n')
    assert (back["sources"][0]["state"], back["passages"]) == ("read", 0)


async def test_a_change_by_hand_makes_the_file_be_read_again(small):
    await index(small, a__txt=b"File words.", b__txt=b"More words.")
    await small.put({"id": "a.txt", "text": "Posted words."})
    assert (await small("DELETE", "/v1/collections/c/documents/b.txt")).status_code == 200
    assert await stored(small) == {"a.txt": "Posted words."}
    await index(small, a__txt=b"File words.", b__txt=b"More words.")
    assert await stored(small) == {"a.txt": "File words.", "b.txt": "More words."}


async def test_posted_documents_are_of_no_source(small):
    await small.put({"id": "fees.csv#7", "text": "Posted.", "metadata": {"source": "fees.csv"}})
    await index(small, fees__csv=FEES)
    assert set(await stored(small)) == {"fees.csv#1", "fees.csv#2", "fees.csv#7"}


async def test_of_files_of_one_name_the_last_counts(small):
    parts = [("files", ("t.csv", FEES)), ("files", ("t.csv", table({1: "x"})))]
    job = (await small("POST", "/v1/collections/c/files", files=parts)).json()["id"]
    state = await small.finished(job)
    assert [error["name"] for error in state["errors"]] == ["t.csv"]
    assert await stored(small) == {"t.csv#1": "Row 1 says x."}


async def test_documents_of_earlier_releases_are_found_by_their_file(small):
    await index_files(small, {"fees.csv": FEES, "a.zip": packed({"x.md": "x", "y.md": "y"}), "b.txt": b"B."})
    async with small.service.database.write() as session:
        await session.execute(update(DocumentRow).values(source=None))
        await session.execute(SourceRow.__table__.delete())
        entry = await small.service.library.get("c")
        found = await unassigned_documents(session, entry.id)
    assert found["a.zip"] == {"a.zip/x.md", "a.zip/y.md"}
    assert found["fees.csv"] == {"fees.csv#1", "fees.csv#2"}
    state = await index_files(small, {"fees.csv": FEES[: FEES.index(b"2,")], "a.zip": packed({"x.md": "x"})})
    assert set(await stored(small)) == {"fees.csv#1", "a.zip/x.md", "b.txt"}
    assert state["passages"] == 0


async def test_a_cancelled_reading_is_read_again(small):
    old = table(dict.fromkeys(range(6), "old"))
    await index(small, t__csv=old)
    stop = asyncio.Event()
    commit = small.service.queue.commit

    async def cancelled(claim, batch, documents, sources=None):
        await commit(claim, batch, documents, sources)
        async with small.service.database.write() as session:
            await session.execute(update(JobRow).where(JobRow.id == claim.job).values(cancel_requested=True))
        stop.set()

    small.service.queue.commit = cancelled
    parts = [("files", ("t.csv", table(dict.fromkeys(range(6), "new"))))]
    job = (await small("POST", "/v1/collections/c/files", files=parts)).json()["id"]
    state = await small.finished(job)
    small.service.queue.commit = commit
    assert stop.is_set()
    assert state["state"] == "cancelled", state
    assert "Row 0 says new." in (await stored(small)).values()
    state = await index(small, t__csv=old)
    assert state["sources"][0]["state"] == "read"
    assert set((await stored(small)).values()) == {f"Row {row} says old." for row in range(6)}


@pytest.mark.parametrize("limit", [0, -5, 10_001, -6210138896316124])
async def test_a_page_of_sources_has_bounds(small, limit):
    reply = await small("GET", f"/v1/collections/c/sources?limit={limit}")
    assert (reply.status_code, reply.json()["type"]) == (422, "/problems/invalid-request")


async def test_what_a_file_lacks_is_told_each_time(small):
    broken = b'{"text": "Kept words."}\nno JSON\n'
    for passages in (1, 0):
        state = await index(small, t__jsonl=broken, ends="partial")
        assert state["passages"] == passages
        (source,) = state["sources"]
        assert [one["name"] for one in source["remarks"]] == ["t.jsonl#2"]
    assert state["counts"] == {"read": 0, "partial": 0, "failed": 0, "unchanged": 1}


async def test_a_job_that_indexes_nothing_fails_and_says_why(small):
    state = await index(
        small, a__pdf=b"%PDF-1.7 not really", b__csv=b"id,text\n", c__txt=b" \n", ends="failed"
    )
    assert state["error"].startswith("nothing was indexed: a.pdf cannot be read")
    assert "; b.csv has " in state["error"]
    assert state["error"].endswith("; c.txt is empty")
    assert await stored(small) == {}
    assert list(small.service.spool.jobs()) == []


async def test_a_job_that_only_removes_has_succeeded(small):
    await index(small, fees__csv=FEES)
    state = await index(small, fees__csv=FEES[: FEES.index(b"1,")])
    assert (state["done"], await stored(small)) == (0, {})


@pytest.mark.parametrize("folder", ["", "x" * 256, "a%07b"])
async def test_the_name_of_a_folder_has_bounds(small, folder):
    files = [("files", ("a.txt", b"Tides."))]
    reply = await small("POST", f"/v1/collections/c/files?folder={folder}", files=files)
    assert (reply.status_code, reply.json()["type"]) == (422, "/problems/invalid-request")
    assert list(small.service.spool.jobs()) == []
