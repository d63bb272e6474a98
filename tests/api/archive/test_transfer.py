"""Collections from one data directory to another, with services over both."""

import asyncio
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from unittest.mock import ANY

import msgspec
import pytest
from sqlalchemy import select

from api.archive.export import export
from api.archive.restore import bring_in
from api.commands.transfer import export_main, import_main
from api.db import CollectionRow, Database, DocumentRow, upgrade
from api.errors import CollectionExists, InvalidRequest, InvalidSettings, UnknownCollection, Unsettled
from retrieval.errors import CorruptSegment, InvalidArchive
from retrieval.segments.crash_points import IMPORT_POINTS
from tests.support.crafting import put_together, take_apart

pytestmark = pytest.mark.long

SUBJECTS = (
    "tides",
    "volcanoes",
    "travel above 2000 euros",
    "the moon and the sun",
    "magma through the crust",
)
QUERIES = ("what causes tides", "who may approve travel", "magma")


def silent(what, done, total):
    assert 0 <= done <= total


def documents(count, first=0):
    return [
        {
            "id": f"d/{at:03}",
            "title": f"Title {at}",
            "text": f"Passage {at} is about {SUBJECTS[at % 5]}. " * 6 + "\n\nÜber alles. 🌊",
            "metadata": {"at": at, "tags": ["a", "ü"], "none": None},
        }
        for at in range(first, first + count)
    ]


async def found(api, collection="c"):
    """All that a client sees of a collection, with every score."""
    seen = []
    for query in QUERIES:
        for retrieve in (
            {"tokens": {}},
            {"lexical": {}},
            {"tokens": {}, "lexical": {}, "ngrams": {"beams": 4}},
        ):
            plan = {"retrieve": {"tokens": None, "lexical": None, "ngrams": None} | retrieve}
            body = {"collection": collection, "query": query, "limit": 50, "plan": plan}
            reply = await api("POST", "/v1/search", json=body)
            assert reply.status_code == 200, reply.text
            hits = [
                {name: value for name, value in hit.items() if name != "collection"}
                for hit in reply.json()["hits"]
            ]
            assert hits or "tokens" not in retrieve
            seen.append(msgspec.json.encode(hits))
    for at in (0, 7, 20):
        reply = await api("GET", f"/v1/collections/{collection}/documents/d/{at:03}")
        one = reply.json()
        one.pop("created_at", None)
        seen.append((reply.status_code, one if reply.status_code == 200 else None))
    shown = (await api("GET", f"/v1/collections/{collection}")).json()
    return seen, {name: shown[name] for name in ("documents", "passages", "version", "settings", "fields")}


def of_work(function, *args, **options):
    """In a thread, as a command of its own would run beside the service."""
    return asyncio.to_thread(function, *args, **options)


@pytest.fixture
async def source(settings, open_api, monkeypatch):
    """A collection with lists, deletions, replacements and a second index behind it."""
    monkeypatch.setattr("retrieval.tokens.index.FLAT_UP_TO", 300)
    async with open_api(settings) as api:
        await api.made(passage_tokens=32, overlap_tokens=4, plan="fast")
        await api.put(*documents(24))
        job = (await api("POST", "/v1/collections/c/rebuild")).json()["id"]
        assert (await api.finished(job))["state"] == "succeeded"
        await api.put(*documents(3, 22))
        assert (await api("DELETE", "/v1/collections/c/documents/d/007")).json()["deleted"] == 1
        yield api


@pytest.fixture
def elsewhere(settings, database_url, tmp_path):
    return replace(settings, data_dir=tmp_path / "elsewhere", database_url=database_url)


def left_in(settings):
    root = settings.data_dir / "collections"
    return sorted(path.name for path in root.iterdir()) if root.is_dir() else []


async def test_what_is_imported_is_found_as_it_was(source, settings, elsewhere, open_api, tmp_path):
    done = await of_work(export, settings, "c", tmp_path / "c.tar", silent)
    assert any(name.endswith("tokens.faiss") for name in take_apart(tmp_path / "c.tar")[1])
    before = await found(source)
    async with open_api(elsewhere) as other:
        assert (await other("GET", "/v1/collections")).json() == {"collections": []}
        made = await of_work(bring_in, elsewhere, tmp_path / "c.tar", None, silent)
        assert (made.documents, made.version) == (done.documents, done.version) == (24, before[1]["version"])
        assert await found(other) == before  # at once, in a service that was running
        assert (await other("POST", "/v1/collections/c/verify")).json() == {"corrupt": []}
        assert not list(elsewhere.data_dir.rglob("documents.jsonl"))
        # It is a collection like any other: it changes, and can be made again from its documents.
        await other.put(*documents(1, 7))
        assert (await other("DELETE", "/v1/collections/c/documents/d/000")).json()["deleted"] == 1
        job = (await other("POST", "/v1/collections/c/rebuild")).json()["id"]
        assert (await other.finished(job))["state"] == "succeeded"
        assert (await other("GET", "/v1/collections/c")).json()["documents"] == 24
        assert (await other("DELETE", "/v1/collections/c")).status_code == 200
        assert job not in left_in(elsewhere)
    assert await found(source) == before


async def test_an_imported_table_is_replaced_as_any_other(source, settings, elsewhere, open_api, tmp_path):
    def table(*rows):
        return [
            ("files", ("fees.csv", ("id,text\n" + "".join(f"{row},Fee {row}.\n" for row in rows)).encode()))
        ]

    job = (await source("POST", "/v1/collections/c/files", files=table(1, 2, 3))).json()["id"]
    assert (await source.finished(job))["state"] == "succeeded"
    await of_work(export, settings, "c", tmp_path / "c.tar", silent)
    async with open_api(elsewhere) as other:
        await of_work(bring_in, elsewhere, tmp_path / "c.tar", None, silent)
        listed = (await other("GET", "/v1/collections/c/sources")).json()["sources"]
        assert [(one["name"], one["documents"]) for one in listed] == [("fees.csv", 3)]
        job = (await other("POST", "/v1/collections/c/files", files=table(1, 3))).json()["id"]
        assert (await other.finished(job))["state"] == "succeeded"
        for row, status in ((2, 404), (3, 200)):
            reply = await other("GET", f"/v1/collections/c/documents/fees.csv%23{row}")
            assert reply.status_code == status


async def test_two_exports_of_one_version_are_the_same_bytes(source, settings, tmp_path):
    (tmp_path / "b.tar").write_bytes(b"an older one")
    for name in ("a.tar", "b.tar"):
        await of_work(export, settings, "c", tmp_path / name, silent)
    assert (tmp_path / "a.tar").read_bytes() == (tmp_path / "b.tar").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir() if ".tar" in path.name) == ["a.tar", "b.tar"]


async def test_an_empty_collection_goes_as_well(api, settings, elsewhere, open_api, tmp_path):
    await api.made(ngrams=False)
    await of_work(export, settings, "c", tmp_path / "c.tar", silent)
    await of_work(bring_in, elsewhere, tmp_path / "c.tar", "other", silent)
    async with open_api(elsewhere) as other:
        assert (await other("GET", "/v1/collections/other")).json()["documents"] == 0
        await other.put(*documents(2), collection="other")
        assert (await other("GET", "/v1/collections/other")).json()["passages"] > 0


async def test_an_export_amid_changes_is_of_one_moment(source, settings, elsewhere, tmp_path):
    async def change():
        for at in range(30, 60):
            await source.put(*documents(2, at))
            await asyncio.sleep(0.01)

    changing = asyncio.create_task(change())
    for number in range(2):
        target = tmp_path / f"{number}.tar"
        await of_work(export, settings, "c", target, silent)
        await of_work(bring_in, elsewhere, target, f"c{number}", silent)
    await changing


@pytest.mark.process
async def test_a_name_that_is_taken_is_refused_first(source, settings, tmp_path):
    await of_work(export, settings, "c", tmp_path / "c.tar", silent)
    before = left_in(settings)
    with pytest.raises(CollectionExists):
        await of_work(bring_in, settings, tmp_path / "c.tar", None, silent)
    for impossible in ("../c", "", "a b"):
        with pytest.raises(InvalidRequest, match="name"):
            await of_work(bring_in, settings, tmp_path / "c.tar", impossible, silent)
    assert left_in(settings) == before
    await of_work(bring_in, settings, tmp_path / "c.tar", "d", silent)
    assert await found(source, "d") == await found(source)


@pytest.mark.process
async def test_who_takes_the_name_meanwhile_has_it(source, settings, tmp_path, monkeypatch):
    await of_work(export, settings, "c", tmp_path / "c.tar", silent)
    before = left_in(settings)

    async def nobody(*_):
        return None

    monkeypatch.setattr("api.archive.restore._refuse_taken", nobody)
    with pytest.raises(CollectionExists):
        await of_work(bring_in, settings, tmp_path / "c.tar", None, silent)
    assert left_in(settings) == before


@pytest.mark.parametrize("what", ["encoder", "vocabulary", "settings", "plan", "index", "document", "count"])
async def test_what_does_not_belong_here_is_refused(source, settings, elsewhere, tmp_path, what):
    await of_work(export, settings, "c", tmp_path / "c.tar", silent)
    header, files = take_apart(tmp_path / "c.tar")
    changed = {
        "encoder": {"encoder": "another"},
        "vocabulary": {"vocabulary": "another"},
        "settings": {"settings": header.settings | {"passage_tokens": 20_000}},
        "plan": {"settings": header.settings | {"plan": "unheard-of"}},
        "index": {"settings": header.settings | {"index": "compact"}},
        "count": {"documents": 7},
    }
    if what == "document":
        files["documents.jsonl"] = files["documents.jsonl"].replace("Über".encode(), b"\\u0000ber")
    header = msgspec.structs.replace(header, **changed.get(what, {}))
    put_together(tmp_path / "crafted.tar", header, files)
    with pytest.raises(InvalidArchive, match="with" if what in ("encoder", "vocabulary") else "."):
        await of_work(bring_in, elsewhere, tmp_path / "crafted.tar", None, silent)
    assert left_in(elsewhere) == []
    database = Database(elsewhere.database)
    await upgrade(database)
    async with database.read() as session:
        assert (await session.scalars(select(CollectionRow))).all() == []
        assert (await session.scalars(select(DocumentRow))).all() == []
    await database.close()


async def test_no_room_is_said_before_anything_is_written(source, settings, elsewhere, tmp_path, monkeypatch):
    await of_work(export, settings, "c", tmp_path / "c.tar", silent)
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage._replace(free=100 << 20))
    with pytest.raises(InvalidSettings, match="make room"):
        await of_work(bring_in, elsewhere, tmp_path / "c.tar", None, silent)
    assert left_in(elsewhere) == []


async def retitle(source, title):
    """Another title in the database alone, as while a change is between the index and it."""
    from api.db.documents import document_hash, document_of

    async with source.service.database.write() as session:
        row = await session.scalar(select(DocumentRow).where(DocumentRow.id == "d/001"))
        row.title, row.hash = title, document_hash(replace(document_of(row), title=title))


def run(command, *options, **variables):
    words = [sys.executable, "-m", "api.commands.transfer", command, *map(str, options)]
    return subprocess.run(words, env={**os.environ, **variables}, capture_output=True, text=True)


# Only at the last point has anything been said to the database.
BEFORE_THE_DATABASE = [("sqlite", one) for one in (*IMPORT_POINTS[:-1], "manifest.synced")]


@pytest.mark.process
@pytest.mark.parametrize(
    ("database_url", "at"),
    [
        ("sqlite", "import.told"),
        ("postgresql", "import.told"),
        *BEFORE_THE_DATABASE,
    ],
    indirect=["database_url"],
)
async def test_a_killed_import_shows_nothing_and_is_swept(
    source, settings, elsewhere, open_api, tmp_path, at
):
    await of_work(export, settings, "c", tmp_path / "c.tar", silent)
    where = ("--data", elsewhere.data_dir, "--profile", elsewhere.profile, "--device", "cpu")
    variables = {"EXCERPTA_FAULT": at, "EXCERPTA_DATABASE_URL": elsewhere.database_url}
    killed = await of_work(run, "import", tmp_path / "c.tar", *where, **variables)
    assert killed.returncode == -9, killed.stderr
    assert len(left_in(elsewhere)) == 1
    async with open_api(elsewhere) as other:
        assert (await other("GET", "/v1/collections")).json() == {"collections": []}
        library = other.service.library
        assert (await library.orphans()).unknown == set(left_in(elsewhere))
        for directory in (await library.orphans()).unknown:
            await library.remove(directory)
        assert left_in(elsewhere) == []
        await of_work(bring_in, elsewhere, tmp_path / "c.tar", None, silent)
        assert await found(other) == await found(source)


@pytest.mark.process
async def test_a_running_import_is_not_swept(source, settings, tmp_path, monkeypatch):
    await of_work(export, settings, "c", tmp_path / "c.tar", silent)
    before, seen = left_in(settings), []

    def look(point):
        if point == "import.tried":
            seen.append((left_in(settings), asyncio.run(source.service.library.orphans())))

    monkeypatch.setattr("api.archive.restore.crash_point", look)
    await of_work(bring_in, settings, tmp_path / "c.tar", "d", silent)
    ((directories, orphans),) = seen
    (draft,) = set(directories) - set(before)
    assert draft not in orphans.unknown | orphans.replaced


# exporting


async def test_what_cannot_be_exported_leaves_no_file(source, settings, tmp_path):
    (tmp_path / "c.tar").write_bytes(b"an older one")

    async def refused(error, name="c", of=settings):
        with pytest.raises(error):
            await of_work(export, of, name, tmp_path / "c.tar", silent, patience_s=0.3)
        assert (tmp_path / "c.tar").read_bytes() == b"an older one"
        assert not (tmp_path / "c.tar.part").exists()

    await refused(UnknownCollection, "nowhere")
    await refused(InvalidSettings, of=replace(settings, data_dir=tmp_path / "nothing"))
    assert not (tmp_path / "nothing").exists()
    await retitle(source, "New")
    await refused(Unsettled)
    await retitle(source, "Title 1")
    entry = await source.service.library.get("c")
    target = next((settings.data_dir / "collections" / entry.directory).rglob("codes.npy"))
    target.write_bytes(target.read_bytes()[:-1] + b"?")
    await refused(CorruptSegment)


async def test_a_change_that_is_halfway_is_waited_for(source, settings, tmp_path):
    await retitle(source, "New")
    exporting = asyncio.create_task(of_work(export, settings, "c", tmp_path / "c.tar", silent))
    await asyncio.sleep(1.0)
    assert not exporting.done()
    await retitle(source, "Title 1")
    assert (await exporting).documents == 24


async def test_one_file_is_written_by_one_export(source, settings, tmp_path):
    import fcntl

    with (tmp_path / "c.tar.part").open("wb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(InvalidRequest, match="another export"):
            await of_work(export, settings, "c", tmp_path / "c.tar", silent)
    # What a killed one left is written over.
    (tmp_path / "c.tar.part").write_bytes(b"x" * 10_000_000)
    done = await of_work(export, settings, "c", tmp_path / "c.tar", silent)
    assert (tmp_path / "c.tar").stat().st_size == done.bytes < 10_000_000


# commands


@pytest.mark.process
async def test_the_commands_say_what_they_did_and_what_to_do(source, settings, tmp_path, capsys):
    data = ("--data", str(settings.data_dir))
    models = ("--profile", settings.profile, "--device", "cpu")
    archive = str(tmp_path / "c.tar")

    async def said(main, *words):
        capsys.readouterr()
        status = await of_work(main, words)
        out, err = capsys.readouterr()
        return status, err or "\n".join(line for line in out.splitlines() if archive in line or "@" in line)

    assert await said(export_main, "c", archive, *data) == (0, ANY)
    status, text = await said(import_main, archive, *data, *models)
    assert status == 2
    assert "there is a collection 'c' already" in text
    assert "--name OTHER" in text
    status, text = await said(import_main, archive, *data, *models, "--name", "d")
    assert (status, "24 documents" in text) == (0, True)
    assert await found(source, "d") == await found(source)
    status, text = await said(import_main, str(tmp_path / "missing.tar"), *data, *models)
    assert (status, len(text.splitlines())) == (2, 1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EXCERPTA_DATABASE_URL", "postgresql+asyncpg://nobody@127.0.0.1:1/nothing")
        status, text = await said(export_main, "c", archive, *data)
    assert (status, text.startswith("error: the database")) == (2, True)
