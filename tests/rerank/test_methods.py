from __future__ import annotations

import re
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from base.errors import InputTooLong
from models.errors import UnsupportedModel
from rerank import METHODS, First, QueryLikelihood, UnknownReranker, make_reranker

MAKERS = [First, QueryLikelihood]


def value(text: str) -> float:
    """A relevance that stands in the text: "v12" is 12."""
    return float(re.search(r"v(-?\d+)", text).group(1))


def texts_of(values) -> list[str]:
    return [f"passage v{number}" for number in values]


@pytest.mark.parametrize("maker", MAKERS)
@pytest.mark.parametrize("count", [0, 1, 2, 20, 21, 100])
def test_order_is_a_permutation_with_the_best_first(make_model, maker, count):
    values = np.random.default_rng(count).permutation(count)
    ranking = maker(make_model(value)).rank("which?", texts_of(values))
    assert sorted(ranking.order.tolist()) == list(range(count))
    assert ranking.scores.shape == (count,)
    assert values[ranking.order][:10].tolist() == sorted(values.tolist(), reverse=True)[:10]


@pytest.mark.parametrize(("count", "passes"), [(0, 0), (1, 0), (2, 1), (20, 1), (21, 2), (100, 9)])
def test_first_makes_one_forward_pass_a_window(make_model, count, passes):
    model = make_model(value)
    ranking = First(model).rank("which?", texts_of(range(count)))
    assert len(model.prompts) == ranking.forward_passes == passes
    assert ranking.tokens_read == sum(map(len, model.prompts))


@pytest.mark.parametrize("maker", MAKERS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=st.lists(st.integers(-9, 9), min_size=1, max_size=20), seed=st.integers(0, 99))
def test_permuting_the_passages_permutes_the_ranking(make_model, maker, values, seed):
    shuffle = np.random.default_rng(seed).permutation(len(values))
    reranker = maker(make_model(value))
    texts = texts_of(values)
    straight = reranker.rank("which?", texts)
    shuffled = reranker.rank("which?", [texts[place] for place in shuffle])
    assert np.allclose(straight.scores[shuffle], shuffled.scores)
    assert [values[i] for i in straight.order] == [values[shuffle[i]] for i in shuffled.order]


@pytest.mark.parametrize("maker", MAKERS)
def test_equal_texts_are_different_passages_in_input_order(make_model, maker):
    ranking = maker(make_model(value)).rank("which?", ["same v1", "same v1", "other v2", "same v1"])
    assert ranking.order.tolist() == [2, 0, 1, 3]


def test_first_scores_are_a_distribution_over_the_window(make_model):
    ranking = First(make_model(value)).rank("which?", texts_of(range(20)))
    assert ranking.scores.sum() == pytest.approx(1)
    assert ranking.scores.argmax() == 19


def test_identifiers_inside_passages_and_query_are_rewritten(make_model):
    model = make_model(len)
    First(model).rank("[A] or [b]?", ["see [A] and [t], not [12]", "[B]\n[A] first!"])
    prompt = model.prompts[0].split("\n\n", 1)[1].split("The output format")[0]
    assert prompt.startswith(
        "[A] see (A) and (t), not [12]\n[B] (B) (A) first!\n\nSearch Query: (A) or (b)?."
    )


def test_braces_in_texts_are_text(make_model):
    model = make_model(len)
    First(model).rank("{num}", ["{query} {0}", "{"])
    assert "[A] {query} {0}\n[B] {\n" in model.prompts[0]
    QueryLikelihood(model).rank("{query}", ["{passage}"])


def test_passages_are_cut_to_words_and_to_the_context_and_the_instruction_never(make_model):
    model = make_model(len)
    limit = len(First(model).window_prompt("which?", [""] * 3)) + 100
    model.max_positions = limit
    long = ["a" * 500, "short", "c " * 400]
    First(model, passage_words=10).rank("which?", long)
    prompt = model.prompts[-1]
    assert len(prompt) <= limit
    assert prompt.endswith("do not say any word or explain.<assistant>[")
    assert "[B] short\n" in prompt
    assert "[C] " + " ".join("c" * 10) + "\n" in prompt
    assert re.search(r"\[A\] a{70,}\n", prompt)


def test_a_query_that_leaves_no_room_says_so(make_model):
    with pytest.raises(InputTooLong, match="query"):
        First(make_model(len, max_positions=2000)).rank("q" * 2000, ["a", "b"])


def test_a_tokenizer_that_merges_the_letter_is_refused(make_model):
    class Merging(make_model):
        def encode(self, text):
            ids = super().encode(text)
            return [*ids[:-2], 10_000 + ids[-1]] if re.search(r"\[[A-Z]$", text) else ids

    with pytest.raises(UnsupportedModel, match="'A'"):
        First(Merging())


def test_a_tokenizer_with_one_token_for_two_letters_is_refused(make_model):
    class Uncased(make_model):
        def encode(self, text):
            return super().encode(text.replace("T", "S"))

    with pytest.raises(UnsupportedModel, match="same token"):
        First(Uncased())


@pytest.mark.parametrize("maker", MAKERS)
@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_scores_that_are_not_finite_decide_nothing(make_model, maker, bad):
    with pytest.raises(UnsupportedModel, match="finite"):
        maker(make_model(lambda _: bad)).rank("which?", ["a", "b"])


@pytest.mark.parametrize(
    "options", [{"window": 21}, {"window": 1}, {"stride": 0}, {"window": 5, "stride": 5}]
)
def test_impossible_windows_are_refused(make_model, options):
    with pytest.raises(ValueError, match="window"):
        First(make_model(), **options)


def test_window_and_stride_matter(make_model):
    model = make_model(value)
    assert First(model, window=4, stride=2).rank("which?", texts_of(range(10))).forward_passes == 4


def test_likelihood_reads_no_more_than_its_limits(make_model):
    model = make_model(len)
    ranking = QueryLikelihood(model, passage_tokens=7, query_tokens=5).rank(
        "a long question", ["x" * 50, "y" * 3]
    )
    assert [prompt.split("\n")[0] for prompt in model.prompts] == ["Passage: xxxxxxx", "Passage: yyy"]
    assert ranking.tokens_read == sum(map(len, model.prompts)) + 2 * 5


def test_likelihood_never_exceeds_the_context(make_model):
    model = make_model(len, max_positions=120)
    QueryLikelihood(model).rank("q" * 500, ["x" * 500])
    assert len(model.prompts[0]) + 64 <= 120


@pytest.mark.parametrize("query", ["", "  \n"])
def test_a_blank_question_leaves_the_order(make_model, query):
    ranking = QueryLikelihood(make_model(value)).rank(query, texts_of([1, 2]))
    assert ranking.order.tolist() == [0, 1]
    assert ranking.forward_passes == 0


@pytest.mark.parametrize("maker", MAKERS)
def test_unusual_texts_are_legal(make_model, maker):
    texts = ["", " ", "a\r\nb", "東京", "👩‍👩‍👧‍👦", "é" * 5000]
    assert sorted(maker(make_model(len)).rank("whére?\r\n", texts).order.tolist()) == list(range(6))


def test_rerankers_by_name(make_model):
    models = SimpleNamespace(lm=make_model())
    assert [make_reranker(name, models).name for name in METHODS] == ["likelihood", "first"]
    with pytest.raises(UnknownReranker, match="likelihood, first") as caught:
        make_reranker("magic", models)
    assert caught.value.facts() == {"method": "magic", "allowed": ["likelihood", "first"]}
