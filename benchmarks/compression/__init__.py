"""The parts of `benchmarks compress`: questions, baselines and a reader."""
