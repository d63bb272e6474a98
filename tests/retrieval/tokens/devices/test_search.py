"""Search over codes on devices: XTR as its paper writes it, the CPU's hits, filters as masks."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval.tokens import TokenOptions, maxsim_reference, search_tokens, xtr_reference
from retrieval.tokens.devices import ResidentCodes, ResidentVectors, vectors
from retrieval.tokens.devices.accelerator import Accelerator
from retrieval.tokens.storage.ivf import probe_count
from tests.support.device_segments import CPU, build, clustered, decoded, listed
from tests.support.speeds import examples

DIM, BASES, PASSAGES = 32, [0, 200, 320], 400


@pytest.fixture(scope="module")
def segments(tmp_path_factory):
    """Two listed segments and a flat one."""
    root = tmp_path_factory.mktemp("segments")
    rng = np.random.default_rng(5)
    flat = [clustered(rng, int(length), DIM) for length in rng.integers(0, 12, 80)]
    return [
        listed(root / "a", 200, DIM),
        listed(root / "b", 120, DIM, seed=1, tier="fine"),
        build(root / "c", flat, flat_up_to=10**6),
    ]


@pytest.fixture(scope="module")
def accelerator(segments):
    """Too small for vectors."""
    room = sum(ResidentCodes.size(index, CPU) for index in segments[:2])
    made = Accelerator([CPU, CPU], budget=room + ResidentVectors.size(segments[2], CPU))
    assert made._load(segments, coded=True)
    assert [type(made._resident(index)) for index in segments] == [
        ResidentCodes,
        ResidentCodes,
        ResidentVectors,
    ]
    return made


def cut(allowed):
    if allowed is None:
        return [None] * 3
    return [allowed[:200], allowed[200:320], allowed[320:]]


def options(**given):
    return TokenOptions(**({"limit": PASSAGES, "refine": 0, "near": 2.0, "exact_up_to": 0} | given))


def as_dict(hits):
    return dict(zip(hits.numbers.tolist(), hits.scores.tolist(), strict=True))


def exact(segments, query, allowed):
    """Mean MaxSim of every passage that passes, over the stored vectors."""
    return {
        base + number: maxsim_reference(query, index.vectors(number))
        for index, base in zip(segments, BASES, strict=True)
        for number in range(index.passages)
        if index.lengths[number] and (allowed is None or allowed[base + number])
    }


def reference(segments, query, allowed, k):
    """XTR over the codes of the lists that are to be probed and over all tokens of a flat segment."""
    similarities, names = [], []
    for index, base in zip(segments, BASES, strict=True):
        bits = None if allowed is None else allowed[base : base + index.passages]
        passing = index.passing(bits)
        if index.lists is None:
            rows = np.concatenate([index.vectors(number) for number in range(index.passages)])
            owners = np.repeat(np.arange(index.passages), index.lengths)
            values = query @ rows.T
        else:
            rows, offsets, lists, owners = decoded(index)
            near = query @ index.lists.index.quantizer.reconstruct_n(0, index.lists.lists).T
            probed = np.argsort(-near, axis=1)[:, : probe_count(min(k, passing), index.lists.lists, passing)]
            values = query.astype(np.float64) @ rows.T + offsets
            values[~(lists[None, :, None] == probed[:, None, :]).any(axis=2)] = -np.inf
        values = np.where(True if bits is None else bits[owners], values, -np.inf)
        similarities.append(values)
        names.append(np.broadcast_to(owners + base, values.shape))
    values, owners = np.concatenate(similarities, axis=1), np.concatenate(names, axis=1)
    at = np.argsort(-values, axis=1)[:, :k]
    values, owners = np.take_along_axis(values, at, 1), np.take_along_axis(owners, at, 1)
    return xtr_reference(values, np.where(np.isneginf(values), -1, owners))


@settings(max_examples=examples(60))
@given(st.integers(0, 2**16), st.integers(1, 3_000), st.sampled_from([None, 0.0, 0.01, 0.05, 0.3, 0.9, 1.0]))
def test_scores_are_xtrs_over_all_segments_and_shards(segments, accelerator, seed, k, share):
    rng = np.random.default_rng(seed)
    query = clustered(rng, int(rng.integers(1, 6)), DIM)
    allowed = None if share is None else rng.random(PASSAGES) < share
    hits = accelerator.search(segments, BASES, [query], options(k_tokens=k), allowed=cut(allowed))[0]
    passing = sum(index.passing(bits) for index, bits in zip(segments, cut(allowed), strict=True))
    few = max(k, 0 if allowed is None else 0.01 * sum(index.tokens for index in segments))
    wanted = exact(segments, query, allowed) if passing <= few else reference(segments, query, allowed, k)
    assert as_dict(hits) == pytest.approx(wanted, abs=1e-5)
    pairs = list(zip((-hits.scores).tolist(), hits.numbers.tolist(), strict=True))
    assert pairs == sorted(pairs)


@settings(max_examples=examples(40))
@given(
    st.integers(0, 2**16),
    st.sampled_from([None, 0.02, 0.1, 0.5]),
    st.sampled_from([100, 400, 5_000]),
    st.sampled_from([20, PASSAGES]),
)
def test_refined_hits_are_the_cpus(segments, accelerator, seed, share, k, limit):
    """The first ones are exact on both; a passage at the edge of what is refined may differ."""
    rng = np.random.default_rng(seed)
    query = clustered(rng, 5, DIM)
    allowed = None if share is None else rng.random(PASSAGES) < share
    chosen = options(k_tokens=k, refine=100, limit=limit, near=0.9)
    found = accelerator.search(segments, BASES, [query], chosen, allowed=cut(allowed))[0]
    on_cpu = search_tokens(segments, BASES, query, chosen, allowed=cut(allowed))
    scores = exact(segments, query, allowed)
    assert as_dict(found).keys() <= scores.keys()
    head = min(len(found), 100)
    for number, score in zip(found.numbers[:head].tolist(), found.scores[:head].tolist(), strict=True):
        assert score == pytest.approx(scores[number], abs=1e-5)
    assert found.numbers[:10].tolist() == on_cpu.numbers[:10].tolist()
    assert found.scores[:10] == pytest.approx(on_cpu.scores[:10], abs=1e-5)


def test_unrefined_scores_are_near_the_cpus(segments, accelerator):
    rng = np.random.default_rng(11)
    for _ in range(20):
        query = clustered(rng, 5, DIM)
        chosen = options(k_tokens=400)
        found = as_dict(accelerator.search(segments, BASES, [query], chosen, allowed=cut(None))[0])
        on_cpu = as_dict(search_tokens(segments, BASES, query, chosen, allowed=cut(None)))
        common = found.keys() & on_cpu.keys()
        assert len(common) >= 0.95 * max(len(found), len(on_cpu))
        assert [found[one] for one in common] == pytest.approx([on_cpu[one] for one in common], abs=0.02)


@pytest.mark.parametrize("moved", [1, 1_000])
def test_however_little_is_moved_at_a_time(segments, accelerator, monkeypatch, moved):
    query = clustered(np.random.default_rng(1), 4, DIM)
    chosen = options(k_tokens=50, refine=200)
    whole = accelerator.search(segments, BASES, [query], chosen, allowed=cut(None))[0]
    monkeypatch.setattr(vectors, "_MOVED", moved)
    monkeypatch.setattr(vectors, "_CELLS", moved)
    found = accelerator.search(segments, BASES, [query], chosen, allowed=cut(None))[0]
    assert as_dict(found) == pytest.approx(as_dict(whole), abs=1e-6)


def test_shards_change_nothing(segments, accelerator):
    one = Accelerator([CPU])
    assert one._load(segments, coded=True)
    assert all(shard.held for shard in accelerator._shards)
    query = clustered(np.random.default_rng(2), 6, DIM)
    for refine in (0, 30):
        chosen = options(k_tokens=100, refine=refine)
        alone, spread = (
            made.search(segments, BASES, [query], chosen, allowed=cut(None))[0] for made in (one, accelerator)
        )
        assert alone.numbers.tolist() == spread.numbers.tolist()
        assert alone.scores.tolist() == spread.scores.tolist()


def test_several_queries_at_once_are_each_alone(segments, accelerator, monkeypatch):
    rng = np.random.default_rng(3)
    queries = [clustered(rng, 4, DIM), np.zeros((0, DIM), np.float32), clustered(rng, 9, DIM)]
    chosen = options(k_tokens=100, refine=30)
    batch = accelerator.search(segments, BASES, queries, chosen, allowed=cut(None))
    assert len(batch[1]) == 0
    for query, hits in zip(queries, batch, strict=True):
        alone = accelerator.search(segments, BASES, [query], chosen, allowed=cut(None))[0]
        assert as_dict(alone) == pytest.approx(as_dict(hits), abs=1e-6)
    nothing = accelerator.search(segments, BASES, [queries[1]], chosen, allowed=cut(None))
    assert [len(hits) for hits in nothing] == [0]


@pytest.mark.parametrize("imputation", ["lowest", "clusters"])
@pytest.mark.parametrize("near", [0.5, 2.0])
def test_options_are_heeded_as_on_the_cpu(segments, accelerator, imputation, near):
    query = clustered(np.random.default_rng(4), 6, DIM, spread=0.2)
    query = np.concatenate([query, query + 0.02]) / np.linalg.norm(query + 0.02, axis=1).mean()
    chosen = options(k_tokens=150, imputation=imputation, near=near)
    found = as_dict(accelerator.search(segments, BASES, [query], chosen, allowed=cut(None))[0])
    on_cpu = as_dict(search_tokens(segments, BASES, query, chosen, allowed=cut(None)))
    common = found.keys() & on_cpu.keys()
    assert len(common) >= 0.9 * len(on_cpu)
    assert [found[one] for one in common] == pytest.approx([on_cpu[one] for one in common], abs=0.02)


def test_edges(segments, accelerator, tmp_path):
    query = clustered(np.random.default_rng(6), 3, DIM)
    none = [np.zeros(index.passages, bool) for index in segments]
    assert len(accelerator.search(segments, BASES, [query], options(), allowed=none)[0]) == 0
    assert accelerator.search([], [], [query], options(), allowed=[])[0].numbers.tolist() == []
    # One passage, in lists of its own; more tokens are asked for than there are.
    single = build(tmp_path / "one", [clustered(np.random.default_rng(7), 300, DIM)], flat_up_to=0)
    alone = Accelerator([CPU])
    assert alone._load([single], coded=True)
    for k in (1, 10, 299, 5_000):
        hits = alone.search([single], [7], [query], options(k_tokens=k), allowed=[None])[0]
        assert hits.numbers.tolist() == [7]
    barred = alone.search([single], [7], [query], options(k_tokens=10), allowed=[np.array([False])])
    assert len(barred[0]) == 0


def test_the_search_asks_the_accelerator(segments, accelerator):
    query = clustered(np.random.default_rng(8), 4, DIM)
    chosen = options(k_tokens=60)
    asked = search_tokens(segments, BASES, query, chosen, allowed=cut(None), accelerator=accelerator)
    own = accelerator.search(segments, BASES, [query], chosen, allowed=cut(None))[0]
    assert asked.numbers.tolist() == own.numbers.tolist()
    assert asked.scores.tolist() == own.scores.tolist()
