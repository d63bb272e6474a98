"""The packaged language model: the equalities hold in its own number format, and it answers from the passage."""

from __future__ import annotations

import pytest
import torch

from context import Citer, ContextEngine, ContextPassage, PrefixStore

pytestmark = pytest.mark.real_model

PASSAGES = [
    ContextPassage(
        "Travel policy",
        "Travel costs are paid back within ten days. The head of finance approves travel above 2000 euros. "
        "Below that sum the team lead approves it.",
    ),
    ContextPassage("Office", "The office opens at 9:00. Dogs are not allowed in the kitchen."),
]


@pytest.fixture(scope="module")
def engine(small_models):
    store = PrefixStore(1 << 28)
    yield ContextEngine(small_models.lm, store)
    store.close()


def test_one_passage_reads_as_in_sequence(engine):
    options = {"max_tokens": 1, "temperature": 1.0, "scale": 1.0}
    logits = [
        engine.start("Who approves travel?", PASSAGES[:1], mode=mode, **options)._logits.float()
        for mode in ("ape", "sequential")
    ]
    ape, sequential = (torch.softmax(row, -1) for row in logits)
    if engine.lm.dtype == torch.float32:
        torch.testing.assert_close(*logits, atol=1e-3, rtol=0)
    assert (ape - sequential).abs().sum() < 0.2
    assert ape.argmax() == sequential.argmax()


def test_it_answers_from_the_passages_with_a_citation(engine):
    question = "Who approves travel above 2000 euros?"
    run = engine.start(question, PASSAGES, max_tokens=40)
    citer = Citer([passage.text for passage in PASSAGES], question=question)
    parts = []
    while (piece := run.step()) is not None:
        parts.append(citer.feed(piece))
    parts.append(citer.finish())
    citations = [cited for part in parts for cited in part.citations]
    assert "".join(part.text for part in parts).startswith("The head of finance")
    assert [cited.quote for cited in citations] == ["The head of finance approves travel above 2000 euros."]
    assert run.finish_reason == "stop"
    assert engine.start("And the dogs?", PASSAGES).usage.cached_tokens == run.usage.context_tokens
