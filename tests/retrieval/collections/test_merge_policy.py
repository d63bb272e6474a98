"""Which segments are merged: few are left, each passage is copied a few times only."""

import math

from hypothesis import given
from hypothesis import strategies as st

from retrieval import MergePolicy
from retrieval.collections.merge_policy import SMALLEST

segments = st.lists(st.tuples(st.integers(0, 3000), st.floats(0, 1)), max_size=40)
policies = st.builds(
    MergePolicy,
    fan_in=st.integers(2, 8),
    dead_share=st.floats(0.01, 1),
    largest=st.integers(1, 20_000),
)


def settle(policy, sizes, choose=None, **options):
    """Merges until there is nothing to do; returns the segments left and how many passages were copied."""
    sizes, copied = list(sizes), 0
    while chosen := (choose or policy.choose)(sizes, **options):
        total = sum(sizes[at][0] for at in chosen)
        copied += total
        sizes[chosen[0]] = (total, 0.0)
        sizes = [size for at, size in enumerate(sizes) if at not in chosen[1:]]
    return sizes, copied


@given(policies, segments, st.none() | st.integers(0, 5000))
def test_what_is_chosen_is_allowed(policy, sizes, budget):
    for choose in (policy.choose, policy.choose_all):
        chosen = choose(sizes, budget=budget)
        total = sum(sizes[at][0] for at in chosen)
        assert chosen == sorted(set(chosen))
        assert all(0 <= at < len(sizes) for at in chosen)
        assert budget is None or total <= budget
        assert len(chosen) < 2 or total <= policy.largest
        assert len(chosen) != 1 or sizes[chosen[0]][1] > 0


@given(policies, segments)
def test_nothing_mostly_dead_is_left_and_it_ends(policy, sizes):
    left, _ = settle(policy, sizes)
    assert sum(size for size, _ in left) == sum(size for size, _ in sizes)
    assert all(share < policy.dead_share for _, share in left)


@given(policies, segments)
def test_all_are_merged_as_far_as_they_may(policy, sizes):
    left, _ = settle(policy, sizes, policy.choose_all)
    assert all(share == 0 for _, share in left)
    small = sorted(size for size, _ in left if size <= policy.largest)
    assert len(small) < 2 or small[0] + small[1] > policy.largest


@given(st.integers(2, 8), st.lists(st.integers(1, 2000), min_size=1, max_size=300))
def test_segments_stay_few_and_copies_too(fan_in, added):
    policy = MergePolicy(fan_in=fan_in)
    sizes, copied = [], 0
    for size in added:
        sizes, more = settle(policy, [*sizes, (size, 0.0)])
        copied += more
        tiers = 1 + math.ceil(math.log(max(1, sum(one for one, _ in sizes) / SMALLEST), fan_in))
        assert len(sizes) <= (fan_in - 1) * max(1, tiers)
    # In the smallest tier a passage may be copied with each merge of it, above once a tier.
    assert copied <= sum(added) * tiers + len(added) * SMALLEST
    assert settle(policy, sizes) == (sizes, 0)


def test_the_oldest_that_fit_are_merged():
    policy = MergePolicy(fan_in=3, largest=4000)
    assert policy.choose([(1500, 0), (1400, 0), (1600, 0), (900, 0)]) == [0, 1, 3]
    assert policy.choose([(1500, 0), (1400, 0), (1600, 0), (900, 0)], budget=3000) == []
    assert policy.choose([(3000, 0.5), (100, 0.3)], budget=3000) == [0]
    assert policy.choose([(3000, 0.5), (100, 0.3)], budget=200) == [1]
