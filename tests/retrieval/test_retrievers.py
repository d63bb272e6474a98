"""What every retriever of the catalogue promises."""

from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest

from base.methods import InvalidOption, UnknownMethod
from models.networks.ngram_writer import NgramWriter
from retrieval import Collection, Document, IndexSettings
from retrieval.catalogue import INDEXES, METHODS, RETRIEVERS
from retrieval.tokens import TokenOptions
from tests.support.fakes import HashEncoder
from tests.support.word_model import WordModel

EACH = pytest.mark.parametrize("name", list(RETRIEVERS))
QUESTION = "word3 word7 otter stone heron"
FILLER = " ".join(f"word{at}" for at in range(12))
DOCUMENTS = [
    Document(f"d{at}", f"An otter{at % 3} stone {at}. {FILLER} otter{at % 4} heron {at}", metadata={"at": at})
    for at in range(12)
]
# Among few tokens every n-gram is frequent, and weighs nothing.
LONG = Document("long", " ".join(f"other{at}" for at in range(2000)))
LM = WordModel([document.text for document in (*DOCUMENTS, LONG)])
NETWORKS = SimpleNamespace(encoder=HashEncoder(), ngram_writer=NgramWriter(LM, examples=True))
OTHERWISE = {
    "tokens": {"limit": 3, "k_tokens": 5, "refine": 0, "near": 0.01, "imputation": "clusters"},
    "lexical": {"limit": 3},
    "ngrams": {"limit": 3, "beams": 1, "length": 1, "query_keys": False},
}
"""Another value of every option of every retriever."""


def made(path):
    return Collection.create(
        path,
        encoder=HashEncoder(),
        vocabulary=LM,
        settings=IndexSettings(passage_tokens=16, overlap_tokens=2),
    )


@pytest.fixture(scope="module")
def collection(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("retrieval.tokens.index.FLAT_UP_TO", 256)  # `LONG` gets inverted lists
        collection = made(tmp_path_factory.mktemp("retrievers") / "c")
        for first in (0, 6):
            collection.add(DOCUMENTS[first : first + 6])
        collection.add([LONG])
    collection.delete(["d1", "d7"])
    return collection


def search(snapshot, name, filter=None, **given):  # noqa: A002
    read = RETRIEVERS[name].read(QUESTION, NETWORKS)
    selection = snapshot.allowed(filter)
    return read, snapshot.search(name, read, METHODS[name].options(**given), selection=selection)


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


def as_if_large(patch):
    """Has tokens searched for as among millions: by lists, a few for each of the question's, few refined."""
    patch.setattr("retrieval.tokens.retriever.TokenOptions", partial(TokenOptions, exact_up_to=0))
    patch.setattr("retrieval.tokens.search._FEWEST_TOKENS", 50)
    patch.setattr("retrieval.tokens.search._FEWEST_REFINED", 4)


def observed(snapshot, name, **given):
    """What a caller sees of a search: hits, scores, and why."""
    read, found = search(snapshot, name, **given)
    numbers = found.hits.numbers.tolist()
    rows = [
        [match.row(QUESTION, snapshot.passage(number)) for match in matches]
        for number in numbers
        for matches in [snapshot.explain(name, read, found.evidence, number)]
    ]
    return numbers, found.hits.scores.tolist(), rows


@pytest.mark.parametrize(
    ("name", "option"), [(name, one) for name in RETRIEVERS for one in METHODS[name].fields]
)
def test_every_option_matters(collection, name, option, monkeypatch):
    as_if_large(monkeypatch)
    with collection.snapshot() as snapshot:
        usual = observed(snapshot, name)
        assert usual == observed(snapshot, name)
        assert usual != observed(snapshot, name, **{option: OTHERWISE[name][option]})


def test_a_model_writes_ngrams(collection):
    with collection.snapshot() as snapshot:
        before = LM.calls
        read, found = search(snapshot, "ngrams", query_keys=False)
        assert LM.calls > before
        texts = {
            match.text
            for number in found.hits.numbers.tolist()
            for match in snapshot.explain("ngrams", read, found.evidence, number)
        }
        assert any(len(text.split()) > 1 for text in texts)
