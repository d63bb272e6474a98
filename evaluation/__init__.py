"""Data sets in BEIR layout and measures over them; used by benchmarks and training."""
