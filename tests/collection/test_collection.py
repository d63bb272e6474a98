"""A collection: what goes in is found, what is replaced or deleted is gone, versions are atomic."""

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from fakes import HashEncoder, WordVocabulary
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from retrieval import BatchKey, Collection, Document, IndexSettings
from retrieval.errors import CorruptSegment, DuplicateDocument, IndexMismatch

OLD = [Document(f"old-{at}", f"An otter number {at} eats fish.", metadata={"at": at}) for at in range(4)]
FAULTS = [
    "segment.passages",
    "segment.indexed",
    "segment.synced",
    "segment.renamed",
    "tombstones.written",
    "tombstones.synced",
    "tombstones.renamed",
    "manifest.before",
    "manifest.written",
    "manifest.synced",
    "manifest.renamed",
]


def ids(collection, query="otter", filter=None):  # noqa: A002
    with collection.snapshot() as snapshot:
        selection = snapshot.allowed(filter)
        vectors = HashEncoder().encode_queries([query])[0].vectors
        lexical = snapshot.lexical(query, limit=100, selection=selection)
        tokens = snapshot.tokens(vectors, limit=1000, k_tokens=10_000, refine=0, selection=selection)
        found = {snapshot.passage(int(number)).document_id for number in lexical.numbers}
        assert found <= {snapshot.passage(int(number)).document_id for number in tokens.numbers}
        return found


def test_documents_are_found_by_every_retriever(make):
    collection = make()
    commit = collection.add(OLD)
    assert (commit.added, commit.replaced, commit.version) == (4, 0, 1)
    assert ids(collection) == {"old-0", "old-1", "old-2", "old-3"}
    stats = collection.stats()
    assert (stats.documents, stats.segments, stats.version) == (4, 1, 1)
    assert stats.fields == {"at": ["number"], "document_id": ["string"]}
    assert stats.bytes > 0


def test_passages_carry_their_place_in_the_document(make):
    collection = make()
    text = "# Rivers\n\nThe otter lives here. " + "Water runs on and on. " * 20 + "The heron lives there."
    collection.add([Document("doc", text, title="Nature")])
    with collection.snapshot() as snapshot:
        selection = snapshot.allowed(None)
        number = int(snapshot.lexical("heron", limit=1, selection=selection).numbers[0])
        passage = snapshot.passage(number)
        assert text[passage.start : passage.end] == passage.text
        assert passage.ordinal > 0
        assert (passage.title, passage.heading) == ("Nature", "Rivers")
        query = HashEncoder().encode_queries(["heron nature"])[0]
        matches = snapshot.explain_tokens(number, query)
        assert [(text[m.start : m.end], m.query) for m in matches] == [("heron", (0, 5))]
        assert matches[0].similarity == pytest.approx(1.0, abs=0.02)


def test_replacing_and_deleting(make, reopen):
    collection = make()
    collection.add(OLD)
    commit = collection.add([Document("old-1", "A badger."), Document("new", "An otter.")])
    assert (commit.added, commit.replaced) == (1, 1)
    assert ids(collection) == {"old-0", "old-2", "old-3", "new"}
    assert ids(collection, "badger") == {"old-1"}
    assert collection.delete(["old-0", "nobody"]) == 1
    assert collection.delete(["old-0"]) == 0
    for one in (collection, reopen(collection)):
        assert ids(one) == {"old-2", "old-3", "new"}
        assert one.stats().documents == 4
    collection.delete(["new", "old-1", "old-2", "old-3"])
    assert collection.stats().segments == 0
    assert list((collection.path / "segments").iterdir()) == []
    assert list((collection.path / "tombstones").iterdir()) == []


def test_a_snapshot_keeps_its_version(make):
    collection = make()
    collection.add(OLD)
    with collection.snapshot() as before:
        collection.delete(["old-0"])
        collection.add([Document("new", "An otter.")])
        hits = before.lexical("otter", limit=9, selection=before.allowed(None))
        assert {before.passage(int(n)).document_id for n in hits.numbers} == {f"old-{at}" for at in range(4)}
        assert before.version == 1
    assert ids(collection) == {"old-1", "old-2", "old-3", "new"}


def test_another_process_commits_and_this_one_sees_it(make, reopen):
    collection = make()
    other = reopen(collection)
    collection.add(OLD)
    assert ids(other) == {f"old-{at}" for at in range(4)}
    other.delete(["old-0"])
    assert ids(collection) == {"old-1", "old-2", "old-3"}


def test_a_batch_is_committed_once(make, reopen):
    collection = make()
    first = collection.add(OLD, batch=BatchKey("job", 0))
    assert collection.add([Document("never", "never")], batch=BatchKey("job", 0)) == first
    assert reopen(collection).committed(BatchKey("job", 0)) == first
    assert collection.committed(BatchKey("job", 1)) is None
    assert collection.stats().documents == 4


def test_filters_apply_inside_every_retriever(make):
    collection = make()
    collection.add(OLD)
    collection.add([Document("x", "An otter.", metadata={"at": 9, "tag": ["a", "b"]})])
    assert ids(collection, filter={"at": {"$gte": 3}}) == {"old-3", "x"}
    assert ids(collection, filter={"tag": "b"}) == {"x"}
    assert ids(collection, filter={"$or": [{"tag": "a"}, {"document_id": "old-0"}]}) == {"x", "old-0"}


def test_empty_things(make):
    collection = make()
    assert ids(collection) == set()
    assert collection.stats().passages == 0
    commit = collection.add([Document("blank", " \n ")])
    assert (commit.segment, commit.passages) == (None, 0)
    assert collection.add([]).passages == 0
    assert collection.verify() == []


def test_a_document_twice_in_one_call_is_refused(make):
    collection = make()
    with pytest.raises(DuplicateDocument) as raised:
        collection.add([Document("a", "x"), Document("a", "y")])
    assert raised.value.document_id == "a"
    assert collection.stats().version == 0


def test_another_encoder_is_refused(make):
    collection = make()

    class Other(HashEncoder):
        fingerprint = "other"

    with pytest.raises(IndexMismatch):
        Collection.open(collection.path, encoder=Other(), vocabulary=None)


def test_progress_is_told(make):
    seen = []
    make().add(
        [Document(str(at), "word " * 200) for at in range(30)], progress=lambda *step: seen.append(step)
    )
    assert seen[-1] == (30, 30)
    assert len(seen) > 2


def test_writers_and_readers_at_once(make):
    collection = make()
    errors = []

    def write(part):
        for at in range(5):
            collection.add([Document(f"{part}-{at}", "An otter.")])

    def read():
        try:
            for _ in range(30):
                ids(collection)
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=write, args=(part,)) for part in "ab"]
    threads += [threading.Thread(target=read) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert len(ids(collection)) == 10
    assert collection.stats().version == 10


@pytest.mark.parametrize("operation", ["add", "delete"])
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.slow
def test_killed_anywhere_the_old_or_the_new_version_opens(make, reopen, fault, operation):
    collection = make()
    collection.add(OLD)
    run = [sys.executable, str(Path(__file__).with_name("crash_run.py")), str(collection.path), operation]
    environment = os.environ | {"EXCERPTA_FAULT": fault, "PYTHONPATH": str(Path(__file__).parents[2])}
    killed = subprocess.run(run, env=environment, capture_output=True)
    happened = killed.returncode == -signal.SIGKILL
    assert happened or (operation == "delete" and fault.startswith("segment")), killed.stderr.decode()
    old, new = {f"old-{at}" for at in range(4)}, {"old-0", "old-2", "old-3"}
    after = {"old-2", "old-3"} if operation == "delete" else new
    opened = reopen(collection)
    assert opened.verify() == []
    seen = ids(opened)
    assert seen in (old, after)
    assert (ids(opened, "newt") == {"new"}) == (operation == "add" and seen == after)
    assert not list((opened.path / "segments").glob("*.tmp"))
    again = subprocess.run(run, env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])})
    assert again.returncode == 0
    assert ids(collection) == after
    assert collection.stats().documents == (5 if operation == "add" else 2)
    files = {one.name for one in (collection.path / "segments").iterdir()}
    assert files == {
        one["name"] for one in json.loads((collection.path / "manifest.json").read_text())["segments"]
    }


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_a_flipped_byte_is_found_before_it_is_used(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("flip") / "c"
    models = {"encoder": HashEncoder(), "vocabulary": WordVocabulary()}
    collection = Collection.create(path, **models, settings=IndexSettings(16, 2))
    collection.add(OLD)
    collection.delete(["old-0"])
    files = sorted(one for one in path.rglob("*") if one.is_file() and one.stat().st_size)
    target = data.draw(st.sampled_from(files), label="file")
    content = bytearray(target.read_bytes())
    content[data.draw(st.integers(0, len(content) - 1), label="byte")] ^= 1 << data.draw(st.integers(0, 7))
    target.write_bytes(content)
    assert len(collection.verify()) >= 1
    with pytest.raises((CorruptSegment, IndexMismatch)):
        Collection.open(path, **models)


def test_a_missing_file_is_named(make, reopen):
    collection = make()
    collection.add(OLD)
    target = next((collection.path / "segments").glob("*/lexical/terms.npy"))
    target.unlink()
    with pytest.raises(CorruptSegment, match=r"terms\.npy"):
        reopen(collection)


class CollectionMachine(RuleBasedStateMachine):
    """Any mix of adds, replacements, deletes and reopenings behaves as a dictionary does."""

    words = st.sampled_from(["otter", "heron", "newt"])

    @initialize()
    def begin(self):
        import tempfile

        self.home = tempfile.TemporaryDirectory()
        self.models = {"encoder": HashEncoder(), "vocabulary": WordVocabulary()}
        self.collection = Collection.create(
            Path(self.home.name) / "c", **self.models, settings=IndexSettings(16, 2)
        )
        self.model = {}

    @rule(
        documents=st.dictionaries(st.sampled_from("abcdef"), words, min_size=1, max_size=3),
        year=st.integers(1, 3),
    )
    def add(self, documents, year):
        new = [Document(key, f"A {word}.", metadata={"year": year}) for key, word in documents.items()]
        commit = self.collection.add(new)
        assert commit.replaced == len(self.model.keys() & documents.keys())
        self.model |= {key: (word, year) for key, word in documents.items()}

    @rule(keys=st.sets(st.sampled_from("abcdef"), max_size=3))
    def delete(self, keys):
        assert self.collection.delete(keys) == len(keys & self.model.keys())
        for key in keys:
            self.model.pop(key, None)

    @rule()
    def reopen(self):
        self.collection = Collection.open(self.collection.path, **self.models)

    @invariant()
    def equal(self):
        for word in ("otter", "heron", "newt"):
            assert ids(self.collection, word) == {
                key for key, (held, _) in self.model.items() if held == word
            }
        if self.model:
            wanted = {key for key, (word, year) in self.model.items() if word == "otter" and year > 1}
            assert ids(self.collection, "otter", {"year": {"$gt": 1}}) == wanted
        assert self.collection.stats().documents == len(self.model)

    def teardown(self):
        if hasattr(self, "home"):
            self.home.cleanup()


TestMachine = CollectionMachine.TestCase
TestMachine.settings = settings(max_examples=15, stateful_step_count=8, deadline=None)
