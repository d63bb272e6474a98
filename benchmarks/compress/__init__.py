"""`benchmarks compress`: answers and kept words that survive compression, and its speed."""

from benchmarks.compress.benchmark import add_options, run

__all__ = ["add_options", "run"]
