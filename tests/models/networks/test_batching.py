"""Batches: every input once, within the budget, little padding."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from models.networks.batching import plan_batches


@given(st.lists(st.integers(0, 600), max_size=60), st.integers(1, 2000), st.sampled_from([0, 16, 48, 4096]))
def test_plan(lengths: list[int], budget: int, call_cost: int) -> None:
    batches = plan_batches(lengths, budget=budget, call_cost=call_cost)
    assert sorted(at for batch in batches for at in batch) == list(range(len(lengths)))
    for batch in batches:
        longest = max(lengths[at] for at in batch)
        assert len(batch) == 1 or longest * len(batch) <= budget
        assert sum(longest - lengths[at] for at in batch) <= call_cost
    flat = [lengths[at] for batch in batches for at in batch]
    assert flat == sorted(lengths, reverse=True)


def test_equal_lengths_fill_the_budget() -> None:
    assert [len(batch) for batch in plan_batches([10] * 25, budget=100)] == [10, 10, 5]


def test_a_single_input_over_the_budget_goes_alone() -> None:
    assert plan_batches([500, 5], budget=100, call_cost=1000) == [[0], [1]]


def test_nothing() -> None:
    assert plan_batches([], budget=10) == []
