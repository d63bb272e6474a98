"""Drafts from the passages change the number of passes and nothing else."""

from __future__ import annotations

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from context import ContextEngine, ContextPassage, PrefixStore
from context.writing.drafting import Drafter
from context.writing.scheduler import Scheduler
from tests.support.readings import begin
from tests.support.speeds import examples

WORDS = [
    "the",
    "head",
    "of",
    "finance",
    "approves",
    "travel",
    "above",
    "2000",
    "euros",
    "and",
    "dogs",
    "are",
    "not",
    "allowed",
    "at",
    "9:00",
]


class Ear:
    def __init__(self):
        self.text, self.ends = "", []

    def began(self, row):
        pass

    def said(self, text):
        self.text += text

    def ended(self, error):
        self.ends.append(error)


@pytest.fixture(scope="module")
def engine(tiny):
    store = PrefixStore(10**8)
    yield ContextEngine(tiny, store)
    store.close()


def write(engine, passages, drafts, sources=None, **options):
    """One answer, with drafts from `sources` in place of the passages if they are given."""
    scheduler = Scheduler(engine.lm, drafts=drafts)
    row = scheduler.join(begin(engine, "Who approves travel?", passages, **options), Ear())
    if sources is not None and row.drafter is not None:
        row.drafter = Drafter(sources, drafts)
    while scheduler.step():
        pass
    assert row.listener.ends == [None]
    assert row.usage.generated_tokens == scheduler.tokens
    return (row.transcript.ids, row.listener.text, row.finish_reason), scheduler.steps


@pytest.mark.long
@given(
    seed=st.integers(0, 10**6),
    drafts=st.integers(1, 8),
    method=st.sampled_from(["ape", "sequential", "guard"]),
    sampling=st.sampled_from([0.0, 0.0, 0.8]),
)
@settings(max_examples=examples(25), suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_with_drafts_the_answer_is_the_same(engine, seed, drafts, method, sampling):
    """Drafts that are right, wrong, or right for a while, from a source that holds the answer itself."""
    draw = random.Random(seed)
    passages = [
        ContextPassage("T", " ".join(draw.choices(WORDS, k=draw.randrange(3, 40))))
        for _ in range(draw.randrange(4))
    ]
    options = {
        "method": method,
        "sampling": sampling,
        "seed": seed,
        "max_tokens": draw.randrange(1, 40),
    }
    wanted, steps = write(engine, passages, 0, **options)
    ids = wanted[0]
    spoiled = [token if draw.random() < 0.8 else draw.randrange(300) for token in ids]
    assert write(engine, passages, drafts, **options)[0] == wanted
    for source in (ids, spoiled):
        assert write(engine, passages, drafts, [source], **options)[0] == wanted
    assert write(engine, passages, drafts, [ids], **options)[1] <= steps


def test_right_drafts_save_passes(engine, monkeypatch):
    monkeypatch.setattr(engine.lm, "eos_ids", frozenset())
    options = {"max_tokens": 60}
    wanted, steps = write(engine, [], 0, **options)
    got, fewer = write(engine, [], 8, [wanted[0]], **options)
    assert got == wanted
    assert steps == 59
    assert fewer < 30


def test_drafts_stop_while_many_write(engine, monkeypatch):
    monkeypatch.setattr(engine.lm, "eos_ids", frozenset())
    scheduler = Scheduler(engine.lm, drafts=8, drafting_rows=2)
    rows = [scheduler.join(begin(engine, "Who?", [], max_tokens=20), Ear()) for _ in range(3)]
    (ids, _, _), _ = write(engine, [], 0, max_tokens=20)
    for row in rows:
        row.drafter = Drafter([ids], 8)
    while scheduler.step():
        pass
    assert len({row.listener.text for row in rows}) == 1
    assert len(ids) == 20
    assert scheduler.steps == 19


def test_drafts_follow_the_longest_run_and_its_first_place():
    drafter = Drafter([[9, 1, 2, 3, 4], [1, 2, 7, 7], [5, 1, 2, 8]], 4)
    assert drafter.draft([9, 1, 2], 10) == [3, 4]
    assert drafter.draft([0, 1, 2], 10) == [3, 4]
    assert drafter.draft([5, 1, 2], 10) == [8]
    assert drafter.draft([1, 2], 1) == [3]
    assert drafter.draft([3, 4], 10) == []
    assert drafter.draft([4], 10) == []
    assert drafter.draft([1, 2], 0) == []


def test_drafts_grow_with_success_and_shrink_without():
    drafter = Drafter([list(range(100))], 8)

    def size():
        return len(drafter.draft([1, 2, 3], 100))

    assert size() == 8
    for wanted in (4, 2, 1, 0):
        drafter.learn(8, 0)
        if wanted:
            assert size() == wanted
    assert [size() for _ in range(16)].count(1) == 2
    drafter.learn(1, 1)
    assert size() == 1
    drafter.learn(1, 1)
    assert size() == 2
    drafter.learn(2, 1)
    drafter.learn(0, 0)
    assert size() == 2
