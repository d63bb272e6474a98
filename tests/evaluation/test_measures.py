"""Measures equal their definitions."""

import math
import sys

import pytest

from evaluation.errors import MeasuresMissing
from evaluation.measures import MEASURES, scores


def test_scores_equal_their_definitions():
    qrels = {"a": {"x": 2, "y": 1}, "b": {"z": 1}}
    found = scores(qrels, {"a": ["n", "x", "y"], "b": ["n", "m"]})
    ideal = 2 + 1 / math.log2(3)
    gained = 2 / math.log2(3) + 1 / math.log2(4)
    assert found == pytest.approx(
        {
            "ndcg@10": gained / ideal / 2,
            "recall@100": 0.5,
            "mrr@10": 0.25,
            "hits@1": 0.0,
            "hits@5": 0.5,
            "hits@20": 0.5,
        }
    )


def test_a_query_without_documents_counts_as_missed():
    qrels = {"a": {"x": 1}, "b": {"x": 1}}
    assert scores(qrels, {"a": ["x"], "b": []}, ["hits@1"]) == {"hits@1": 0.5}


def test_the_order_decides_and_nothing_else():
    qrels = {"q": {"d5": 1}}
    ranked = [f"d{at}" for at in range(200)]
    assert scores(qrels, {"q": ranked}, ["mrr@10"])["mrr@10"] == pytest.approx(1 / 6)
    assert set(scores(qrels, {"q": ranked})) == set(MEASURES)


def test_the_missing_package_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "ir_measures", None)
    with pytest.raises(MeasuresMissing, match=r"excerpta-server\[evaluate\]"):
        scores({"q": {"d": 1}}, {"q": ["d"]})
