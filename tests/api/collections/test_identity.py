"""Data and database belong together, nothing is removed because a database does not know it, and every
flipped byte is named."""

import asyncio
import re
import sqlite3
import time
import traceback
from dataclasses import replace

import pytest

from api.collections.trash import Trash
from api.db.identity import FILE
from api.errors import InvalidUpload
from api.http.ids import new_id

TEXTS = {"a": "Tides come twice a day.", "b": "The moon pulls the sea."}


async def fill(api):
    await api.made()
    await api.put(*({"id": name, "text": text} for name, text in TEXTS.items()))


def inside(directory):
    return {path.relative_to(directory) for path in directory.rglob("*") if "owners" not in path.parts}


async def refused(open_api, settings, sentence):
    with pytest.raises(Exception) as found:  # noqa: PT011 (that of the client)
        async with open_api(settings, ready=False):
            pass
    said = "".join(traceback.format_exception(found.value))
    assert "ForeignDatabase" in said
    assert re.search(sentence, said), said


async def test_a_wrong_database_is_refused_and_changes_nothing(settings, open_api, tmp_path):
    async with open_api(settings) as api:
        await fill(api)
        async with api.service.database.read():
            pass
    before = inside(settings.data_dir)
    other = replace(settings, database_url=f"sqlite+aiosqlite:///{tmp_path / 'other.db'}")
    await refused(open_api, other, "never used with it.*EXCERPTA_DATABASE_URL")
    async with open_api(replace(other, data_dir=tmp_path / "elsewhere")):
        pass
    (tmp_path / "elsewhere" / FILE).unlink()
    await refused(open_api, replace(settings, database_url=other.database_url), "EXCERPTA_DATABASE_URL")
    await refused(open_api, replace(other, data_dir=tmp_path / "elsewhere"), "another data directory")
    assert before <= inside(settings.data_dir)
    async with open_api(settings) as api:
        assert (await api("GET", "/v1/collections/c")).json()["documents"] == 2


async def test_a_directory_of_an_earlier_release_is_tied_only_to_a_database_that_knows_it(
    settings, open_api, tmp_path
):
    async with open_api(settings) as api:
        await fill(api)
    forget_identity(settings)
    other = replace(settings, database_url=f"sqlite+aiosqlite:///{tmp_path / 'other.db'}")
    await refused(open_api, other, "1 indexes and the database names 0 collections")
    async with open_api(settings) as api:
        assert (await api("GET", "/v1/collections/c")).json()["documents"] == 2
    assert (settings.data_dir / FILE).exists()


async def test_a_first_start_that_was_killed_is_finished(settings, open_api):
    async with open_api(settings) as api:
        await fill(api)
    path = settings.data_dir / FILE
    path.rename(path.with_name(f"{FILE}.new"))
    async with open_api(settings) as api:
        assert (await api("GET", "/v1/collections/c")).json()["documents"] == 2


def forget_identity(settings):
    (settings.data_dir / FILE).unlink()
    with sqlite3.connect(settings.data_dir / "excerpta.db") as database:
        database.execute("DELETE FROM service")
    database.close()


async def test_what_the_database_does_not_name_goes_to_the_trash(settings, open_api, monkeypatch):
    from api.jobs import worker

    stranger = settings.data_dir / "collections" / "col_stranger"
    upload = settings.data_dir / "spool" / new_id("job")
    async with open_api(settings) as api:
        await fill(api)
        for path in (stranger, upload):
            path.mkdir(parents=True)
            (path / "kept").write_text("still here")
    monkeypatch.setattr(worker, "_HOUSEKEEPING_S", 0.05)
    async with open_api(settings) as api:
        deadline = time.monotonic() + 10
        while (stranger.exists() or upload.exists()) and time.monotonic() < deadline:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
        found = sorted((settings.data_dir / "trash").iterdir())
        assert [(path / "kept").read_text() for path in found] == ["still here"] * 2
        assert {path.name.split("-")[1] for path in found} == {"collection", "upload"}
        assert (await api("GET", "/v1/collections/c")).json()["documents"] == 2


def test_trash_is_emptied_after_days(tmp_path):
    one = tmp_path / "one"
    one.mkdir()
    trash = Trash(tmp_path / "trash", 2)
    kept = trash.take(one, "upload")
    assert trash.take(one, "upload") is None
    trash.empty()
    assert kept.exists()
    old = kept.with_name(kept.name.replace(kept.name.split("-")[0], str(int(time.time() - 3 * 86_400))))
    kept.rename(old)
    trash.empty()
    assert not old.exists()


async def test_a_missing_index_is_damaged_and_rebuilt_never_made_anew(api, problem):
    await fill(api)
    service = api.service
    entry = await service.library.get("c")
    service.library._remove(entry.directory)
    body = problem(
        await api("POST", "/v1/search", json={"collection": "c", "query": "sea"}), 500, "corrupt-index"
    )
    assert "excerpta rebuild" in body["detail"]
    assert not service.library.path(entry).exists()
    (said,) = (await api("POST", "/v1/collections/c/verify")).json()["corrupt"]
    assert "manifest.json" in said
    job = (await api("POST", "/v1/collections/c/rebuild")).json()["id"]
    assert (await api.finished(job))["state"] == "succeeded"
    assert (await api("POST", "/v1/collections/c/verify")).json() == {"corrupt": []}
    assert (await api("GET", "/v1/collections/c")).json()["documents"] == 2


async def test_verify_names_every_damaged_file_of_an_index_that_does_not_open(api):
    await fill(api)
    service = api.service
    entry = await service.library.get("c")
    service.library._opened.clear()
    files = [
        path for path in service.library.path(entry).rglob("*") if path.stat().st_size and path.is_file()
    ]
    damaged = [path for path in files if path.suffix in (".bin", ".npy")][:3]
    for path in damaged:
        flip(path)
    said = "\n".join((await api("POST", "/v1/collections/c/verify")).json()["corrupt"])
    assert all(path.name in said for path in damaged), said


def flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


async def test_a_flipped_text_in_the_database_is_found(api, settings, problem):
    await fill(api)
    with sqlite3.connect(settings.data_dir / "excerpta.db") as database:
        database.execute("UPDATE documents SET text = 'Tides come thrice a day.' WHERE id = 'a'")
    database.close()
    body = problem(await api("GET", "/v1/collections/c/documents/a"), 500, "corrupt-document")
    assert "send it again" in body["detail"]
    (said,) = (await api("POST", "/v1/collections/c/verify")).json()["corrupt"]
    assert "'a'" in said
    job = (await api("POST", "/v1/collections/c/rebuild")).json()["id"]
    state = await api.finished(job)
    assert state["state"] == "failed"
    assert "'a'" in state["error"]
    await api.put({"id": "a", "text": TEXTS["a"]})
    assert (await api("POST", "/v1/collections/c/verify")).json() == {"corrupt": []}


async def test_rows_that_the_index_lacks_are_found(api, settings):
    await fill(api)
    with sqlite3.connect(settings.data_dir / "excerpta.db") as database:
        database.execute("DELETE FROM documents WHERE id = 'a'")
    database.close()
    (said,) = (await api("POST", "/v1/collections/c/verify")).json()["corrupt"]
    assert "not in the database" in said


@pytest.mark.parametrize("name", ["000000", "index.json"])
def test_flipped_bytes_of_an_upload_are_found(tmp_path, name):
    from api.jobs.uploads import Uploads

    spool = Uploads(tmp_path, 1000)
    with spool.writer() as upload:
        upload.add("a.txt", b"Tides come twice a day.")
        upload.keep("job_a")
    (file,) = spool.files("job_a")
    assert (file.name, file.path.read_bytes()) == ("a.txt", b"Tides come twice a day.")
    flip(tmp_path / "job_a" / name)
    with pytest.raises(InvalidUpload, match="damaged"):
        spool.files("job_a")


def test_uploads_of_earlier_releases_are_read(tmp_path):
    from api.jobs.uploads import Uploads

    (tmp_path / "job_a").mkdir()
    (tmp_path / "job_a" / "index.json").write_text('["a.txt"]')
    (tmp_path / "job_a" / "000000").write_text("x")
    assert [one.name for one in Uploads(tmp_path, 1000).files("job_a")] == ["a.txt"]


@pytest.mark.process
def test_a_refused_start_says_one_sentence(tmp_path, tiny_profile):
    import os
    import subprocess
    import sys

    def start(url):
        return subprocess.run(
            [sys.executable, "-m", "api.commands.serve", "--port", "0", "--data", str(tmp_path / "data")],
            env={**os.environ, "EXCERPTA_PROFILE": str(tiny_profile), "EXCERPTA_DATABASE_URL": url},
            capture_output=True,
            text=True,
            timeout=60,
        )

    (tmp_path / "data").mkdir()
    (tmp_path / "data" / FILE).write_text("svc_other")
    for url, wanted in [
        ("", "never used with it"),
        ("postgresql+asyncpg://postgres@127.0.0.1:1/none", "database or a file cannot be used"),
    ]:
        ended = start(url)
        assert ended.returncode == 2, ended.stderr
        assert ended.stderr.count("error: ") == 1
        assert wanted in ended.stderr.splitlines()[-1]
        assert "Traceback" not in ended.stderr
