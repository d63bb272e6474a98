"""Every reading by the property that defines it, on a tiny network with random weights."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from transformers import AutoConfig, AutoModelForCausalLM, DynamicCache

from context import READINGS, ContextEngine, ContextPassage
from context.encoding.plain import encode_passages, encode_prefix
from context.encoding.recompute import reread
from context.engine import _Owner
from context.reading.methods.cacheblend import key_deviation
from context.reading.methods.structured import structured_bias
from context.reading.paths import path_saliency
from context.writing.generation import read
from models.attention.blocks import Block
from models.attention.calls import ApeCall, enable_ape
from models.attention.maps import first_layers
from models.networks.language_model import LanguageModel
from tests.support.readings import begin, reading

pytestmark = pytest.mark.long

PASSAGES = [
    ContextPassage("Travel", "The head of finance approves travel above 2000 euros."),
    ContextPassage("", "Dogs are not allowed. No exceptions are made."),
    ContextPassage("Opening hours", "The office opens at 9:00."),
    ContextPassage("Finance", "Finance is led by the head of finance, who approves documents."),
]
QUESTION = "Who approves travel?"
PLAIN = {"temperature": 1.0, "scale": 1.0}


def logits(engine, method, passages=PASSAGES, question=QUESTION, **options):
    return started(engine, method, passages, question, **options)._logits


def started(engine, method, passages=PASSAGES, question=QUESTION, **options):
    return begin(engine, question, passages, method, **{"max_tokens": 8} | options)


def plain(method):
    """T = S = 1, for readings that have them."""
    return {name: 1.0 for name in PLAIN if name in READINGS[method].fields}


def close(a, b, atol=1e-3):
    torch.testing.assert_close(a, b, atol=atol, rtol=0)


def differ(a, b, least=1e-2):
    assert (a - b).abs().max() > least


@pytest.mark.parametrize("method", READINGS)
def test_every_reading_reads_one_passage_as_in_sequence(engine, method):
    """One passage stands where it was encoded, so without T and S there is nothing to approximate."""
    run = started(engine, method, PASSAGES[:1], **plain(method))
    close(run._logits, logits(engine, "sequential", PASSAGES[:1]))
    assert (run.notes.method, run.notes.read) == (method, (0,))
    reference = started(engine, "sequential", PASSAGES[:1])
    while reference.step() is not None:
        run.step()
    assert run.ids == reference.ids


@pytest.mark.parametrize("method", [method for method in READINGS if method != "sequential"])
def test_readings_take_the_same_blocks_and_change_none(engine, store, method):
    before = begin(engine, QUESTION, PASSAGES)
    engine.saliency(QUESTION, PASSAGES)  # makes blocks of what leads to the question
    encoded = store.stats().encoded
    kept = [(block.keys.clone(), block.values.clone()) for block in blocks_of(engine)]
    run = started(engine, method)
    run.step()
    assert store.stats().encoded == encoded
    assert run.usage.cached_tokens == run.usage.context_tokens == before.usage.context_tokens
    for block, (keys, values) in zip(blocks_of(engine), kept, strict=True):
        assert torch.equal(block.keys, keys)
        assert torch.equal(block.values, values)


def blocks_of(engine, passages=PASSAGES):
    texts = [engine._prompt.passage(passage) for passage in passages]
    return engine._blocks(texts, [_Owner(b"", passage.document) for passage in passages])[0]


# side by side


def test_naive_is_ape_at_one_and_structured_is_a_bias(engine):
    plain = logits(engine, "ape", **PLAIN)
    assert torch.equal(logits(engine, "naive"), plain)
    structured = logits(engine, "structured")
    differ(structured, plain)
    assert torch.equal(logits(engine, "ape", **PLAIN, bias=-float(np.log(4))), structured)


def test_the_guard_keeps_the_strongest_passages(engine):
    plain = logits(engine, "naive")
    close(logits(engine, "guard", keep=4, **PLAIN), plain)
    close(logits(engine, "guard", keep=9, **PLAIN), plain)
    run = started(engine, "guard", keep=1, **PLAIN)
    differ(run._logits, plain)
    close(logits(engine, "guard", PASSAGES[::-1], keep=1, **PLAIN), run._logits)
    assert run.notes.entropy < started(engine, "guard", keep=4, **PLAIN).notes.entropy
    assert run.notes.entropy < started(engine, "naive", statistics=True).notes.entropy
    assert sum(run.notes.shares) < 1


# superposition


def test_saliency_is_the_likelihood_of_the_question_after_the_passage(engine, tiny):
    got = engine.saliency(QUESTION, PASSAGES)
    ids = engine._prompt
    tail, asked = ids.question(QUESTION), ids.asked(QUESTION)
    assert tiny.decode([tail[at] for at in asked]) == QUESTION
    prompts = [[*ids.prefix, *ids.passage(passage), *tail[: asked.start]] for passage in PASSAGES]
    wanted = tiny.log_likelihoods(prompts, [[tail[at] for at in asked]] * len(PASSAGES))
    assert got == pytest.approx([float(one.mean()) for one in wanted], abs=1e-4)


def test_paths_know_nothing_of_each_other(engine, monkeypatch):
    together = engine.saliency(QUESTION, PASSAGES)
    engine.forget_texts()
    alone = [engine.saliency(QUESTION, [passage])[0] for passage in PASSAGES]
    assert together == pytest.approx(alone, abs=1e-4)
    engine.forget_texts()
    monkeypatch.setattr("context.reading.paths._BATCH_TOKENS", 1)
    assert engine.saliency(QUESTION, PASSAGES) == pytest.approx(together, abs=1e-4)


def test_what_leads_to_the_question_is_read_once_a_passage(engine, tiny):
    ids = engine._prompt
    tail = ids.question(QUESTION), ids.asked(QUESTION)
    with_lead = [engine.saliency(QUESTION, PASSAGES)]
    engine.forget_texts()
    with_lead.append(engine.saliency(QUESTION, PASSAGES))
    without = path_saliency(tiny, engine._prefix_block(), blocks_of(engine), *tail)
    assert with_lead[0] == with_lead[1] == pytest.approx(without, abs=1e-4)
    assert engine.store.stats().encoded == 2 * len(PASSAGES)
    engine.forget(PASSAGES)
    assert engine.store.stats().tiers[0].blocks == 0


def test_what_was_warmed_is_forgotten_with_its_passages(engine):
    filed = [replace(passage, document=str(at)) for at, passage in enumerate(PASSAGES)]
    engine.warm(filed, salt=b"a")
    assert engine.store.stats().encoded == engine.store.stats().tiers[0].blocks == 2 * len(PASSAGES)
    engine.forget(filed[:1], salt=b"a")
    assert engine.store.stats().tiers[0].blocks == 2 * len(PASSAGES) - 2
    engine.store.delete_documents(b"a", ["1"])  # as a collection's deletion does, by name
    assert engine.store.stats().tiers[0].blocks == 2 * len(PASSAGES) - 4
    engine.store.delete_salt(b"a")
    assert engine.store.stats().tiers[0].blocks == 0


def test_other_readings_warm_the_passages_alone(engine):
    engine.warm(PASSAGES, reading("ape"))
    assert engine.store.stats().encoded == len(PASSAGES)
    engine.warm(PASSAGES)
    assert engine.store.stats().encoded == 2 * len(PASSAGES)


@pytest.mark.parametrize("known", ["asked about", "warmed"])
def test_known_passages_cost_the_tokens_of_the_question(engine, tiny, known):
    if known == "warmed":
        engine.warm(PASSAGES)
    else:
        engine.saliency("Another question?", PASSAGES)
    read_tokens = []

    def count(module, args, kwargs):
        read_tokens.append(kwargs["input_ids"].numel())

    hook = tiny.model.base_model.register_forward_pre_hook(count, with_kwargs=True)
    try:
        engine.saliency(QUESTION, PASSAGES)
    finally:
        hook.remove()
    assert read_tokens == [len(PASSAGES) * len(engine._prompt.asked(QUESTION))]


def test_pruned_passages_contribute_nothing(engine):
    run = started(engine, "superposition", keep=2)
    saliency = engine.saliency(QUESTION, PASSAGES)
    best = tuple(sorted(np.argsort(saliency)[-2:].tolist()))
    assert run.notes.read == best
    assert run.notes.saliency == pytest.approx(saliency)
    longest = max(range(4), key=lambda at: len(engine._prompt.passage(PASSAGES[at])))
    if longest not in best:  # the question stands behind the longest of all, read or not
        best = (*best, longest)
    swapped = [
        passage if at in best else ContextPassage("", "Entirely other words here.")
        for at, passage in enumerate(PASSAGES)
    ]
    other = started(engine, "superposition", swapped, keep=2)
    if other.notes.read == run.notes.read:
        assert torch.equal(other._logits, run._logits)
    close(logits(engine, "superposition", keep=4), logits(engine, "naive"))
    close(
        logits(engine, "superposition", keep=4, temperature=0.5),
        logits(engine, "ape", temperature=0.5, scale=1.0),
    )
    differ(run._logits, logits(engine, "naive"))
    shares = started(engine, "superposition", keep=2, statistics=True).notes.shares
    assert [share == 0 for share in shares] == [at not in run.notes.read for at in range(4)]


# in a row


WHOLE = {"epic": {"recompute_tokens": 10_000}, "cacheblend": {"recompute_share": 1.0}}


def test_epic_that_reads_everything_again_is_sequential_reading(engine):
    wanted = logits(engine, "sequential")
    close(logits(engine, "epic", **WHOLE["epic"]), wanted)
    nothing = logits(engine, "epic", recompute_tokens=0)
    some = logits(engine, "epic", recompute_tokens=8)
    differ(nothing, wanted)
    differ(some, nothing, 1e-3)
    differ(logits(engine, "epic", PASSAGES[::-1], **WHOLE["epic"]), wanted)


def test_cacheblend_that_reads_everything_again_is_sequential_reading(engine):
    wanted = logits(engine, "sequential")
    close(logits(engine, "cacheblend", **WHOLE["cacheblend"]), wanted)
    few = logits(engine, "cacheblend", recompute_share=0.1)
    differ(few, wanted)
    differ(few, logits(engine, "epic", recompute_tokens=0), 1e-3)


def test_tokens_that_deviate_most_are_chosen():
    new, cached = torch.zeros(2, 3, 4), torch.zeros(2, 3, 4)
    new[0, 1], new[1, 2] = 2.0, 1.0
    assert key_deviation(new, cached).tolist() == [0.0, 16.0, 4.0]


def test_first_layers_are_those_of_the_whole_network(tiny):
    enable_ape(tiny)
    prefix = encode_prefix(tiny, [5, 9, 11])
    few = first_layers(tiny, [50, 51, 52], 2, past=prefix)
    whole = encode_passages(tiny, prefix, [[50, 51, 52]])[0]
    assert few.keys.shape[0] == 2
    assert len(tiny.model.base_model.layers) == 3
    close(few.keys, whole.keys[:2], 1e-5)
    close(few.values, whole.values[:2], 1e-5)


def test_rereading_repairs_what_was_wrong(tiny):
    """Whatever stood at the places that are read again, and nowhere else, is gone."""
    enable_ape(tiny)
    ids = [5, 9, 11, 50, 51, 52, 53, 90, 91]
    cache = DynamicCache()
    wanted = read(tiny, ids, 0, cache)
    keys = torch.cat([layer.keys for layer in cache.layers])[:, :, :7]
    values = torch.cat([layer.values for layer in cache.layers])[:, :, :7]
    broken = Block(keys.clone(), values.clone())
    broken.keys[:, :, 4:6] += 3
    broken.values[:, :, 4:6] -= 3
    again, got = reread(tiny, broken, ids, [5, 4])
    close(got, wanted)
    close(again.layers[1].keys, cache.layers[1].keys)
    close(read(tiny, [7], 9, again, ape=ApeCall()), read(tiny, [7], 9, cache))
    differ(reread(tiny, broken, ids, [4])[1], wanted)
    assert broken.keys.shape[2] == 7


@pytest.mark.parametrize("kind", ["llama", "qwen2", "qwen3", "mistral"])
@pytest.mark.parametrize("method", ["ape", "guard", "superposition", "epic", "cacheblend"])
def test_architectures(kind, method, make_tiny, store):
    tiny = make_tiny()
    names = ("vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads")
    config = AutoConfig.for_model(
        kind,
        **{name: getattr(tiny.model.config, name) for name in names},
        num_key_value_heads=2,
        head_dim=16,
        sliding_window=None,
        use_sliding_window=False,
        max_position_embeddings=2048,
        eos_token_id=tiny.tokenizer.eos_token_id,
    )
    torch.manual_seed(1)
    network = AutoModelForCausalLM.from_config(config).eval()
    lm = LanguageModel(network, tiny.tokenizer, tiny._text, name=kind, fingerprint=f"{kind}:float32:0")
    engine = ContextEngine(lm, store)
    passages = PASSAGES[:2]
    if method in ("epic", "cacheblend"):
        close(logits(engine, method, passages, **WHOLE[method]), logits(engine, "sequential", passages))
    else:
        close(logits(engine, method, passages[:1], **PLAIN), logits(engine, "sequential", passages[:1]))
        fewer = {"keep": 2} if "keep" in READINGS[method].fields else {}
        assert torch.isfinite(logits(engine, method, **fewer)).all()


@pytest.mark.parametrize(("groups", "weight"), [(0, 1), (1, 1), (2, 1 / 2), (7, 1 / 7)])
def test_structured_prompting_divides_the_weight_of_the_passages(groups, weight):
    assert np.exp(structured_bias(groups)) == pytest.approx(weight)
