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
    assert sorted(first.sent) == ["a.md", "sub/b.txt", "t.csv"]
    assert listed(collection) == {"a.md": 1, "sub/b.txt": 1, "t.csv": 2}
    version = collection.info().version
    nothing = collection.sync(folder)
    assert (nothing.sent, nothing.removed, nothing.unchanged) == ([], [], 3)
    assert collection.info().version == version
    write(folder, t__csv="id,text\n1,One.\n", c__txt="New.")
    (folder / "sub/b.txt").unlink()
    second = collection.sync(folder)
    assert (sorted(second.sent), second.removed) == (["c.txt", "t.csv"], ["sub/b.txt"])
    assert listed(collection) == {"a.md": 1, "c.txt": 1, "t.csv": 1}
    with pytest.raises(NotFound):
        collection.get("t.csv#2")


def test_a_folder_removes_only_what_is_its_own(collection, tmp_path):
    for name in ("east", "west", "eastern"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "readme.md").write_text(f"# {name}")
        (tmp_path / name / "other.md").write_text("Other words.")
        collection.sync(tmp_path / name)
    assert len(listed(collection)) == 6
    (tmp_path / "east/readme.md").unlink()
    assert collection.sync(tmp_path / "east").removed == ["readme.md"]
    assert listed(collection).keys() == {
        "other.md",
        *(f"{one}/{name}" for one in ("west", "eastern") for name in ("readme.md", "other.md")),
    }
    (tmp_path / "west/other.md").unlink()
    assert collection.sync(tmp_path / "west").removed == ["west/other.md"]


def test_indexing_and_synchronising_name_files_alike(collection, folder, tmp_path):
    write(folder, a__txt="Tides.", sub___b__txt="Harbours.")
    collection.ingest([folder]).wait()
    single = tmp_path / "single.txt"
    single.write_text("Ships.")
    collection.ingest([single]).wait()
    report = collection.sync(folder)
    assert (report.sent, report.removed, report.unchanged) == ([], [], 2)
    assert listed(collection).keys() == {"a.txt", "sub/b.txt", "single.txt"}
    (folder / "a.txt").unlink()
    assert collection.sync(folder).removed == ["a.txt"]
    assert listed(collection).keys() == {"sub/b.txt", "single.txt"}, "a file of no folder stays"


def test_sources_of_no_folder_become_the_folders_own(collection, folder):
    write(folder, a__txt="Tides.", b__txt="Harbours.")
    collection.ingest([folder / "a.txt", folder / "b.txt"]).wait()
    assert {one.folder for one in collection.sources()} == {None}
    report = collection.sync(folder)
    assert (report.sent, report.passages) == (["a.txt", "b.txt"], 0), "they are sent once, and not encoded"
    assert {one.folder for one in collection.sources()} == {"notes"}
    assert collection.sync(folder).unchanged == 2
    (folder / "a.txt").unlink()
    assert collection.sync(folder).removed == ["a.txt"]


def test_names_of_earlier_releases_stay_as_they_are(collection, folder):
    write(folder, a__txt="Tides.", b__txt="Harbours.")
    collection.sync(folder, prefix="notes")
    (folder / "a.txt").unlink()
    write(folder, c__txt="Ships.")
    report = collection.sync(folder)
    assert (report.prefix, report.sent, report.removed) == ("notes", ["notes/c.txt"], ["notes/a.txt"])
    assert listed(collection).keys() == {"notes/b.txt", "notes/c.txt"}


def test_a_file_in_the_place_of_another_folders_is_named(collection, tmp_path):
    for name in ("east", "west"):
        write_to = tmp_path / name
        write_to.mkdir()
        write(write_to, readme__md=f"# {name}")
    collection.ingest([tmp_path / "east"]).wait()
    (said,) = collection.ingest([tmp_path / "west"]).wait().guessed
    assert said.name == "readme.md"
    assert said.reason == "takes the place of the file of this name from the folder 'east'"


def test_a_dry_run_changes_nothing(client, folder):
    write(folder, a__txt="Tides.")
    report = client.collections.sync("not-made", folder, dry_run=True)
    assert (report.sent, report.dry_run) == (["a.txt"], True)
    assert "not-made" not in {one.name for one in client.collections.list()}
    assert client.collections.sync("made-by-sync", folder).sent == ["a.txt"]
    write(folder, b__txt="More.")
    (folder / "a.txt").unlink()
    report = client.collections.sync("made-by-sync", folder, dry_run=True)
    assert (report.sent, report.removed) == (["b.txt"], ["a.txt"])
    assert listed(client.collections.get("made-by-sync")) == {"a.txt": 1}


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
    assert listed(collection) == {"a.txt": 1}
    assert collection.sync(folder, force=True).removed == ["a.txt"]
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
    assert {one.name for one in report.skipped} == {"b.txt", "sub/"}
    assert len(listed(collection)) == 3


def test_a_file_that_cannot_be_read_is_named_each_time_and_sent_once(collection, folder):
    write(folder, a__txt="Tides.", broken__pdf="%PDF-1.7 not really")
    first = collection.sync(folder)
    again = collection.sync(folder)
    for report in (first, again):
        assert [one.name for one in report.failed] == ["broken.pdf"]
        assert report.failed[0].reason
    assert again.sent == []


def test_the_state_says_whether_all_was_read(collection, folder):
    write(folder, broken__pdf="%PDF-1.7 not really")
    nothing = collection.sync(folder)
    assert nothing.state == "failed"
    assert nothing.error.startswith("nothing in ")
    assert "broken.pdf cannot be read" in nothing.error
    write(folder, a__jsonl='{"text": "Tides."}\nno JSON\n', empty__py="")
    for _ in range(2):
        report = collection.sync(folder)
        assert (report.state, report.error) == ("partial", None)
        assert [one.name for one in report.failed] == ["broken.pdf"]
        assert [one.name for one in report.partial] == ["a.jsonl"]
        assert report.partial[0].reason.startswith("a.jsonl#2 ")
    (folder / "broken.pdf").unlink()
    write(folder, a__jsonl='{"text": "Tides."}\n')
    assert collection.sync(folder).state == "succeeded"
    (folder / "empty.py").unlink()
    assert collection.sync(folder).state == "succeeded", "removing and finding unchanged is success"


def test_a_broken_upload_does_not_keep_the_rest_from_being_sent(collection, folder, monkeypatch):
    monkeypatch.setattr("excerpta._sync.sources._FILES_A_JOB", 1)
    write(folder, a__pdf="%PDF-1.7 not really", b__txt="Tides.", gone__txt="Gone.")
    collection.sync(folder)
    (folder / "gone.txt").unlink()
    write(folder, a__pdf="%PDF-1.7 not really either", b__txt="Other tides.")
    report = collection.sync(folder)
    assert (report.state, report.sent, report.removed) == (
        "partial",
        ["a.pdf", "b.txt"],
        ["gone.txt"],
    )
    assert listed(collection) == {"a.pdf": 0, "b.txt": 1}


def test_an_empty_folder_is_nothing_to_index(collection, folder):
    report = collection.sync(folder)
    assert (report.state, report.error) == ("failed", f"{folder} has no files")


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
    assert next(reports).sent == ["a.txt"]
    write(folder, b__txt="Harbours.")
    assert next(reports).sent == ["b.txt"]
    (folder / "a.txt").unlink()
    timer = threading.Timer(0.1, write, [folder], {"c__txt": "Ships."})
    timer.start()
    removed, sent = set(), set()
    while "c.txt" not in sent or "a.txt" not in removed:
        report = next(reports)
        removed |= set(report.removed)
        sent |= set(report.sent)
    for name in ("b.txt", "c.txt"):
        (folder / name).unlink()
    assert "would delete all" in next(reports).error
    write(folder, d__txt="Winds.")
    assert next(reports).sent == ["d.txt"]
    reports.close()


names = st.sampled_from(["a.txt", "b.md", "t.csv", "sub/a.txt"])
contents = st.lists(st.sampled_from(["One.", "Two.", "Three."]), min_size=1, max_size=3, unique=True)
states = st.dictionaries(names, contents, min_size=1)


def rows(name, sentences):
    """A file's content, and the documents that it holds, by id without the prefix."""
    if not name.endswith(".csv"):
        text = " ".join(sentences)
        return text, {name: text}
    found = {f"{name}#{one[:2]}": one for one in sentences}
    return "id,text\n" + "".join(f"{one[:2]},{one}\n" for one in sentences), found


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
