"""The GPU's path, run on the CPU by the same code: exact scores, filters as masks, memory kept to its budget."""

import gc

import numpy as np
import pytest
import torch

from retrieval.tokens import TokenIndex, TokenOptions, search_tokens
from retrieval.tokens import accelerator as module
from retrieval.tokens.accelerator import Accelerator, accelerator_for

DIM = 16
CPU = torch.device("cpu")


def unit(rng, count):
    vectors = rng.standard_normal((count, DIM)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def build(directory, lengths, seed=0):
    directory.mkdir()
    rng = np.random.default_rng(seed)
    TokenIndex.build(directory, [unit(rng, int(length)) for length in lengths])
    return TokenIndex.open(directory)


@pytest.fixture
def segments(tmp_path):
    lengths = np.random.default_rng(1).integers(0, 12, 80)
    return [build(tmp_path / "a", lengths[:50]), build(tmp_path / "b", lengths[50:], seed=1)]


@pytest.mark.parametrize("cells", [1, 64, 1 << 27])
@pytest.mark.parametrize("share", [None, 0.0, 0.3])
def test_it_finds_what_the_exact_search_finds(segments, monkeypatch, cells, share):
    monkeypatch.setattr(module, "_CELLS", cells)
    rng = np.random.default_rng(2)
    allowed = [None, None] if share is None else [rng.random(50) < share, rng.random(30) < share]
    queries = [unit(rng, 3), unit(rng, 5), np.zeros((0, DIM), np.float32)]
    accelerator = Accelerator([CPU, CPU])
    assert accelerator.holds(segments)
    found = accelerator.search(segments, [0, 50], queries, limit=10, allowed=allowed)
    for query, hits in zip(queries, found, strict=True):
        exact = search_tokens(segments, [0, 50], query, TokenOptions(limit=10), allowed=allowed)
        assert hits.numbers.tolist() == exact.numbers.tolist()
        assert hits.scores == pytest.approx(exact.scores, abs=1e-5)


def test_what_does_not_fit_is_left_to_the_cpu(segments):
    size = segments[0].tokens * DIM * 4
    accelerator = Accelerator([CPU], budget=size)
    assert accelerator.holds(segments[:1])
    assert not accelerator.holds(segments)
    assert accelerator.holds(segments[:1])


def test_a_segment_that_is_gone_leaves_its_memory(tmp_path):
    index = build(tmp_path / "a", [4, 5])
    accelerator = Accelerator([CPU], budget=9 * DIM * 4)
    assert accelerator.holds([index])
    del index
    gc.collect()
    assert accelerator.holds([build(tmp_path / "b", [9])])


def test_a_cpu_has_no_accelerator():
    assert accelerator_for(CPU) is None
