"""`benchmarks context`: speed and quality of reading passages in parallel from the prefix store."""

from benchmarks.context.benchmark import add_options, run

__all__ = ["add_options", "run"]
