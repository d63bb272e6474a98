"""A collection: what goes in is found, what is replaced or deleted is gone, versions are atomic."""

import threading

import pytest
from excerpta.types.fuse import Scores as ByScores

from retrieval import BatchKey, Collection, Deletion, Document
from retrieval.corpus import InvalidChunking
from retrieval.errors import CorruptSegment, DuplicateDocument, IndexMismatch, InvalidFilter
from retrieval.fusion import CATALOGUE as FUSIONS
from retrieval.top import NO_HITS, best_hits
from tests.support.fakes import OTTERS as OLD
from tests.support.fakes import HashEncoder, ids
from tests.support.searches import by_ngrams, by_tokens, by_words


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
        number = int(by_words(snapshot, "heron", limit=1, selection=selection).numbers[0])
        passage = snapshot.passage(number)
        assert text[passage.start : passage.end] == passage.text
        assert passage.ordinal > 0
        assert (passage.title, passage.heading) == ("Nature", "Rivers")
        query = HashEncoder().encode_queries(["heron nature"])[0]
        matches = snapshot.explain("tokens", query, None, number)
        assert [(text[m.start : m.end], m.query) for m in matches] == [("heron", (0, 5))]
        assert matches[0].similarity == pytest.approx(1.0, abs=0.02)


def test_replacing_and_deleting(make, reopen):
    collection = make()
    collection.add(OLD)
    commit = collection.add([Document("old-1", "A badger."), Document("new", "An otter.")])
    assert (commit.added, commit.replaced) == (1, 1)
    assert ids(collection) == {"old-0", "old-2", "old-3", "new"}
    assert ids(collection, "badger") == {"old-1"}
    assert collection.delete(["old-0", "nobody"]).deleted == 1
    assert collection.delete(["old-0"]).deleted == 0
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
        hits = by_words(before, "otter", limit=9, selection=before.allowed(None))
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
    assert collection.stats().fields == {"document_id": ["string"]}
    assert collection.add([]).segment is None
    nothing = Deletion(version=1, deleted=0)
    assert collection.delete([]) == collection.delete(["nobody"]) == nothing
    assert collection.verify() == []


def test_a_document_without_words_is_there_all_the_same(make, reopen):
    collection = make()
    commit = collection.add([Document("blank", " \n ", metadata={"at": 1})])
    assert (commit.added, commit.passages) == (1, 0)
    for one in (collection, reopen(collection)):
        assert one.contains(["blank", "nobody"]) == {"blank"}
        assert ids(one) == set()
        assert ids(one, filter={"at": 1}) == set()
        assert (one.stats().documents, one.stats().passages) == (1, 0)
    collection.add([*OLD, Document("blank too", "")])
    assert ids(collection, filter={"at": 1}) == {"old-1"}
    assert collection.add([Document("old-1", "")]).replaced == 1
    assert ids(collection) == {"old-0", "old-2", "old-3"}
    assert collection.delete(["blank", "blank too", "old-1"]).deleted == 3


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


def test_progress_rises_to_all_and_is_told_within_a_document(make):
    seen = []
    documents = [Document("long", "Word after word. " * 1500), Document("blank", "")]
    documents += [Document(str(at), "word " * 100) for at in range(30)]
    make().add(documents, progress=lambda *step: seen.append(step))
    characters = sum(len(one.text) for one in documents)
    assert [total for _, total in seen] == [characters] * len(seen)
    done = [one for one, _ in seen]
    assert done == sorted(done)
    assert done[-1] == characters
    assert sum(0 < one < len(documents[0].text) for one in done) > 2


def test_what_progress_raises_stops_the_work_and_leaves_nothing(make):
    collection = make()

    class Stop(Exception):
        pass

    def stop(done, total):
        raise Stop

    with pytest.raises(Stop):
        collection.add(OLD, progress=stop)
    assert collection.stats().version == 0
    assert list((collection.path / "segments").iterdir()) == []
    assert sorted(one.name for one in collection.path.iterdir()) == [
        "lock",
        "manifest.json",
        "segments",
        "tombstones",
    ]


def test_clearing(make):
    collection = make()
    collection.add(OLD)
    collection.add([Document("new", "An otter.")])
    collection.delete(["old-0"])
    assert collection.delete([*(one.id for one in OLD), "new"]).deleted == 4
    assert ids(collection) == set()
    assert collection.stats().segments == 0
    assert collection.add(OLD).added == 4


def test_only_what_live_documents_hold_can_be_asked_for(make):
    collection = make()
    collection.add([Document("a", "otter", metadata={"year": "2024", "gone": 1}), Document("b", "otter")])
    collection.add([Document("a", "otter", metadata={"year": 2024})])
    assert collection.stats().fields == {"document_id": ["string"], "year": ["number"]}
    assert ids(collection, filter={"year": {"$gte": 2024}}) == {"a"}
    for stale in ({"year": "2024"}, {"gone": 1}):
        with pytest.raises(InvalidFilter):
            ids(collection, filter=stale)
    assert ids(collection, filter={"gone": {"$exists": False}}) == {"a", "b"}


def test_completed_lists_score_every_passage_by_every_retriever(make):
    """As brute force over all passages does, in several segments, whichever list had found a passage."""
    collection = make()
    for at in range(4):
        collection.add(
            [Document(f"{at}-{n}", f"{'heron' if n % 2 else 'otter'} {at} river stone {n}") for n in range(6)]
        )
    query = HashEncoder().encode_queries(["heron stone 3"])[0]
    reads = {"tokens": query, "lexical": "heron stone 3"}
    with collection.snapshot() as snapshot:
        every = snapshot.allowed(None)
        words = by_words(snapshot, "heron stone 3", limit=1000, selection=every)
        tokens = by_tokens(snapshot, query.vectors, selection=every, limit=1000, exact_up_to=1 << 40)
        exact = {
            name: dict(zip(hits.numbers.tolist(), hits.scores.tolist(), strict=True))
            for name, hits in (("lexical", words), ("tokens", tokens))
        }
        lists = {"lexical": best_hits(words.numbers[:3], words.scores[:3], 3), "tokens": tokens}
        lists["tokens"] = best_hits(tokens.numbers[-4:], tokens.scores[-4:] - 1, 4)
        found = {number for hits in lists.values() for number in hits.numbers.tolist()}
        for name, hits in snapshot.completed(lists, reads=reads).items():
            scored = dict(zip(hits.numbers.tolist(), hits.scores.tolist(), strict=True))
            assert scored == pytest.approx({n: s for n, s in exact[name].items() if n in found}, abs=1e-6)
            assert hits.scores.tolist() == sorted(hits.scores.tolist(), reverse=True)
        by_scores = FUSIONS["scores"].make(None)
        halved = {"fusion": by_scores, "options": ByScores(weights={"lexical": 0.5})}
        kept, fused = snapshot.fused(lists, reads=reads, **halved)
        assert set(fused.numbers.tolist()) == set(kept["tokens"].numbers.tolist()) == found
        assert fused.scores.max() < 1.5
        asked = {"reads": reads, "fusion": by_scores, "options": ByScores()}
        alone, fused = snapshot.fused({"tokens": lists["tokens"]}, **asked)
        assert alone["tokens"].scores.tolist() == fused.scores.tolist() == lists["tokens"].scores.tolist()
        assert snapshot.completed({}, reads={}) == {}
    with make("empty").snapshot() as empty:
        assert empty.completed({"lexical": NO_HITS, "tokens": NO_HITS}, reads=reads)
        assert len(empty.fused({"tokens": NO_HITS}, **asked)[1]) == 0


def test_filters_on_an_empty_collection_find_nothing_and_must_still_be_filters(make):
    with make().snapshot() as snapshot:
        assert snapshot.allowed({"anything": 1}).count == 0
        with pytest.raises(InvalidFilter):
            snapshot.allowed({"$xor": 1})


def test_a_selection_counts_the_passages_it_lets_through(make):
    collection = make()
    collection.add([Document("long", "Word after word. " * 40), *OLD])
    collection.delete(["old-0"])
    with collection.snapshot() as snapshot:
        of_long = snapshot.allowed({"document_id": "long"}).count
        assert of_long > 2
        assert snapshot.allowed(None).count == of_long + 3 == snapshot.passages - 1
        assert snapshot.allowed({}).count == snapshot.allowed(None).count
        assert snapshot.allowed({"at": {"$in": [0, 1]}}).count == 1


def test_question_ngrams_are_found_and_placed_in_the_document(make):
    class Decoder:
        def decode(self, ids):
            return "-".join(map(str, ids))

    collection = make()
    text = (
        "# Rivers\n\nThe otter lives here. " + "Water runs on and on. " * 20 + "The grey heron lives there."
    )
    collection.add([Document("doc", text, title="Heron"), Document("other", "Nothing of it.")])
    collection.add(OLD)
    with collection.snapshot() as snapshot:
        asked = {"limit": 9, "beams": 0, "length": 5, "query_keys": True}
        every = snapshot.allowed(None)
        read, found = by_ngrams(snapshot, Decoder(), "grey heron", **asked, selection=every)
        best = int(found.hits.numbers[0])
        assert snapshot.passage(best).document_id == "doc"
        matches = snapshot.explain("ngrams", read, found.evidence, best)
        assert [text[match.start : match.end] for match in matches] == ["grey"]
        only = snapshot.allowed({"document_id": "old-1"})
        assert len(by_ngrams(snapshot, Decoder(), "grey heron", **asked, selection=only)[1].hits) == 0


def test_without_ngrams_there_are_none(make):
    collection = make(ngrams=False)
    collection.add(OLD)
    assert not list(collection.path.glob("segments/*/ngrams"))
    with collection.snapshot() as snapshot:
        selection = snapshot.allowed(None)
        asked = {"limit": 9, "beams": 0, "length": 5, "query_keys": True}
        read, found = by_ngrams(snapshot, None, "otter", **asked, selection=selection)
        assert len(found.hits) == 0
        assert snapshot.explain("ngrams", read, found.evidence, 0) == []


def test_without_its_vocabulary_a_collection_is_read_only(make):
    collection = make()
    collection.add(OLD)
    reader = Collection.open(collection.path, encoder=HashEncoder(), vocabulary=None)
    assert ids(reader) == ids(collection)
    with pytest.raises(IndexMismatch, match="vocabulary"):
        reader.add([Document("new", "An otter.")])
    assert collection.stats().version == 1


def test_settings_no_chunker_takes_are_refused_before_anything_is_made(make, tmp_path):
    with pytest.raises(InvalidChunking):
        make("c", passage_tokens=16, overlap_tokens=16)
    assert list(tmp_path.iterdir()) == []


def test_making_a_collection_again_keeps_what_is_there(make):
    make().add(OLD)
    again = make(passage_tokens=20)
    assert ids(again) == {one.id for one in OLD}
    assert again.settings.passage_tokens == 16


def test_what_is_not_there_is_not_opened(tmp_path):
    with pytest.raises(CorruptSegment, match=r"manifest\.json: the file is missing"):
        Collection.open(tmp_path / "nothing", encoder=HashEncoder(), vocabulary=None)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "text", ["naïve 🦦 otter\r\nin two\r\nlines", "otter " * 3000, "水獭 otter\u200b\ufeff", "otter\x00"]
)
def test_texts_come_back_as_they_were(make, reopen, text):
    collection = make()
    collection.add([Document("ü/ö 🦦", text, title="Tïtle\n", metadata={"ключ": ["é", None, True, 1.5]})])
    collection = reopen(collection)
    with collection.snapshot() as snapshot:
        hits = by_words(snapshot, "otter", limit=1, selection=snapshot.allowed({"ключ": "é"}))
        passage = snapshot.passage(int(hits.numbers[0]))
        assert passage.document_id == "ü/ö 🦦"
        assert passage.text == text[passage.start : passage.end]
        assert snapshot.metadata(int(hits.numbers[0])) == {"ключ": ["é", None, True, 1.5]}


def test_writers_and_readers_at_once(make, reopen):
    collection = make()
    writers = {"a": collection, "b": collection, "c": reopen(collection)}
    errors = []

    def guarded(work):
        def run():
            try:
                work()
            except Exception as error:
                errors.append(error)

        return threading.Thread(target=run)

    def write(part):
        for at in range(4):
            writers[part].add(
                [Document(f"{part}-{at}", "An otter."), Document("shared", f"A heron of {part}.")]
            )
            writers[part].delete([f"{part}-{at - 1}"])

    def read():
        for _ in range(20):
            assert len(ids(collection, "heron")) <= 1

    threads = [guarded(lambda part=part: write(part)) for part in writers] + [guarded(read) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert ids(collection) == {"a-3", "b-3", "c-3"}
    assert ids(collection, "heron") == {"shared"}
    assert collection.stats().documents == 4
    assert collection.stats().version == 3 * (4 + 3)
    assert collection.verify() == []
