"""Fusion: reciprocal ranks and weighted scores."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from base.methods import InvalidOption, UnknownMethod
from retrieval.fusion import CATALOGUE, InvalidFusionOption
from retrieval.fusion import fuse as fuse_by
from retrieval.types import Hits


def hits(*pairs):
    return Hits(np.array([n for n, _ in pairs], np.int64), np.array([s for _, s in pairs], np.float32))


METHODS = list(CATALOGUE)


def fuse(lists, *, method, weights, ceilings=None, **options):
    chosen = CATALOGUE.resolve({"method": method, **options})
    return fuse_by(lists, CATALOGUE.of(chosen).make(None), chosen, weights=weights, ceilings=ceilings)


ranked = st.lists(st.integers(0, 20), unique=True, max_size=8).map(
    lambda numbers: hits(*((number, 10.0 - at) for at, number in enumerate(numbers)))
)


def test_reciprocal_ranks_by_hand():
    fused = fuse({"a": hits((1, 9), (2, 8)), "b": hits((2, 5))}, method="rrf", weights={"b": 0.5}, k=60)
    assert fused.numbers.tolist() == [2, 1]
    assert fused.scores.tolist() == pytest.approx([1 / 62 + 0.5 / 61, 1 / 61])


def test_weighted_scores_by_hand():
    fused = fuse(
        {"a": hits((1, 9), (2, 8), (3, 7)), "b": hits((3, 0.2))},
        method="weighted",
        weights={"a": 2, "b": 1.5},
    )
    assert dict(zip(fused.numbers.tolist(), fused.scores.tolist(), strict=True)) == pytest.approx(
        {1: 2, 3: 1.5, 2: 1}
    )


def test_scores_by_hand():
    fused = fuse(
        {"a": hits((1, 0.9), (2, 0.5)), "b": hits((3, 8), (2, 6))},
        method="scores",
        weights={"b": 0.5},
        ceilings={"a": 1.0, "b": 20.0},
    )
    assert dict(zip(fused.numbers.tolist(), fused.scores.tolist(), strict=True)) == pytest.approx(
        {1: 0.9, 2: 0.5 + 0.15, 3: 0.2}
    )


def test_scores_without_a_ceiling_are_shares_of_the_best():
    fused = fuse({"a": hits((1, 8), (2, 2))}, method="scores", weights={})
    assert fused.scores.tolist() == [1.0, 0.25]


@given(ranked, st.integers(21, 30))
def test_scores_of_one_passage_do_not_depend_on_what_else_was_found(a, other):
    """What makes collections comparable: by min and max, one more passage moves the others."""
    more = Hits(np.append(a.numbers, other), np.append(a.scores, np.float32(0.1)))
    ceilings = {"a": 12.0}
    alone, beside = (
        dict(zip(one.numbers.tolist(), one.scores.tolist(), strict=True))
        for one in (fuse({"a": given}, method="scores", weights={}, ceilings=ceilings) for given in (a, more))
    )
    assert alone == {number: score for number, score in beside.items() if number != other}


@given(ranked, ranked, st.sampled_from(METHODS))
def test_a_list_of_weight_zero_counts_for_nothing(a, b, method):
    alone = fuse({"a": a}, method=method, weights={})
    both = fuse({"a": a, "b": b}, method=method, weights={"b": 0.0})
    assert alone.numbers.tolist() == both.numbers.tolist()


@given(ranked, ranked, ranked, st.sampled_from(METHODS), st.permutations("abc"))
def test_the_order_of_the_lists_does_not_matter(a, b, c, method, order):
    lists = {"a": a, "b": b, "c": c}
    shuffled = {name: lists[name] for name in order}
    one, other = (fuse(given, method=method, weights={"a": 2.0, "c": 0.3}) for given in (lists, shuffled))
    assert one.numbers.tolist() == other.numbers.tolist()
    assert one.scores.tolist() == other.scores.tolist()
    assert set(one.numbers.tolist()) == {
        number for hits in lists.values() for number in hits.numbers.tolist()
    }
    assert one.scores.tolist() == sorted(one.scores.tolist(), reverse=True)


@given(ranked, ranked, ranked)
def test_equal_ranks_in_whatever_lists_tie(a, b, c):
    lists = {"a": a, "b": b, "c": c}
    fused = fuse(lists, method="rrf", weights={})
    ranks = {
        number: sorted(
            hits.numbers.tolist().index(number) for hits in lists.values() if number in hits.numbers
        )
        for number in fused.numbers.tolist()
    }
    for one, other in itertools.pairwise(fused.numbers.tolist()):
        if ranks[one] == ranks[other]:
            assert one < other


@given(ranked, ranked, st.data())
def test_a_better_rank_never_hurts(a, b, data):
    if len(a) < 2:
        return
    at = data.draw(st.integers(1, len(a) - 1))
    numbers = a.numbers.tolist()
    promoted = [*numbers[: at - 1], numbers[at], numbers[at - 1], *numbers[at + 1 :]]
    before, after = (
        fuse({"a": Hits(np.array(order), a.scores), "b": b}, method="rrf", weights={}).numbers.tolist()
        for order in (numbers, promoted)
    )
    assert after.index(numbers[at]) <= before.index(numbers[at])


@given(ranked)
def test_one_list_keeps_its_order(a):
    assert fuse({"a": a}, method="rrf", weights={}).numbers.tolist() == a.numbers.tolist()


@pytest.mark.parametrize("method", METHODS)
def test_ties_go_by_number(method):
    lists = {"a": hits((1, 1.0)), "b": hits((2, 1.0))}
    assert fuse(lists, method=method, weights={}).numbers.tolist() == [1, 2]
    assert len(fuse({}, method=method, weights={})) == 0
    assert len(fuse({"a": hits()}, method=method, weights={})) == 0


@pytest.mark.parametrize("method", METHODS)
def test_weights_of_the_options_win(method):
    lists = {"a": hits((1, 1.0)), "b": hits((2, 1.0))}
    assert fuse(lists, method=method, weights={"b": 0.5}).numbers.tolist() == [1, 2]
    chosen = CATALOGUE.resolve({"method": method, "weights": {"a": 0.1}})
    found = fuse_by(lists, CATALOGUE.of(chosen).make(None), chosen, weights={"a": 5.0, "b": 0.5})
    assert found.numbers.tolist() == [2, 1]


@pytest.mark.parametrize(
    "options",
    [
        {"method": "sum"},
        {"k": -1},
        {"weights": {"a": -0.5}},
        {"weights": {"a": float("nan")}},
        {"weights": {"a": float("inf")}},
    ],
)
def test_options_out_of_range_are_refused(options):
    with pytest.raises((InvalidFusionOption, InvalidOption, UnknownMethod)):
        fuse({"a": hits((1, 1.0))}, **({"method": "rrf", "weights": {}} | options))


def test_k_flattens_the_ranks():
    lists = {
        "a": hits((1, 9), (2, 8), (3, 7), (4, 6)),
        "b": hits((5, 9), (6, 8), (7, 7), (4, 6)),
    }
    assert fuse(lists, method="rrf", weights={}, k=60).numbers.tolist()[0] == 4
    assert fuse(lists, method="rrf", weights={}, k=1).numbers.tolist()[:3] == [1, 5, 4]


def points_slow(hits, at, method, ceiling):
    """The points of the hit at a place, as the papers write them."""
    scores = [float(score) for score in hits.scores]
    if method == "rrf":
        return 1 / (60 + at + 1)
    if method == "weighted":
        span = max(scores) - min(scores)
        return (scores[at] - min(scores)) / span if span else 1.0
    return scores[at] / (ceiling or max(scores))


scored = st.dictionaries(st.integers(0, 9), st.integers(1, 64).map(float), max_size=8).map(
    lambda found: hits(*sorted(found.items(), key=lambda item: (-item[1], item[0])))
)


@given(scored, scored, st.sampled_from(METHODS), st.sampled_from([{}, {"a": 64.0}]))
def test_every_method_equals_its_slow_twin(a, b, method, ceilings):
    lists, weights = {"a": a, "b": b}, {"a": 2.0, "b": 0.25}
    fused = fuse(lists, method=method, weights=weights, ceilings=ceilings)
    expected = {
        number: sum(
            weights[name]
            * points_slow(found, found.numbers.tolist().index(number), method, ceilings.get(name))
            for name, found in lists.items()
            if number in found.numbers
        )
        for number in {*a.numbers.tolist(), *b.numbers.tolist()}
    }
    assert dict(zip(fused.numbers.tolist(), fused.scores.tolist(), strict=True)) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("method", "option"), [(method, option) for method in METHODS for option in CATALOGUE[method].fields]
)
def test_every_option_matters(method, option):
    lists = {"a": hits((1, 9), (2, 7)), "b": hits((3, 9), (1, 2))}
    usual = CATALOGUE.resolve({"method": method})
    other = CATALOGUE.resolve({"method": method, option: {"weights": {"a": 0.5}, "k": 1}[option]})
    found = [fuse_by(lists, CATALOGUE.of(one).make(None), one).scores.tolist() for one in (usual, other)]
    assert found[0] != found[1]


@pytest.mark.parametrize("method", METHODS)
def test_unknown_options_are_refused(method):
    with pytest.raises(InvalidOption) as caught:
        CATALOGUE.resolve({"method": method, "rank": 1})
    assert caught.value.allowed == list(CATALOGUE[method].fields)


@given(ranked, ranked, st.floats(0.1, 3), st.sampled_from(METHODS))
def test_scores_stay_within_their_stated_bounds(a, b, weight, method):
    fused = fuse({"a": a, "b": b}, method=method, weights={"b": weight}, ceilings={"a": 10.0, "b": 10.0})
    most = (1 + weight) / (61 if method == "rrf" else 1)
    assert (fused.scores <= most * (1 + 1e-6)).all()
    assert (fused.scores > 0).all() or method == "weighted"
    assert (fused.scores >= 0).all()
