"""Documents as people have them, indexed by the command line and asked with the real models."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from excerpta import Client

from tests.support.cases import office, packed, printed, tables, texts

pytestmark = pytest.mark.model

FILES = tables.FILES | texts.FILES | office.FILES | packed.FILES | printed.FILES
CASES = tables.CASES + texts.CASES + office.CASES + packed.CASES + printed.CASES


@pytest.fixture(scope="module")
def indexed(tmp_path_factory, models_dir, small_models):
    """A data directory with all files in one collection, and what the command said of the job."""
    folder, data = tmp_path_factory.mktemp("cases"), tmp_path_factory.mktemp("data")
    for name, content in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    (data / "models").symlink_to(models_dir / "models")
    command = [sys.executable, "-m", "excerpta.cli", "index", folder, "-c", "cases", "--data", data, "--json"]
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, env=dict(os.environ))
    assert done.returncode == 0, done.stderr
    return data, json.loads(done.stdout)


@pytest.fixture(scope="module")
def collection(indexed):
    with Client.local(indexed[0]) as client:
        yield client.collections.get("cases")


def of_file(document_id, name):
    return document_id == name or document_id.startswith((f"{name}#", f"{name}/"))


def test_every_file_is_read_and_what_is_missing_is_named(indexed):
    job = indexed[1]
    lines = {one["name"]: one for one in job["sources"]}
    assert {name for name, line in lines.items() if line["state"] == "failed"} == set()
    in_part = {name for name, line in lines.items() if line["state"] == "partial"}
    assert in_part == {"pdf/partly.pdf"}
    assert "pages 2, 3" in str(lines["pdf/partly.pdf"]["remarks"])
    assert job["state"] == "partial"


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_first_hit_holds_what_was_asked_for(collection, case):
    reply = collection.search(case.asked, rerank=None)
    first = reply.hits[0]
    assert of_file(first.document_id, case.first), [hit.document_id for hit in reply.hits]
    for text in case.holds:
        assert text in first.text
    for hit in reply.hits:
        if of_file(hit.document_id, case.first):
            for text in case.lacks:
                assert text not in hit.text


def test_every_passage_of_a_long_table_names_its_columns(collection):
    for name, heading in (("long/plans.md", "Requests per minute"), ("long/quotas.html", "Uploads per hour")):
        reply = collection.search(heading, rerank=None, limit=50)
        passages = [hit for hit in reply.hits if hit.document_id == name]
        assert len(passages) > 2
        for hit in passages:
            assert heading in hit.text or any(heading in one for one in hit.headings), hit


@pytest.mark.parametrize("name", texts.ONE_PASSAGE)
def test_a_short_file_without_headings_is_one_passage(collection, name):
    reply = collection.search("wire lift port worker", rerank=None, limit=100, filter={"source": name})
    assert [hit.document_id for hit in reply.hits] == [name]


def test_front_matter_is_metadata(collection):
    for name, title in texts.TITLES.items():
        assert collection.get(name).title == title
    for name, fields in texts.FIELDS.items():
        assert fields.items() <= collection.get(name).metadata.items()


@pytest.mark.parametrize("name", printed.PAGES)
def test_a_hit_of_a_pdf_has_its_page(collection, name):
    asked, page = printed.PAGES[name]
    (place,) = collection.search(asked, rerank=None).hits[0].places
    assert (place.kind, place.first, place.last) == ("page", page, page)


def test_a_hit_of_a_table_has_its_row(collection):
    (place,) = collection.search("Who has badge B-2042?", rerank=None).hits[0].places
    assert (place.kind, place.first, place.last) == ("row", 2, 2)
