"""What every reranker of the catalogue promises, whichever method it is."""

from __future__ import annotations

from types import SimpleNamespace

import msgspec
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from base.methods import InvalidOption
from rerank import CATALOGUE, Absent, Texts
from tests.support.matching_model import matching_model

METHODS = list(CATALOGUE)


WORDS = [
    "alpha",
    "bravo",
    "charlie",
    "delta",
    "echo",
    "foxtrot",
    "golf",
    "hotel",
    "india",
    "juliet",
    "kilo",
    "lima",
    "mike",
    "november",
    "oscar",
    "papa",
    "quebec",
    "romeo",
    "sierra",
    "tango",
    "uniform",
    "victor",
    "whisky",
    "yankee",
    "zulu",
]
QUESTION = " ".join(WORDS)


def value(text):
    """The relevance of a text to QUESTION: how many of its words it has."""
    return float(len(set(text.split()).intersection(WORDS)))


class Pairs:
    """A cross-encoder whose logit is the relevance of what it reads of the text."""

    name = "pairs"

    def __init__(self, relevance):
        self.relevance = relevance
        self.calls = []

    def scores(self, query, texts, *, batch, max_tokens):
        self.calls += [(batch, max_tokens, text) for text in texts]
        return np.array([self.relevance(text) for text in texts], np.float64), sum(map(len, texts))


class Stored(Texts):
    """Passages of a collection: they have all the evidence that an index and a store can have."""

    def __init__(self, texts, relevance):
        super().__init__(texts)
        object.__setattr__(self, "relevance", relevance)

    def vectors(self):
        return [np.full((2, 3), self.relevance(text), np.float32) for text in self.texts]

    def impacts(self):
        return [{"which": self.relevance(text)} for text in self.texts]

    def likelihoods(self, question):
        return [self.relevance(text) for text in self.texts]


BY_ATTENTION = ("icr",)
"""Methods that read inside the network: theirs is one whose attention looks for equal words."""


@pytest.fixture(scope="module")
def matching():
    return matching_model(WORDS)


@pytest.fixture
def ranked(make_model, matching):
    """Ranks texts by a method; what its networks read is in `seen`."""

    def rank(name, texts, query=QUESTION, *, relevance=value, **options):
        lm = matching if name in BY_ATTENTION else make_model(relevance)
        ranker = SimpleNamespace(network=lm, prompt="first")
        networks = SimpleNamespace(lm=lm, ranker=ranker, cross_encoder=Pairs(relevance))
        rank.seen = lambda: (getattr(lm, "prompts", ()), networks.cross_encoder.calls)
        chosen = CATALOGUE.resolve({"method": name, **options})
        return CATALOGUE[name].make(networks).rank(query, Stored(list(texts), relevance), chosen)

    return rank


def texts_of(values):
    return [f"passage {' '.join(WORDS[:number])}" for number in values]


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("count", [0, 1, 2, 21])
def test_the_best_come_first(ranked, name, count):
    values = np.random.default_rng(count).permutation(count)
    ranking = ranked(name, texts_of(values))
    assert values[ranking.order][:10].tolist() == sorted(values.tolist(), reverse=True)[:10]


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("count", [0, 1, 2, 21, 1000])
def test_the_order_is_a_permutation(ranked, name, count):
    ranking = ranked(name, texts_of(np.random.default_rng(count).integers(0, 25, count)))
    assert sorted(ranking.order.tolist()) == list(range(count))
    assert ranking.order.dtype == np.int64
    assert ranking.scores.shape == (count,)
    assert ranking.scores.dtype == np.float64


@pytest.mark.parametrize("name", METHODS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(values=st.lists(st.integers(0, 24), min_size=1, max_size=20), seed=st.integers(0, 99))
def test_permuting_the_passages_permutes_the_ranking(ranked, name, values, seed):
    shuffle = np.random.default_rng(seed).permutation(len(values))
    texts = texts_of(values)
    straight = ranked(name, texts)
    shuffled = ranked(name, [texts[place] for place in shuffle])
    assert np.allclose(straight.scores[shuffle], shuffled.scores)
    assert [values[i] for i in straight.order] == [values[shuffle[i]] for i in shuffled.order]


@pytest.mark.parametrize("name", METHODS)
def test_equal_texts_are_different_passages_in_input_order(ranked, name):
    ranking = ranked(name, ["so alpha", "so alpha", "bravo alpha", "so alpha"])
    assert ranking.order.tolist() == [2, 0, 1, 3]


@pytest.mark.parametrize("name", METHODS)
def test_the_same_call_gives_the_same_ranking(ranked, name):
    one, other = (ranked(name, texts_of([3, 1, 2])) for _ in range(2))
    assert one.order.tolist() == other.order.tolist()
    assert one.scores.tolist() == other.scores.tolist()


@pytest.mark.parametrize("name", METHODS)
def test_unusual_texts_are_legal(ranked, name):
    texts = ["", " ", "a\r\nb", "東京", "👩‍👩‍👧‍👦", "é" * 5000]
    ranking = ranked(name, texts, "whére?\r\n", relevance=len)
    assert sorted(ranking.order.tolist()) == list(range(6))


@pytest.mark.parametrize("name", METHODS)
def test_unknown_options_are_refused(name):
    with pytest.raises(InvalidOption) as caught:
        CATALOGUE.resolve({"method": name, "magic": 1})
    assert caught.value.allowed == list(CATALOGUE[name].fields)


def others(name, option):
    """Other values that an option may have: its bounds, and those next to its default."""
    _, schemas = msgspec.json.schema_components([CATALOGUE[name].options])
    schema = schemas[CATALOGUE[name].options.__name__]["properties"][option]
    default = schema["default"]
    if isinstance(default, bool):
        yield not default
        return
    for value in (schema.get("minimum"), schema.get("maximum"), default - 1, default + 1):
        if value is not None and value != default:
            try:
                CATALOGUE.resolve({"method": name, option: value})
            except InvalidOption:
                continue
            yield value


@pytest.mark.parametrize(
    ("name", "option"),
    [(name, option) for name in METHODS for option in CATALOGUE[name].fields if option != "limit"],
)
def test_every_option_matters(ranked, name, option):
    """`limit` is the pipeline's: how many passages are given to the method at all."""
    count = 102 if option in ("window", "stride") else 25  # more than any window holds
    texts = [f"{text} " + "and more of a long text " * 9 for text in texts_of(range(count))]

    def outcome(**options):
        ranking = ranked(name, texts, relevance=len, **options)
        cost = (ranking.tokens_read, ranking.forward_passes)
        return (repr(ranked.seen()), cost, ranking.scores.tolist())

    usual = outcome()
    assert any(outcome(**{option: value}) != usual for value in others(name, option))


@pytest.mark.parametrize("name", METHODS)
def test_defaults_are_within_their_own_bounds(name):
    defaults = CATALOGUE.resolve({"method": name})
    assert CATALOGUE.resolve(msgspec.to_builtins(defaults)) == defaults


def test_loose_texts_have_no_cached_blocks():
    lists = [CATALOGUE[name] for name in METHODS if "blocks" in CATALOGUE[name].needs]
    assert lists
    for method in lists:
        with pytest.raises(Absent, match="cached blocks"):
            method.make(None).rank("which?", Texts(["a", "b"]), CATALOGUE.resolve({"method": method.name}))
