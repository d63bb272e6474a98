"""What devices hold, run on the CPU by the same code: vectors while they fit, codes above, within a budget."""

import gc

import numpy as np
import pytest
import torch

from retrieval.tokens import TokenOptions, search_tokens
from retrieval.tokens.devices import ResidentCodes, ResidentVectors, accelerator, vectors
from retrieval.tokens.devices.accelerator import Accelerator
from tests.support.device_segments import CPU, build, clustered, listed

pytestmark = pytest.mark.long


DIM = 16


def flat(directory, lengths, seed=0):
    rng = np.random.default_rng(seed)
    return build(directory, [clustered(rng, int(length), DIM) for length in lengths])


@pytest.fixture
def segments(tmp_path):
    lengths = np.random.default_rng(1).integers(0, 12, 80)
    return [flat(tmp_path / "a", lengths[:50]), flat(tmp_path / "b", lengths[50:], seed=1)]


@pytest.fixture
def large(tmp_path):
    """Two segments with lists."""
    return [listed(tmp_path / "c", 300, DIM), listed(tmp_path / "d", 200, DIM, seed=1)]


def forms(made, indexes):
    return [type(made._resident(index)) for index in indexes]


def size(form, indexes):
    return sum(form.size(index, CPU) for index in indexes)


@pytest.mark.parametrize("cells", [1, 64, 1 << 27])
@pytest.mark.parametrize("share", [None, 0.0, 0.1, 0.6])
def test_it_finds_what_the_exact_search_finds(segments, monkeypatch, cells, share):
    monkeypatch.setattr(vectors, "_CELLS", cells)
    rng = np.random.default_rng(2)
    allowed = [None, None] if share is None else [rng.random(50) < share, rng.random(30) < share]
    queries = [clustered(rng, 3, DIM), clustered(rng, 5, DIM), np.zeros((0, DIM), np.float32)]
    made = Accelerator([CPU, CPU])
    assert made.holds(segments)
    assert all(shard.held for shard in made._shards)
    found = made.search(segments, [0, 50], queries, TokenOptions(limit=10), allowed=allowed)
    for query, hits in zip(queries, found, strict=True):
        exact = search_tokens(segments, [0, 50], query, TokenOptions(limit=10), allowed=allowed)
        assert hits.numbers.tolist() == exact.numbers.tolist()
        assert hits.scores == pytest.approx(exact.scores, abs=1e-5)


@pytest.mark.parametrize("cells", [1, 64, 1 << 27])
@pytest.mark.parametrize("allowed", [None, 3])
def test_nearest_tokens_among_vectors_are_those_of_a_flat_segment(segments, monkeypatch, cells, allowed):
    monkeypatch.setattr(vectors, "_CELLS", cells)
    index = segments[0]
    bits = None if allowed is None else np.arange(50) % allowed == 0
    query = clustered(np.random.default_rng(3), 4, DIM)
    for k in (1, 7, 1_000):
        values, names = ResidentVectors(index, CPU).nearest(query, k, bits, passing=1, most_probes=None)
        wanted, owners = index.search(query, k, bits)
        assert values.numpy() == pytest.approx(-np.sort(-wanted, axis=1), abs=1e-5)
        assert [sorted(row) for row in names.tolist()] == [sorted(row) for row in owners.tolist()]


def test_what_does_not_fit_is_left_to_the_cpu(segments):
    made = Accelerator([CPU], budget=size(ResidentVectors, segments[:1]))
    assert made.holds(segments[:1])
    assert not made.holds(segments)
    assert made.holds(segments[:1])


def test_what_does_not_fit_as_vectors_is_held_as_codes(large, segments):
    made = Accelerator([CPU], budget=size(ResidentVectors, large))
    assert made.holds(large)
    assert forms(made, large) == [ResidentVectors] * 2
    # With flat segments beside them, which have no codes, they give way.
    assert made.holds([*large, *segments])
    assert forms(made, [*large, *segments]) == [ResidentCodes] * 2 + [ResidentVectors] * 2
    assert made.holds(large)
    assert forms(made, large) == [ResidentCodes] * 2
    query = clustered(np.random.default_rng(4), 4, DIM)
    chosen = TokenOptions(limit=10, k_tokens=100, exact_up_to=0)
    found = made.search(large, [0, 300], [query], chosen, allowed=[None, None])[0]
    on_cpu = search_tokens(large, [0, 300], query, chosen, allowed=[None, None])
    assert found.numbers.tolist() == on_cpu.numbers.tolist()


def test_codes_that_do_not_fit_change_nothing(large):
    made = Accelerator([CPU], budget=size(ResidentCodes, large) - 1)
    assert not made.holds(large)
    assert forms(made, large) == [type(None)] * 2
    assert made.holds(large[:1])


def test_a_segment_fits_on_one_device_or_not_at_all(large):
    share = size(ResidentCodes, large) // 2
    assert not Accelerator([CPU, CPU], budget=share).holds(large)
    assert Accelerator([CPU, CPU], budget=size(ResidentCodes, large[:1])).holds(large)


def test_memory_that_others_took_is_not_counted_on(large, segments, monkeypatch):
    class Full(ResidentVectors):
        def __init__(self, index, device):
            raise torch.OutOfMemoryError

    made = Accelerator([CPU])
    assert made.holds(segments)
    with monkeypatch.context() as patched:
        patched.setattr(accelerator, "ResidentVectors", Full)
        assert not made.holds(large)
    # There is no more room than what the segments that it still holds take.
    assert not made.holds(large)
    assert made.holds(segments)


def test_what_is_not_held_is_searched_on_the_cpu(large):
    query = clustered(np.random.default_rng(5), 4, DIM)
    chosen = TokenOptions(limit=10, k_tokens=100, exact_up_to=0)
    found = Accelerator([CPU]).search(large, [0, 300], [query], chosen, allowed=[None, None])[0]
    on_cpu = search_tokens(large, [0, 300], query, chosen, allowed=[None, None])
    assert found.numbers.tolist() == on_cpu.numbers.tolist()
    assert found.scores.tolist() == on_cpu.scores.tolist()


def test_the_cpu_searches_where_a_device_has_no_memory_left(large, monkeypatch):
    def full(*given, **options):
        raise torch.OutOfMemoryError

    made = Accelerator([CPU, CPU])
    assert made.holds(large)
    monkeypatch.setattr(ResidentVectors, "maxsim", full)
    query = clustered(np.random.default_rng(6), 4, DIM)
    found = made.search(large, [0, 300], [query], TokenOptions(limit=10), allowed=[None, None])[0]
    on_cpu = search_tokens(large, [0, 300], query, TokenOptions(limit=10), allowed=[None, None])
    assert found.numbers.tolist() == on_cpu.numbers.tolist()


@pytest.mark.parametrize("form", [ResidentVectors, ResidentCodes])
def test_a_segment_that_is_gone_leaves_its_memory(tmp_path, form):
    index = listed(tmp_path / "a", 300, DIM)
    made = Accelerator([CPU], budget=size(form, [index]))
    assert made.holds([index])
    assert forms(made, [index]) == [form]
    del index
    gc.collect()
    assert made.holds([listed(tmp_path / "b", 300, DIM)])
