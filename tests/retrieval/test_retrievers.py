"""What every retriever of the catalogue promises."""

from types import SimpleNamespace

import msgspec
import numpy as np
import pytest

from base.methods import InvalidOption, UnknownMethod
from retrieval import Collection, Document, IndexSettings
from retrieval.catalogue import INDEXES, METHODS, RETRIEVERS
from tests.support.fakes import MODELS, HashEncoder

EACH = pytest.mark.parametrize("name", list(RETRIEVERS))
QUESTION = "otter stone heron"
NETWORKS = SimpleNamespace(
    encoder=HashEncoder(), lm=SimpleNamespace(decode=lambda ids: "-".join(map(str, ids)))
)


def options(name, **given):
    """The defaults, with no language model to be asked."""
    quiet = {"beams": 0} if "beams" in METHODS[name].fields else {}
    return msgspec.structs.replace(METHODS[name].options(), **quiet, **given)


def made(path):
    return Collection.create(path, **MODELS, settings=IndexSettings(passage_tokens=16, overlap_tokens=2))


@pytest.fixture(scope="module")
def collection(tmp_path_factory):
    collection = made(tmp_path_factory.mktemp("retrievers") / "c")
    filler = " ".join(f"word{at}" for at in range(12))
    for first in (0, 6):
        collection.add(
            [
                Document(f"d{at}", f"An otter{at % 3} stone. {filler} otter heron", metadata={"at": at})
                for at in range(first, first + 6)
            ]
        )
    # Among few tokens every n-gram is frequent, and weighs nothing.
    collection.add([Document("long", " ".join(f"other{at}" for at in range(2000)))])
    collection.delete(["d1", "d7"])
    return collection


def search(snapshot, name, filter=None, **given):  # noqa: A002
    read = RETRIEVERS[name].read(QUESTION, NETWORKS)
    selection = snapshot.allowed(filter)
    return read, snapshot.search(name, read, options(name, **given), selection=selection)


@EACH
def test_hits_are_live_pass_the_filter_and_are_ordered(collection, name):
    with collection.snapshot() as snapshot:
        _, found = search(snapshot, name)
        assert len(found.hits)
        identities = {snapshot.passage(int(one)).document_id for one in found.hits.numbers}
        assert not identities & {"d1", "d7"}
        pairs = list(zip((-found.hits.scores).tolist(), found.hits.numbers.tolist(), strict=True))
        assert pairs == sorted(pairs)
        _, few = search(snapshot, name, {"at": {"$lt": 3}})
        assert {snapshot.passage(int(one)).document_id for one in few.hits.numbers} <= {"d0", "d2"}
        _, again = search(snapshot, name)
        assert again.hits.numbers.tolist() == found.hits.numbers.tolist()
        assert again.hits.scores.tolist() == found.hits.scores.tolist()


@EACH
def test_the_limit_keeps_the_best(collection, name):
    with collection.snapshot() as snapshot:
        found = search(snapshot, name)[1].hits.numbers.tolist()
        assert search(snapshot, name, limit=2)[1].hits.numbers.tolist() == found[:2]


@EACH
def test_an_empty_collection_has_no_hits(tmp_path, name):
    with made(tmp_path / "empty").snapshot() as snapshot:
        read, found = search(snapshot, name)
        assert len(found.hits) == 0
        assert snapshot.completed({name: found.hits}, reads={name: read})[name] is not None


@EACH
def test_scores_are_those_of_the_search_and_under_the_ceiling(collection, name):
    with collection.snapshot() as snapshot:
        read, found = search(snapshot, name)
        scores = RETRIEVERS[name].scores(read, snapshot.searched, found.hits.numbers)
        if scores is not None:
            np.testing.assert_allclose(scores, found.hits.scores, atol=1e-6)
        ceiling = RETRIEVERS[name].ceiling(read, snapshot.searched)
        assert ceiling is None or found.hits.scores.max() <= ceiling + 1e-6


@EACH
def test_matches_lie_in_the_passage(collection, name):
    with collection.snapshot() as snapshot:
        read, found = search(snapshot, name)
        for number in found.hits.numbers.tolist():
            passage = snapshot.passage(number)
            for match in snapshot.explain(name, read, found.evidence, number):
                assert passage.start <= match.start <= match.end <= passage.end
                assert match.row(QUESTION, passage)[-2:] == (match.start, match.end)


@EACH
def test_unknown_options_are_refused_with_the_allowed(name):
    with pytest.raises(InvalidOption, match="limit"):
        METHODS.resolve({"method": name, "depth": 3})
    with pytest.raises(UnknownMethod, match=name):
        METHODS.resolve({"method": f"{name}-2"})


@EACH
def test_a_retriever_searches_what_segments_hold(name):
    assert RETRIEVERS[name].index in INDEXES.values()
    assert 0 < RETRIEVERS[name].weight <= 1
