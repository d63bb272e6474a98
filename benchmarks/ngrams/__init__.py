"""`benchmarks ngrams`: the n-gram index beside its peers, and whole questions answered with it."""

from benchmarks.ngrams.benchmark import add_options, run

__all__ = ["add_options", "run"]
