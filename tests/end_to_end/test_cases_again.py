"""A table, an archive or a folder that is indexed again: what was taken out of it is gone."""

from __future__ import annotations

import json

import pytest
from excerpta import Client

from tests.support.file_makers import archive

pytestmark = pytest.mark.model

STAYS, GOES = "The locker fee is 21 crowns.", "The mooring fee is 11 crowns."


@pytest.fixture(scope="module")
def client(tmp_path_factory, models_dir, small_models):
    data = tmp_path_factory.mktemp("data")
    (data / "models").symlink_to(models_dir / "models")
    with Client.local(data) as client:
        yield client


@pytest.fixture
def collection(client):
    yield client.collections.create("again")
    client.collections.delete("again")


def csv_table(*texts):
    return "question,text\n" + "".join(f"q,{text}\n" for text in texts)


def json_lines(*texts):
    return "".join(json.dumps({"text": text}) + "\n" for text in texts)


def html_table(*texts):
    return (
        "<table><tr><th>Fees</th></tr>" + "".join(f"<tr><td>{text}</td></tr>" for text in texts) + "</table>"
    )


def packed(*texts):
    return archive({f"{text[4:10].strip()}.txt": text.encode() for text in texts})


KINDS = {"fees.csv": csv_table, "fees.jsonl": json_lines, "fees.html": html_table, "fees.zip": packed}


def said(collection):
    return " ".join(hit.text for hit in collection.search("How much is the mooring fee?", limit=50).hits)


@pytest.mark.parametrize("name", KINDS)
def test_what_was_taken_out_is_not_found(collection, tmp_path, name):
    path = tmp_path / name
    for texts in ((GOES, STAYS), (STAYS,)):
        made = KINDS[name](*texts)
        path.write_bytes(made if isinstance(made, bytes) else made.encode())
        assert collection.ingest([path]).wait().state == "succeeded"
        assert STAYS in said(collection)
        assert (GOES in said(collection)) == (GOES in texts)


def test_a_file_taken_out_of_a_folder_is_not_found(collection, tmp_path):
    for name, text in (("a.txt", GOES), ("b.txt", STAYS)):
        (tmp_path / name).write_text(text)
    collection.sync(tmp_path)
    assert GOES in said(collection)
    (tmp_path / "a.txt").unlink()
    assert collection.sync(tmp_path).removed
    assert GOES not in said(collection)
    assert STAYS in said(collection)


@pytest.mark.parametrize("name", KINDS)
def test_an_unchanged_file_is_not_read_again(collection, tmp_path, name):
    path = tmp_path / name
    made = KINDS[name](GOES, STAYS)
    path.write_bytes(made if isinstance(made, bytes) else made.encode())
    collection.ingest([path]).wait()
    version = collection.search("fee").index_version["again"]
    again = collection.ingest([path]).wait()
    assert [one.state for one in again.sources] == ["unchanged"]
    assert collection.search("fee").index_version["again"] == version
