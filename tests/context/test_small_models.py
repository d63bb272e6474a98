"""The packaged language model: the equalities hold in its own number format, and it answers from the passage."""

from __future__ import annotations

import pytest
import torch

from context import Citer, ContextEngine, ContextPassage, PrefixStore
from tests.support.readings import begin

pytestmark = pytest.mark.model

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
    logits = [
        begin(engine, "Who approves travel?", PASSAGES[:1], mode, **options)._logits.float()
        for mode, options in (("ape", {"temperature": 1.0, "scale": 1.0}), ("sequential", {}))
    ]
    ape, sequential = (torch.softmax(row, -1) for row in logits)
    if engine.lm.dtype == torch.float32:
        torch.testing.assert_close(*logits, atol=1e-3, rtol=0)
    assert (ape - sequential).abs().sum() < 0.2
    assert ape.argmax() == sequential.argmax()


def test_it_answers_from_the_passages_with_a_citation(engine):
    question = "Who approves travel above 2000 euros?"
    run = begin(engine, question, PASSAGES, max_tokens=40)
    citer = Citer([passage.text for passage in PASSAGES], question=question)
    parts = []
    while (piece := run.step()) is not None:
        parts.append(citer.feed(piece))
    parts.append(citer.finish())
    citations = [cited for part in parts for cited in part.citations]
    assert "".join(part.text for part in parts).startswith("The head of finance")
    assert [cited.quote for cited in citations] == ["The head of finance approves travel above 2000 euros."]
    assert run.finish_reason == "stop"
    assert begin(engine, "And the dogs?", PASSAGES).usage.cached_tokens == run.usage.context_tokens


def test_calibrated_entropy_lies_between_sequential_and_plain_parallel_reading(engine):
    painted = {"door": "red", "roof": "grey", "fence": "white", "wall": "blue"}
    notes = [f"The {name} of the house is painted {color} every spring." for name, color in painted.items()]
    passages = [*PASSAGES, *(ContextPassage("Note", text) for text in notes)]

    def entropy(method, **options):
        run = begin(engine, "Who approves travel?", passages, method, statistics=True, **options)
        return run.notes.entropy

    sequential, plain = entropy("sequential"), entropy("naive")
    assert sequential < entropy("ape", temperature=0.9, scale=0.9) < plain
    assert abs(entropy("ape") - sequential) < (plain - sequential) / 2
    assert entropy("guard", temperature=1.0, scale=1.0, keep=2) < plain


def test_the_question_finds_its_passage(engine):
    for question, wanted in (("Who approves travel above 2000 euros?", 0), ("When does the office open?", 1)):
        saliency = engine.saliency(question, PASSAGES)
        assert max(range(2), key=saliency.__getitem__) == wanted
        assert begin(engine, question, PASSAGES, "superposition", keep=1).notes.read == (wanted,)
