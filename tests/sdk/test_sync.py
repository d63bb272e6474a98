"""A folder and a collection that is kept in step with it, through a client with the service in its process."""

import itertools
import os
import threading

import pytest
from excerpta import Client, DeletesEverything, NotFound
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.speeds import examples

pytestmark = pytest.mark.long

_numbers = itertools.count()


@pytest.fixture(scope="module")
def client(tmp_path_factory, tiny_profile):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EXCERPTA_DEVICE", "cpu")
        patch.setenv("EXCERPTA_MERGE_SHARE", "0")
        with Client.local(tmp_path_factory.mktemp("data"), profile=str(tiny_profile)) as client:
            yield client


@pytest.fixture
def collection(client):
    return client.collections.create(f"c{next(_numbers)}")


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "notes"
    made.mkdir()
    return made


def write(folder, **files):
    """Writes files by name; a dot in a name is written `__`, a slash `___`."""
    for name, content in files.items():
        path = folder / name.replace("___", "/").replace("__", ".")
        path.parent.mkdir(exist_ok=True)
        path.write_text(content)


def listed(collection):
    return {one.name: one.documents for one in collection.sources()}


def test_only_the_difference_is_sent(collection, folder):
    write(folder, a__md="# A\n\nTides.", sub___b__txt="Harbours.", t__csv="id,text\n1,One.\n2,Two.\n")
    first = collection.sync(folder)
    assert sorted(first.sent) == ["notes/a.md", "notes/sub/b.txt", "notes/t.csv"]
    assert listed(collection) == {"notes/a.md": 1, "notes/sub/b.txt": 1, "notes/t.csv": 2}
    version = collection.info().version
    nothing = collection.sync(folder)
    assert (nothing.sent, nothing.removed, nothing.unchanged) == ([], [], 3)
    assert collection.info().version == version
    write(folder, t__csv="id,text\n1,One.\n", c__txt="New.")
    (folder / "sub/b.txt").unlink()
    second = collection.sync(folder)
    assert (sorted(second.sent), second.removed) == (["notes/c.txt", "notes/t.csv"], ["notes/sub/b.txt"])
    assert listed(collection) == {"notes/a.md": 1, "notes/c.txt": 1, "notes/t.csv": 1}
    with pytest.raises(NotFound):
        collection.get("notes/t.csv#2")


def test_a_folder_removes_only_what_is_its_own(collection, tmp_path):
    for name in ("east", "west", "eastern"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "readme.md").write_text(f"# {name}")
        (tmp_path / name / "other.md").write_text("Other words.")
        collection.sync(tmp_path / name)
    assert len(listed(collection)) == 6
    (tmp_path / "east/readme.md").unlink()
    assert collection.sync(tmp_path / "east").removed == ["east/readme.md"]
    assert len(listed(collection)) == 5


def test_a_dry_run_changes_nothing(client, folder):
    write(folder, a__txt="Tides.")
    report = client.collections.sync("not-made", folder, dry_run=True)
    assert (report.sent, report.dry_run) == (["notes/a.txt"], True)
    assert "not-made" not in {one.name for one in client.collections.list()}
    assert client.collections.sync("made-by-sync", folder).sent == ["notes/a.txt"]
    write(folder, b__txt="More.")
    (folder / "a.txt").unlink()
    report = client.collections.sync("made-by-sync", folder, dry_run=True)
    assert (report.sent, report.removed) == (["notes/b.txt"], ["notes/a.txt"])
    assert listed(client.collections.get("made-by-sync")) == {"notes/a.txt": 1}


def test_an_empty_folder_deletes_nothing_by_accident(collection, folder):
    write(folder, a__txt="Tides.")
    collection.sync(folder)
    (folder / "a.txt").unlink()
    with pytest.raises(DeletesEverything, match="all 1 sources"):
        collection.sync(folder)
    assert collection.sync(folder, delete=False).removed == []
    folder.rmdir()
    with pytest.raises(FileNotFoundError):
        collection.sync(folder)
    assert listed(collection) == {"notes/a.txt": 1}
    assert collection.sync(folder, force=True).removed == ["notes/a.txt"]
    assert listed(collection) == {}
    assert collection.info().documents == 0


def test_a_file_that_is_there_and_cannot_be_sent_is_not_deleted(collection, folder, monkeypatch):
    write(folder, a__txt="Tides.", b__txt="Harbours.", sub___c__txt="Ships.")
    collection.sync(folder)
    denied = os.access
    monkeypatch.setattr("os.access", lambda path, mode: "b.txt" not in str(path) and denied(path, mode))
    scan = os.scandir

    def refuse(path):
        if str(path).endswith("sub"):
            raise PermissionError(13, "Permission denied")
        return scan(path)

    monkeypatch.setattr("os.scandir", refuse)
    report = collection.sync(folder)
    assert report.removed == []
    assert {one.name for one in report.skipped} == {"notes/b.txt", "notes/sub/"}
    assert len(listed(collection)) == 3


def test_a_file_that_cannot_be_read_is_named_each_time_and_sent_once(collection, folder):
    write(folder, a__txt="Tides.", broken__pdf="%PDF-1.7 not really")
    first = collection.sync(folder)
    again = collection.sync(folder)
    for report in (first, again):
        assert [one.name for one in report.failed] == ["notes/broken.pdf"]
        assert report.failed[0].reason
    assert again.sent == []


def test_sources_are_listed_and_deleted(client, collection, folder):
    write(folder, a__txt="Tides.", b__txt="Harbours.", c__txt="Ships.")
    collection.sync(folder, prefix="")
    assert list(listed(collection)) == ["a.txt", "b.txt", "c.txt"]
    page = client._http.call(dict, "GET", f"{collection._path}/sources", params={"limit": 2})
    assert ([one["name"] for one in page["sources"]], page["cursor"]) == (["a.txt", "b.txt"], "b.txt")
    rest = client._http.call(dict, "GET", f"{collection._path}/sources", params={"cursor": "b.txt"})
    assert ([one["name"] for one in rest["sources"]], rest["cursor"]) == (["c.txt"], None)
    assert [one.name for one in collection.sources(prefix="b")] == ["b.txt"]
    assert collection.sources(prefix="B") == []
    assert collection.delete_source("b.txt").deleted == 1
    assert collection.delete_source("b.txt").deleted == 0
    assert list(listed(collection)) == ["a.txt", "c.txt"]
    assert collection.search("Harbours.").hits[0].document_id != "b.txt"
    assert collection.sync(folder, prefix="").sent == ["b.txt"]


def test_each_upload_has_as_many_files_as_the_server_takes(collection, folder, monkeypatch):
    monkeypatch.setattr("excerpta._sync.sources._FILES_A_JOB", 2)
    write(folder, **{f"f{number}__txt": f"Words {number}." for number in range(5)})
    assert len(collection.sync(folder).sent) == 5
    assert len(listed(collection)) == 5


def test_a_watched_folder_is_followed(collection, folder):
    write(folder, a__txt="Tides.")
    reports = collection.watch(folder, interval_s=0.05)
    assert next(reports).sent == ["notes/a.txt"]
    write(folder, b__txt="Harbours.")
    assert next(reports).sent == ["notes/b.txt"]
    (folder / "a.txt").unlink()
    timer = threading.Timer(0.1, write, [folder], {"c__txt": "Ships."})
    timer.start()
    removed, sent = set(), set()
    while "notes/c.txt" not in sent or "notes/a.txt" not in removed:
        report = next(reports)
        removed |= set(report.removed)
        sent |= set(report.sent)
    for name in ("b.txt", "c.txt"):
        (folder / name).unlink()
    assert "would delete all" in next(reports).error
    write(folder, d__txt="Winds.")
    assert next(reports).sent == ["notes/d.txt"]
    reports.close()


names = st.sampled_from(["a.txt", "b.md", "t.csv", "sub/a.txt"])
contents = st.lists(st.sampled_from(["One.", "Two.", "Three."]), min_size=1, max_size=3, unique=True)
states = st.dictionaries(names, contents, min_size=1)


def rows(name, sentences):
    """A file's content, and the documents that it holds, by id without the prefix."""
    if not name.endswith(".csv"):
        text = " ".join(sentences)
        return text, {name: text}
    found = {f"{name}#{one[0]}": one for one in sentences}
    return "id,text\n" + "".join(f"{one[0]},{one}\n" for one in sentences), found


@settings(max_examples=examples(60), deadline=None)
@given(history=st.lists(states, min_size=1, max_size=4))
def test_a_collection_is_what_its_folder_is(client, tmp_path_factory, history):
    """Files come, change and go at random; after each step the collection has what a dictionary has."""
    folder = tmp_path_factory.mktemp("model")
    collection = client.collections.create(f"c{next(_numbers)}")
    before = {}
    for state in history:
        for name in before.keys() - state.keys():
            (folder / name).unlink()
        model = {}
        for name, sentences in state.items():
            content, documents = rows(name, sentences)
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text(content)
            model |= documents
        report = collection.sync(folder, prefix="")
        changed = {name for name, sentences in state.items() if before.get(name) != sentences}
        assert set(report.sent) == changed
        assert set(report.removed) == before.keys() - state.keys()
        assert {one.name for one in collection.sources()} == state.keys()
        assert collection.info().documents == len(model)
        assert {name: collection.get(name).text for name in model} == model
        before = state
    client.collections.delete(collection.name)
