from __future__ import annotations

import re
from types import SimpleNamespace

import numpy as np
import pytest
from excerpta.types.rerank import First, Likelihood
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from base.errors import InputTooLong
from base.methods import InvalidOption, UnknownMethod
from models.errors import UnsupportedModel
from rerank import CATALOGUE, Texts
from rerank.methods.first import FirstReranker
from rerank.methods.likelihood import QueryLikelihood


def first(model, query, texts, **options):
    return FirstReranker(model).rank(query, Texts(texts), First(**options))


def likelihood(model, query, texts, **options):
    return QueryLikelihood(model).rank(query, Texts(texts), Likelihood(**options))


RANKERS = [first, likelihood]


def value(text: str) -> float:
    """A relevance that stands in the text: "v12" is 12."""
    return float(re.search(r"v(-?\d+)", text).group(1))


def texts_of(values) -> list[str]:
    return [f"passage v{number}" for number in values]


@pytest.mark.parametrize("ranked", RANKERS)
@pytest.mark.parametrize("count", [0, 1, 2, 20, 21, 100])
def test_order_is_a_permutation_with_the_best_first(make_model, ranked, count):
    values = np.random.default_rng(count).permutation(count)
    ranking = ranked(make_model(value), "which?", texts_of(values))
    assert sorted(ranking.order.tolist()) == list(range(count))
    assert ranking.scores.shape == (count,)
    assert values[ranking.order][:10].tolist() == sorted(values.tolist(), reverse=True)[:10]


@pytest.mark.parametrize(("count", "passes"), [(0, 0), (1, 0), (2, 1), (20, 1), (21, 2), (100, 9)])
def test_first_makes_one_forward_pass_a_window(make_model, count, passes):
    model = make_model(value)
    ranking = first(model, "which?", texts_of(range(count)))
    assert len(model.prompts) == ranking.forward_passes == passes
    assert ranking.tokens_read == sum(map(len, model.prompts))


@pytest.mark.parametrize("ranked", RANKERS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=st.lists(st.integers(-9, 9), min_size=1, max_size=20), seed=st.integers(0, 99))
def test_permuting_the_passages_permutes_the_ranking(make_model, ranked, values, seed):
    shuffle = np.random.default_rng(seed).permutation(len(values))
    model = make_model(value)
    texts = texts_of(values)
    straight = ranked(model, "which?", texts)
    shuffled = ranked(model, "which?", [texts[place] for place in shuffle])
    assert np.allclose(straight.scores[shuffle], shuffled.scores)
    assert [values[i] for i in straight.order] == [values[shuffle[i]] for i in shuffled.order]


@pytest.mark.parametrize("ranked", RANKERS)
def test_equal_texts_are_different_passages_in_input_order(make_model, ranked):
    ranking = ranked(make_model(value), "which?", ["same v1", "same v1", "other v2", "same v1"])
    assert ranking.order.tolist() == [2, 0, 1, 3]


def test_first_scores_are_a_distribution_over_the_window(make_model):
    ranking = first(make_model(value), "which?", texts_of(range(20)))
    assert ranking.scores.sum() == pytest.approx(1)
    assert ranking.scores.argmax() == 19


def test_identifiers_inside_passages_and_query_are_rewritten(make_model):
    model = make_model(len)
    first(model, "[A] or [b]?", ["see [A] and [t], not [12]", "[B]\n[A] first!"])
    prompt = model.prompts[0].split("\n\n", 1)[1].split("The output format")[0]
    assert prompt.startswith(
        "[A] see (A) and (t), not [12]\n[B] (B) (A) first!\n\nSearch Query: (A) or (b)?."
    )


def test_braces_in_texts_are_text(make_model):
    model = make_model(len)
    first(model, "{num}", ["{query} {0}", "{"])
    assert "[A] {query} {0}\n[B] {\n" in model.prompts[0]
    likelihood(model, "{query}", ["{passage}"])


def test_passages_are_cut_to_words_and_to_the_context_and_the_instruction_never(make_model):
    model = make_model(len)
    limit = len(FirstReranker(model).window_prompt("which?", [""] * 3)) + 100
    model.max_positions = limit
    long = ["a" * 500, "short", "c " * 400]
    first(model, "which?", long, passage_words=10)
    prompt = model.prompts[-1]
    assert len(prompt) <= limit
    assert prompt.endswith("do not say any word or explain.<assistant>[")
    assert "[B] short\n" in prompt
    assert "[C] " + " ".join("c" * 10) + "\n" in prompt
    assert re.search(r"\[A\] a{70,}\n", prompt)


def test_a_query_that_leaves_no_room_says_so(make_model):
    with pytest.raises(InputTooLong, match="query"):
        first(make_model(len, max_positions=2000), "q" * 2000, ["a", "b"])


def test_a_tokenizer_that_merges_the_letter_is_refused(make_model):
    class Merging(make_model):
        def encode(self, text):
            ids = super().encode(text)
            return [*ids[:-2], 10_000 + ids[-1]] if re.search(r"\[[A-Z]$", text) else ids

    with pytest.raises(UnsupportedModel, match="'A'"):
        FirstReranker(Merging())


def test_a_tokenizer_with_one_token_for_two_letters_is_refused(make_model):
    class Uncased(make_model):
        def encode(self, text):
            return super().encode(text.replace("T", "S"))

    with pytest.raises(UnsupportedModel, match="same token"):
        FirstReranker(Uncased())


@pytest.mark.parametrize("ranked", RANKERS)
@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_scores_that_are_not_finite_decide_nothing(make_model, ranked, bad):
    with pytest.raises(UnsupportedModel, match="finite"):
        ranked(make_model(lambda _: bad), "which?", ["a", "b"])


@pytest.mark.parametrize(
    "options", [{"window": 21}, {"window": 1}, {"stride": 0}, {"window": 5, "stride": 5}]
)
def test_impossible_windows_are_refused(make_model, options):
    with pytest.raises(InvalidOption, match=r"window|stride"):
        CATALOGUE.resolve({"method": "first", **options})


def test_window_and_stride_matter(make_model):
    model = make_model(value)
    assert first(model, "which?", texts_of(range(10)), window=4, stride=2).forward_passes == 4


def test_likelihood_reads_no_more_than_its_limits(make_model):
    model = make_model(len)
    ranking = likelihood(model, "a long question", ["x" * 50, "y" * 3], passage_tokens=7, query_tokens=5)
    assert [prompt.split("\n")[0] for prompt in model.prompts] == ["Passage: xxxxxxx", "Passage: yyy"]
    assert ranking.tokens_read == sum(map(len, model.prompts)) + 2 * 5


def test_likelihood_never_exceeds_the_context(make_model):
    model = make_model(len, max_positions=120)
    likelihood(model, "q" * 500, ["x" * 500])
    assert len(model.prompts[0]) + 64 <= 120


@pytest.mark.parametrize("query", ["", "  \n"])
def test_a_blank_question_leaves_the_order(make_model, query):
    ranking = likelihood(make_model(value), query, texts_of([1, 2]))
    assert ranking.order.tolist() == [0, 1]
    assert ranking.forward_passes == 0


@pytest.mark.parametrize("ranked", RANKERS)
def test_unusual_texts_are_legal(make_model, ranked):
    texts = ["", " ", "a\r\nb", "東京", "👩‍👩‍👧‍👦", "é" * 5000]
    assert sorted(ranked(make_model(len), "whére?\r\n", texts).order.tolist()) == list(range(6))


def test_rerankers_by_name(make_model):
    lm = make_model()
    models = SimpleNamespace(lm=lm, ranker=SimpleNamespace(network=lm, prompt="first"))
    assert [type(CATALOGUE[name].make(models)) for name in ("likelihood", "first")] == [
        QueryLikelihood,
        FirstReranker,
    ]
    with pytest.raises(UnknownMethod, match="likelihood, first") as caught:
        CATALOGUE.resolve({"method": "magic"})
    assert caught.value.facts() == {"stage": "rerank", "method": "magic", "allowed": ["auto", *CATALOGUE]}
