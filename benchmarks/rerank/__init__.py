"""Rerankers on the same lists of candidates in one run."""

from benchmarks.rerank.benchmark import CASES, add_options, run

__all__ = ["CASES", "add_options", "run"]
