"""Segments that device tests search: clustered tokens, in lists of every tier and flat."""

import numpy as np
import torch

from retrieval.tokens import TokenIndex
from retrieval.tokens.devices.lists import ListedCodes

CPU = torch.device("cpu")


def clustered(rng, count, dim, spread=0.7):
    centres = np.random.default_rng(99).standard_normal((80, dim)).astype(np.float32)
    vectors = centres[rng.integers(0, 80, count)]
    vectors = vectors + spread * rng.standard_normal((count, dim)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def build(directory, passages, **options):
    directory.mkdir(parents=True, exist_ok=True)
    TokenIndex.build(directory, passages, **options)
    return TokenIndex.open(directory)


def listed(directory, count=200, dim=32, *, seed=0, tier="fast", longest=12, **options):
    """Passages of 0 to `longest` - 1 tokens in inverted lists."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(0, longest, count)
    passages = [clustered(rng, int(length), dim) for length in lengths]
    return build(directory, passages, tier=tier, flat_up_to=0, **options)


def decoded(index):
    return decoded_lists(ListedCodes.read(index.lists))


def decoded_lists(read):
    """What codes stand for: vectors (tokens, d) and offsets (tokens,) of a similarity, and the list and the
    passage (tokens,) of each."""
    rows = read.words[np.arange(read.codes.shape[1]), read.codes]
    rows = rows.reshape(len(read.codes), -1)[:, : read.centroids.shape[1]]
    lists = np.repeat(np.arange(len(read.centroids)), np.diff(read.starts))
    scales = np.ones(len(rows)) if read.scales is None else read.scales.astype(np.float64)
    offsets = np.zeros(len(rows)) if read.offsets is None else read.offsets.astype(np.float64)
    return read.centroids[lists] + scales[:, None] * rows, offsets, lists, read.owners
