"""Data sets in BEIR layout, measures and runs, for `excerpta evaluate`, benchmarks and training."""
