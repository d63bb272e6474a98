"""What a query has read is not read again: by its later stages, nor its likelihoods by later queries."""

import pytest
from excerpta.types.reading import Ape, Sequential, Superposition
from hypothesis import given
from hypothesis import strategies as st

from context import ContextEngine, ContextPassage, Held, PrefixStore, Writing
from context.prefix_store import BlockKey
from context.reading import paths
from context.reading.saliencies import Saliencies

QUESTION = "Who approves travel?"
PASSAGES = [
    ContextPassage("Travel", "Travel above 2000 euros is approved by the head of finance."),
    ContextPassage("", "Tides are caused by the gravity of the moon."),
    ContextPassage("Dogs", "Dogs are allowed in the office on Fridays only, if they are quiet."),
]


def begun(engine, reading, held, passages=PASSAGES):
    return engine.start(QUESTION, passages, reading, writing=Writing(max_tokens=1), held=held)


@pytest.fixture
def forgetful(tiny):
    """An engine whose store keeps nothing."""
    store = PrefixStore(0)
    yield ContextEngine(tiny, store)
    store.close()


@pytest.mark.parametrize("reading", [Ape(), Superposition()])
def test_the_answer_reads_what_ranking_encoded(forgetful, reading):
    held = Held()
    forgetful.saliency(QUESTION, PASSAGES, held=held)
    assert held.encoded == len(PASSAGES)
    encoded = forgetful.store.stats().encoded
    run = begun(forgetful, reading, held, PASSAGES[:2])
    assert held.encoded == len(PASSAGES)
    assert run.usage.cached_tokens == 0, "this query had to encode them"
    assert held.blocks == {}, "an answer holds its own"
    leads = 2 if isinstance(reading, Superposition) else 0  # the words between passage and question
    assert forgetful.store.stats().encoded - encoded <= leads


def test_a_passage_that_is_there_twice_is_encoded_once(engine):
    held = Held()
    engine.saliency(QUESTION, [*PASSAGES, *PASSAGES], held=held)
    assert held.encoded == len(PASSAGES)


def test_a_later_query_encodes_nothing(engine):
    engine.saliency(QUESTION, PASSAGES)
    held = Held()
    run = begun(engine, Ape(), held)
    assert held.encoded == 0
    assert run.usage.cached_tokens == run.usage.context_tokens


def test_a_reading_without_blocks_reads_every_passage(engine):
    held = Held()
    begun(engine, Sequential(), held)
    assert held.encoded == len(PASSAGES)


def test_a_question_is_read_once_after_a_passage(engine, monkeypatch):
    reads = []
    forward = paths._forward

    def counted(network, lm, prefix, passages, *rest, **options):
        reads.append(len(passages))
        return forward(network, lm, prefix, passages, *rest, **options)

    first = engine.saliency(QUESTION, PASSAGES)
    monkeypatch.setattr(paths, "_forward", counted)
    assert engine.saliency(QUESTION, PASSAGES[::-1]) == first[::-1]
    run = begun(engine, Superposition(), Held())
    assert reads == []
    assert list(run.notes.saliency) == first
    engine.saliency("Another question?", PASSAGES)
    engine.saliency(QUESTION, PASSAGES, salt=b"another caller")
    assert sum(reads) >= 2 * len(PASSAGES)


def test_forgotten_texts_take_their_likelihoods_along(engine):
    first = engine.saliency(QUESTION, PASSAGES)
    engine.forget_texts()
    assert engine._saliencies._known == {}
    assert engine.saliency(QUESTION, PASSAGES) == pytest.approx(first, abs=1e-5)


@given(st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from("xy")), max_size=20), st.integers(1, 4))
def test_known_values_are_those_measured(asked, capacity):
    known = Saliencies(capacity)
    for passage, question in asked:
        key = BlockKey("", "", "", passage)
        value = -float(ord(passage)) - ord(question) / 1000
        assert known.of([key], [ord(question)], lambda missing, value=value: [value] * len(missing)) == [
            value
        ]
        assert len(known._known) <= capacity
