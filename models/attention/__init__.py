"""Runs a language model over keys and values that were computed before: blocks, batches, kernels."""
