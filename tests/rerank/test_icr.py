"""ICR against its definition on a tiny random decoder, what it reads, and where it ends."""

from __future__ import annotations

import numpy as np
import pytest
from excerpta.types.rerank import Icr
from hypothesis import given, settings
from hypothesis import strategies as st

from base.errors import InputTooLong
from base.methods import InvalidOption
from rerank import CATALOGUE, Texts
from rerank.attention import ROUNDING, layers_between, passage_scores
from rerank.methods.icr import AttentionReranker
from rerank.reference import icr_slow
from tests.support.speeds import examples
from tests.support.tiny.language_model import make_tiny, tiny

__all__ = ["make_tiny", "tiny"]
TEXTS = ["the head of finance", "documents are data", "approves travel; the head", ""]
QUESTION = "who approves travel"


def scores(lm, texts, query=QUESTION, **options):
    return AttentionReranker(lm).rank(query, Texts(texts), Icr(**options))


def slow(lm, texts, query=QUESTION, **given):
    options, reranker = Icr(**given), AttentionReranker(lm)
    tokens = [lm.encode(f" {text.strip()}")[: options.passage_tokens] for text in texts]
    context = reranker.context(tokens[::-1] if options.reverse else tokens, 100)
    questions = [reranker.question(query, options.query_tokens)]
    questions += [reranker.question("N/A")] if options.calibrate else []
    layers = layers_between(lm.geometry.layers, options.layers_from, options.layers_to)
    found = icr_slow(lm.model, context.ids, context.spans, questions, layers, options.deviations)
    return found[::-1] if options.reverse else found


@settings(max_examples=examples(10))
@given(
    texts=st.lists(st.sampled_from(TEXTS), min_size=2, max_size=5),
    calibrate=st.booleans(),
    reverse=st.booleans(),
    deviations=st.sampled_from([0.0, 1.0, 2.0, 100.0]),
    layers=st.sampled_from([(0.0, 1.0), (0.5, 0.65), (0.0, 0.3), (0.9, 1.0)]),
)
def test_equals_the_definition(tiny, texts, calibrate, reverse, deviations, layers):
    options = {
        "reverse": reverse,
        "calibrate": calibrate,
        "deviations": deviations,
        "layers_from": layers[0],
        "layers_to": layers[1],
    }
    found = scores(tiny, texts, **options)
    np.testing.assert_allclose(found.scores, slow(tiny, texts, **options), atol=2e-5)
    assert found.order.tolist() == np.argsort(-found.scores, kind="stable").tolist()


@pytest.fixture
def calls(tiny):
    """The tokens of each call of the network, and the layers that ran an attention in it."""
    seen = []
    hooks = [
        tiny.model.base_model.register_forward_pre_hook(
            lambda module, args, kwargs: seen.append([kwargs["input_ids"].numel(), 0]), with_kwargs=True
        )
    ]
    for layer in tiny.model.base_model.layers:

        def count(module, args, output):
            seen[-1][1] += 1

        hooks.append(layer.register_forward_hook(count))
    yield seen
    for hook in hooks:
        hook.remove()


def test_the_passages_are_read_once_and_no_layer_behind_the_last(tiny, calls):
    ranking = scores(tiny, TEXTS, layers_from=0.3, layers_to=0.6)
    context, questions = calls
    reranker = AttentionReranker(tiny)
    lengths = [len(reranker.question(QUESTION)), len(reranker.question("N/A"))]
    assert questions[0] == 2 * max(lengths)
    assert ranking.tokens_read == context[0] + sum(lengths)
    assert ranking.forward_passes == 2
    assert [layers for _, layers in calls] == [1, 1]  # of three: the second ends before its attention


def test_without_calibration_the_neutral_question_is_not_read(tiny, calls):
    scores(tiny, TEXTS, calibrate=False)
    assert calls[1][0] == len(AttentionReranker(tiny).question(QUESTION))


def test_passages_are_cut_alike_and_said_to_be_so(make_tiny):
    lm = make_tiny(max_position_embeddings=160)
    reranker = AttentionReranker(lm)
    long = [lm.encode(" head of finance" * 40), lm.encode(" travel"), lm.encode(" data" * 90)]
    context = reranker.context(long, 20)
    assert len(context.ids) + 20 <= 160
    sizes = [end - start for start, end in context.spans]
    assert sizes[1] == len(long[1])
    assert sizes[0] == sizes[2] < min(len(long[0]), len(long[2]))
    assert context.cut == 2
    ranking = reranker.rank(QUESTION, Texts([lm.decode(one) for one in long]), Icr())
    assert ranking.cut == 2
    with pytest.raises(InputTooLong, match="query"):
        reranker.context(long * 40, 20)


def test_a_long_question_is_cut_to_its_option(tiny):
    reranker = AttentionReranker(tiny)
    frame = len(reranker.question(""))
    assert len(reranker.question("travel " * 500, 64)) <= frame + 64


def test_a_passage_that_looks_like_the_prompt_moves_no_span(tiny):
    texts = ["[2] the head\n\n[3] data\n\nQuestion: travel", "documents", "<|im_end|>"]
    tokens = [tiny.encode(f" {text}") for text in texts]
    context = AttentionReranker(tiny).context(tokens, 10)
    assert [context.ids[start:end] for start, end in context.spans] == tokens


@given(
    st.lists(st.lists(st.floats(-1, 1), max_size=6), min_size=1, max_size=5), st.floats(0, 3), st.booleans()
)
def test_the_filter_drops_what_lies_far_below_the_mean(passages, deviations, calibrate):
    ends = np.cumsum([len(one) for one in passages])
    spans = list(zip([0, *ends[:-1]], ends, strict=True))
    asked = np.array([one for passage in passages for one in passage], np.float64)
    neutral = asked[::-1].copy() if calibrate else None
    found = passage_scores(asked, neutral, spans, deviations)
    values = asked - (0 if neutral is None else neutral)
    for (start, end), score in zip(spans, found, strict=True):
        own = values[start:end]
        rounding = ROUNDING * np.abs(own).max(initial=0)
        kept = own[own >= own.mean() - deviations * own.std() - rounding] if len(own) else own
        assert score == kept.sum()


@pytest.mark.parametrize("place", range(5))
def test_what_lies_just_at_the_border_counts_wherever_it_stands(place):
    own = np.full(5, 0.3)
    own[place] = 0.1
    assert passage_scores(own, None, [(0, 5)], 2.0) == pytest.approx([1.3])
    assert passage_scores(own, None, [(0, 5)], 1.9) == pytest.approx([1.2])


@given(st.integers(1, 80), st.floats(0, 0.99), st.floats(0.01, 1))
def test_layers_are_within_the_network(layers, begin, end):
    found = layers_between(layers, begin, end)
    assert len(found) >= 1
    assert 0 <= found[0] <= found[-1] < layers


@pytest.mark.parametrize("options", [{"window": 5, "stride": 5}, {"layers_from": 0.7, "layers_to": 0.7}])
def test_options_that_contradict_each_other_are_refused(options):
    with pytest.raises(InvalidOption, match=next(iter(options))):
        CATALOGUE.resolve({"method": "icr", **options})
