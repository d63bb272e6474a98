"""Data importance: the exact gradient equals every subset's; a planted bad source loses its weight."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from evaluation.beir import DataSet
from evaluation.importance import Ranking, expected_utility, expected_utility_slow, gradient, learn
from evaluation.importance_command import filter_of, main, weights_of
from evaluation.runs import Ranked, Run
from tests.support.beir_sets import write_beir

SOURCES = 5
RANKINGS = st.lists(
    st.tuples(st.integers(0, SOURCES - 1), st.sampled_from([0.0, 1.0, 2.0])), max_size=12
).map(lambda rows: Ranking([source for source, _ in rows], [answer for _, answer in rows]))
WEIGHTS = st.lists(st.floats(0, 1), min_size=SOURCES, max_size=SOURCES)


@given(ranking=RANKINGS, weights=WEIGHTS, top=st.integers(1, 6))
def test_the_expected_utility_is_that_of_all_subsets(ranking, weights, top):
    found = expected_utility(ranking, np.array([weights]), top)
    np.testing.assert_allclose(found, [expected_utility_slow(ranking, weights, top)], atol=1e-9)


@given(rankings=st.lists(RANKINGS, min_size=1, max_size=3), weights=WEIGHTS, top=st.integers(1, 4))
def test_the_gradient_is_that_of_all_subsets(rankings, weights, top):
    wanted = []
    for source in range(SOURCES):
        ends = [[*weights[:source], end, *weights[source + 1 :]] for end in (1.0, 0.0)]
        high, low = (sum(expected_utility_slow(one, end, top) for one in rankings) for end in ends)
        wanted.append((high - low) / len(rankings))
    np.testing.assert_allclose(gradient(rankings, np.array(weights), top), wanted, atol=1e-9)


def test_a_planted_bad_source_loses_its_weight():
    rankings = [Ranking([2, 0, 2, 1, 0], [0, 1, 0, 1, 0]) for _ in range(3)]
    weights = learn(rankings, 4, top=2)
    assert weights[2] < 0.01
    assert weights[0] > 0.99
    assert weights[3] == 0.5
    everything, learned = (expected_utility(rankings[0], row[None], 2)[0] for row in (np.ones(4), weights))
    assert learned > everything


def test_weights_are_written_by_source_with_their_set():
    data = DataSet("s", [], {"q": "?"}, {"q": {"s/good": 1, "s/bad": 0}})
    done = Run(data, {"q": Ranked(["s/bad", "s/good"])})
    found = weights_of(done, {"s/good": "handbook", "s/bad": "forum"}, 1, 20)
    assert found["weights"]["handbook"] > found["weights"]["forum"]
    assert (found["set"], found["queries"], found["top"], found["utility_all"]) == ("s", 1, 1, 0.0)
    assert found["utility"] > 0.9


def test_the_filter_leaves_out_what_weighs_little():
    assert filter_of("site", {"forum": 0.0, "handbook": 1.0}, 0.1) == {"site": {"$nin": ["forum"]}}
    assert filter_of("site", {"handbook": 1.0}, 0.1) is None


def test_documents_without_a_source_are_refused_with_the_remedy(tmp_path, capsys):
    folder = write_beir(
        tmp_path / "s",
        [{"_id": "d", "title": "", "text": "Figs."}],
        [{"_id": "q", "text": "figs"}],
        {"test": [("q", "d", 1)]},
    )
    assert main([str(folder), "--out", str(tmp_path / "weights.json")]) == 2
    assert "--source" in capsys.readouterr().err
