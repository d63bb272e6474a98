"""Any mix of changes and reopenings behaves as a dictionary does."""

import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from retrieval import BatchKey, Collection, Deletion, Document, IndexSettings, MergePolicy
from retrieval.collections.compacting import compact
from tests.support.fakes import MODELS, ids
from tests.support.speeds import examples

KEYS = "abcdef"
WORDS = ["otter", "heron", "newt", ""]
documents = st.dictionaries(st.sampled_from(KEYS), st.sampled_from(WORDS), max_size=3)


class CollectionMachine(RuleBasedStateMachine):
    """The model: id to (word, year). Two handles on one directory stand for two processes."""

    @initialize()
    def begin(self):
        self.home = tempfile.TemporaryDirectory()
        path = Path(self.home.name) / "c"
        self.handles = [Collection.create(path, **MODELS, settings=IndexSettings(16, 2)) for _ in range(2)]
        self.model = {}
        self.version = 0
        self.batches = {}

    @rule(documents=documents, year=st.integers(1, 3), handle=st.integers(0, 1))
    def add(self, documents, year, handle):
        commit = self.handles[handle].add(self.made(documents, year))
        self.committed(commit, documents, year)

    @rule(documents=documents, year=st.integers(1, 3), handle=st.integers(0, 1), number=st.integers(0, 2))
    def add_batch(self, documents, year, handle, number):
        key = BatchKey("job", number)
        commit = self.handles[handle].add(self.made(documents, year), batch=key)
        if number in self.batches:
            assert commit == self.batches[number]
        else:
            self.batches[number] = commit
            self.committed(commit, documents, year)
        assert self.handles[1 - handle].committed(key) == commit

    def made(self, documents, year):
        return [
            Document(key, f"A {word}." if word else "", metadata={"year": year, "word": [word, None]})
            for key, word in documents.items()
        ]

    def committed(self, commit, documents, year):
        self.version += 1
        replaced = len(self.model.keys() & documents.keys())
        assert (commit.replaced, commit.added) == (replaced, len(documents) - replaced)
        assert commit.version == self.version
        self.model |= {key: (word, year) for key, word in documents.items()}

    @rule(keys=st.sets(st.sampled_from(KEYS), max_size=3), handle=st.integers(0, 1))
    def delete(self, keys, handle):
        gone = keys & self.model.keys()
        self.version += bool(gone)
        assert self.handles[handle].delete(keys) == Deletion(self.version, len(gone))
        for key in gone:
            del self.model[key]

    @rule(handle=st.integers(0, 1))
    def delete_all(self, handle):
        self.version += bool(self.model)
        assert self.handles[handle].delete(set(self.model)) == Deletion(self.version, len(self.model))
        self.model = {}

    @rule(handle=st.integers(0, 1), dead_share=st.sampled_from([0.1, 1.0]))
    def merge(self, handle, dead_share):
        self.version += self.handles[handle].merge(MergePolicy(fan_in=2, dead_share=dead_share))

    @rule(handle=st.integers(0, 1))
    def compact(self, handle):
        self.version += compact(self.handles[handle].path).merges
        assert self.handles[handle].stats().segments <= 1
        assert not compact(self.handles[handle].path).merges

    @rule(handle=st.integers(0, 1))
    def reopen(self, handle):
        self.handles[handle] = Collection.open(self.handles[handle].path, **MODELS)

    @invariant()
    def equal(self):
        for collection in self.handles:
            for word in ("otter", "heron"):
                assert ids(collection, word) == self.where(lambda held, _, word=word: held == word)
            stats = collection.stats()
            assert (stats.documents, stats.version) == (len(self.model), self.version)
            assert stats.passages == len(self.where(lambda word, _: word))
            assert collection.contains(KEYS) == self.model.keys()
            if self.model:
                assert ids(collection, "otter", {"year": {"$gt": 1}}) == self.where(
                    lambda word, year: word == "otter" and year > 1
                )
                listed = {"$or": [{"word": {"$in": sorted({word for word, _ in self.model.values()})}}]}
                assert ids(collection, "newt", listed) == self.where(lambda word, _: word == "newt")

    def where(self, test):
        return {key for key, (word, year) in self.model.items() if test(word, year)}

    def teardown(self):
        if hasattr(self, "home"):
            self.home.cleanup()


TestMachine = CollectionMachine.TestCase
TestMachine.settings = settings(max_examples=examples(40), stateful_step_count=10)
