"""`benchmarks tokens`: token retrieval beside its peers, over encoded or synthetic vectors."""

from benchmarks.tokens.benchmark import add_options, run

__all__ = ["add_options", "run"]
