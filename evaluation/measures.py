"""How good rankings are, by ir-measures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from evaluation.beir import Qrels
from evaluation.errors import MeasuresMissing

MEASURES: Mapping[str, str] = {
    "ndcg@10": "nDCG@10",
    "recall@100": "R@100",
    "mrr@10": "RR@10",
    "hits@1": "Success@1",
    "hits@5": "Success@5",
    "hits@20": "Success@20",
}
"""Each measure as tables name it, and as ir-measures does."""


def scores(
    qrels: Qrels, ranked: Mapping[str, Sequence[str]], measures: Iterable[str] = tuple(MEASURES)
) -> dict[str, float]:
    """The mean of each measure over the queries of `qrels`; `ranked` has each query's documents, best first.

    Raises MeasuresMissing where ir-measures is not installed.

    >>> scores({"q": {"a": 1}}, {"q": ["b", "a"]}, ["mrr@10", "hits@1"])
    {'mrr@10': 0.5, 'hits@1': 0.0}
    """
    try:
        import ir_measures  # its own imports take a second
    except ImportError as error:
        raise MeasuresMissing from error
    wanted = {name: ir_measures.parse_measure(MEASURES[name]) for name in measures}
    run = {query: _falling(documents) for query, documents in ranked.items()}
    means = ir_measures.calc_aggregate(wanted.values(), qrels, run)
    return {name: float(means[measure]) for name, measure in wanted.items()}


def _falling(documents: Sequence[str]) -> dict[str, float]:
    """A score for each document, so that no two are equal."""
    return {document: 1.0 / rank for rank, document in enumerate(documents, start=1)}
