"""Maps of chosen layers against transformers' eager attention in float64, and the layers that they run."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from base.errors import InputTooLong
from models.attention.blocks import Block
from models.attention.calls import ApeCall
from models.attention.maps import attention_maps, batched_attention_maps, first_layers
from models.attention.reference import eager_maps
from models.attention.watch import AttentionWatch
from tests.support.speeds import examples

LAYERS, HEADS = 3, 6
TOKENS = st.integers(0, 255)
PROMPT = st.lists(TOKENS, min_size=1, max_size=12)


def block_of(tiny, ids, past=None, layers=LAYERS, position=None):
    return first_layers(tiny, ids, layers, past=past, position=position)


def close(got, wanted, atol=2e-5):
    np.testing.assert_allclose(torch.as_tensor(got).numpy(), wanted, atol=atol, rtol=0)


@settings(max_examples=examples(25))
@given(
    ids=PROMPT,
    layers=st.lists(st.integers(0, LAYERS - 1), min_size=1, max_size=4),
    heads=st.none() | st.lists(st.integers(0, HEADS - 1), min_size=1, max_size=4),
    data=st.data(),
)
def test_equals_eager_attention(tiny, ids, layers, heads, data):
    rows = data.draw(st.lists(st.integers(0, len(ids) - 1), max_size=4))
    maps = attention_maps(tiny, ids, layers=layers, heads=heads, rows=rows)
    wanted = eager_maps(tiny.model, ids)[:, list(range(HEADS)) if heads is None else heads][:, :, rows]
    assert maps.layers == tuple(sorted(set(layers)))
    assert maps.rows == tuple(rows)
    close(maps.stacked, wanted[list(maps.layers)])
    if rows:
        close(maps.stacked.sum(-1), np.ones(maps.stacked.shape[:3]), 1e-5)


@settings(max_examples=examples(20))
@given(st.lists(PROMPT, min_size=1, max_size=4), st.data())
def test_prompts_in_a_batch_are_as_alone(tiny, prompts, data):
    rows = [data.draw(st.lists(st.integers(0, len(ids) - 1), max_size=3)) for ids in prompts]
    together = batched_attention_maps(tiny, prompts, layers=[0, 2], rows=rows, keep_block=True)
    for ids, chosen, maps in zip(prompts, rows, together, strict=True):
        alone = attention_maps(tiny, ids, layers=[0, 2], rows=chosen, keep_block=True)
        close(maps.stacked, alone.stacked)
        close(maps.block.keys, alone.block.keys, 1e-4)
        assert maps.block.tokens == len(ids)


@settings(max_examples=examples(20))
@given(PROMPT, PROMPT)
def test_over_kept_keys_as_in_one_prompt(tiny, before, after):
    """The cut decides what is computed, not what comes out."""
    whole = attention_maps(tiny, [*before, *after], layers=range(LAYERS))
    past = block_of(tiny, before)
    cut = attention_maps(tiny, after, layers=range(LAYERS), past=past)
    assert (whole.before, cut.before) == (0, len(before))
    close(cut.stacked, whole.stacked[:, :, len(before) :])


@settings(max_examples=examples(20))
@given(PROMPT, PROMPT, PROMPT, PROMPT)
def test_over_passages_side_by_side(tiny, first, one, two, question):
    """One eager call in which no passage sees the other, each at the same positions."""
    ids, start = [*first, *one, *two, *question], len(first)
    behind = start + max(len(one), len(two))
    seen = torch.ones(len(ids), len(ids), dtype=torch.bool).tril()
    seen[start + len(one) : start + len(one) + len(two), start : start + len(one)] = False
    positions = [*range(start), *range(start, start + len(one)), *range(start, start + len(two))]
    positions += range(behind, behind + len(question))
    wanted = eager_maps(tiny.model, ids, positions, seen)[:, :, -len(question) :]
    prefix = block_of(tiny, first)
    passages = [block_of(tiny, passage, prefix) for passage in (one, two)]
    maps = attention_maps(tiny, question, layers=range(LAYERS), past=ApeCall.over(prefix, passages))
    close(maps.stacked, wanted)
    assert maps.before == len(ids) - len(question)
    turned = attention_maps(tiny, question, layers=range(LAYERS), past=ApeCall.over(prefix, passages[::-1]))
    at = np.r_[:start, len(one) + start : len(one) + len(two) + start, start : start + len(one)]
    close(turned.stacked[..., : maps.before], maps.stacked[..., at].numpy())


@pytest.mark.parametrize("policy", [{}, {"temperature": 0.7, "scale": 0.8, "bias": -0.5}, {"keep": 1}])
def test_statistics_of_a_watch_are_those_of_the_last_row(tiny, policy):
    prefix = block_of(tiny, [5, 6])
    passages = [block_of(tiny, ids, prefix) for ids in ([7, 8, 9], [10, 11])]
    call, watch = ApeCall.over(prefix, passages, **policy), AttentionWatch([3, 2])
    question = [20, 21, 22]
    with torch.inference_mode():
        tiny.model.base_model(
            input_ids=torch.tensor([question]), position_ids=torch.tensor([[5, 6, 7]]), ape=call, watch=watch
        )
    weights = attention_maps(tiny, question, layers=range(LAYERS), rows=[2], past=call).stacked[:, :, 0]
    entropies = torch.special.entr(weights).sum(-1).mean(-1)
    assert watch.entropies == pytest.approx(entropies.tolist(), abs=1e-5)
    shares = [weights[..., 2:5].sum(-1).mean(), weights[..., 5:7].sum(-1).mean()]
    assert watch.shares == pytest.approx([float(share) for share in shares], abs=1e-5)


@pytest.mark.parametrize("last", range(LAYERS))
def test_no_layer_runs_behind_the_last_one_asked_for(tiny, last):
    begun, finished = [], []
    hooks = []
    for at, layer in enumerate(tiny.model.base_model.layers):
        hooks.append(layer.register_forward_pre_hook(lambda *_, at=at: begun.append(at)))
        hooks.append(layer.register_forward_hook(lambda *_, at=at: finished.append(at)))
    try:
        attention_maps(tiny, [1, 2, 3], layers=[last])
    finally:
        for hook in hooks:
            hook.remove()
    assert begun == list(range(last + 1))
    assert finished == list(range(last))


def test_a_call_that_ended_early_leaves_the_model_as_it_was(tiny):
    ids = torch.tensor([[1, 2, 3, 4]])
    with torch.inference_mode():
        before = tiny.model(input_ids=ids).logits
        attention_maps(tiny, [1, 2, 3], layers=[0], keep_block=True)
        assert torch.equal(tiny.model(input_ids=ids).logits, before)


def test_heads_may_differ_by_layer(tiny):
    whole = attention_maps(tiny, [1, 2, 3, 4], layers=[0, 2])
    some = attention_maps(tiny, [1, 2, 3, 4], layers=[0, 2], heads={0: [5, 1], 2: [3]})
    close(some.weights[0], whole.weights[0][[5, 1]].numpy(), 1e-6)
    close(some.weights[1], whole.weights[1][[3]].numpy(), 1e-6)


def test_a_reduction_is_all_that_is_kept(tiny):
    whole = attention_maps(tiny, [1, 2, 3, 4], layers=[0, 2])
    mean = attention_maps(tiny, [1, 2, 3, 4], layers=[0, 2], reduce=lambda weights: weights.mean(dim=(0, 1)))
    assert [tuple(one.shape) for one in mean.weights] == [(4,), (4,)]
    close(mean.stacked, whole.stacked.mean(dim=(1, 2)).numpy(), 1e-6)


def test_a_second_question_reads_the_documents_from_the_first_ones_block(tiny):
    """In-Context Reranking: documents and a first question, cut before it, then the second."""
    documents, neutral, question = [5, 6, 7, 8, 9], [1, 2], [3, 4, 5]
    first = attention_maps(tiny, [*documents, *neutral], layers=[1], rows=[5, 6], keep_block=True)
    assert first.block.keys.shape[0] == 2
    kept = first.block.first(len(documents))
    second = attention_maps(tiny, question, layers=[1], past=kept)
    whole = attention_maps(tiny, [*documents, *question], layers=[1], rows=[5, 6, 7])
    close(second.stacked, whole.stacked)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"layers": [3]}, "no layer 3; they are 0 to 2"),
        ({"layers": []}, "no layer was asked for"),
        ({"layers": [0], "heads": [6]}, "no head 6; they are 0 to 5"),
        ({"layers": [0], "heads": {0: [-1]}}, "no head -1"),
        ({"layers": [0], "rows": [2]}, "no row 2; they are 0 to 1"),
    ],
)
def test_layers_heads_and_rows_that_do_not_exist_are_refused(tiny, wrong, message):
    with pytest.raises(ValueError, match=message):
        attention_maps(tiny, [1, 2], **wrong)


def test_prompts_without_tokens_and_too_long_ones_are_refused(tiny):
    with pytest.raises(ValueError, match="without tokens"):
        attention_maps(tiny, [], layers=[0])
    with pytest.raises(InputTooLong):
        attention_maps(tiny, [1, 2, 3], layers=[0], position=2046)


def test_the_first_tokens_of_a_block_share_its_memory(tiny):
    block = block_of(tiny, [1, 2, 3])
    first = block.first(2)
    assert isinstance(first, Block)
    assert first.tokens == 2
    assert first.keys.data_ptr() == block.keys.data_ptr()
