"""Inverted lists read out of FAISS: its own codes, decoded as it decodes them."""

import re

import faiss
import numpy as np
import pytest
import torch

from retrieval.tokens.devices import ResidentCodes
from retrieval.tokens.devices import codes as codes_module
from retrieval.tokens.devices.lists import ListedCodes
from retrieval.tokens.storage.ivf import InvertedLists
from tests.support.device_segments import CPU, clustered, decoded, decoded_lists, listed

pytestmark = pytest.mark.long


@pytest.mark.parametrize("factory", ["IVF8,PQ16x4fsr", "IVF8,PQ32x4fsr", "IVF8,PQ1x4fsr"])
@pytest.mark.parametrize("words", [1, 2, 3])
def test_product_codes_stand_for_what_faiss_decodes(factory, words):
    codes = int(re.search("PQ([0-9]+)", factory)[1])
    vectors = clustered(np.random.default_rng(0), 500, codes * words)
    owners = np.arange(500) // 3
    index = faiss.index_factory(codes * words, factory, faiss.METRIC_INNER_PRODUCT)
    index.cp.min_points_per_centroid = 1
    index.train(vectors)
    index.add_with_ids(vectors, owners)
    read = ListedCodes.read(InvertedLists(index, 8))
    rows, _, lists, found = decoded_lists(read)
    assert np.bincount(found).tolist() == np.bincount(owners).tolist()
    restored = np.empty(codes * words, np.float32)
    for place, (at, row) in enumerate(zip(lists.tolist(), rows, strict=True)):
        offset = place - int(read.starts[at])
        index.reconstruct_from_offset(at, offset, faiss.swig_ptr(restored))
        assert row == pytest.approx(restored, abs=1e-6)
        assert index.invlists.get_single_id(at, offset) == found[place]


@pytest.mark.parametrize("dim", [8, 33])
def test_sign_codes_give_the_similarities_of_faiss(tmp_path, dim):
    index = listed(tmp_path, dim=dim, tier="compact")
    vectors, offsets, _, owners = decoded(index)
    query = index.vectors(int(np.flatnonzero(index.lengths)[3]))
    settings = faiss.IVFRaBitQSearchParameters(nprobe=index.lists.lists)
    settings.qb = 0  # the query as it is, not in four bits
    found, names = index.lists.index.search(query, index.tokens, params=settings)
    ours = query @ vectors.T + offsets
    assert np.sort(ours) == pytest.approx(np.sort(found), abs=1e-5)
    assert (owners[np.argsort(-ours)][:, :1] == names[:, :1]).all()


@pytest.mark.parametrize("tier", ["fast", "fine", "compact"])
@pytest.mark.parametrize("cells", [1, 1 << 26])
def test_a_search_compares_what_the_codes_stand_for(tmp_path, monkeypatch, tier, cells):
    monkeypatch.setattr(codes_module, "_CELLS", cells)
    index = listed(tmp_path, tier=tier)
    vectors, offsets, _, owners = decoded(index)
    query = index.vectors(int(np.flatnonzero(index.lengths > 3)[0]))
    values, names = ResidentCodes(index, CPU).nearest(
        query, index.tokens + 5, None, passing=index.tokens, most_probes=None
    )
    wanted = query @ vectors.T + offsets
    assert values[:, : index.tokens].numpy() == pytest.approx(-np.sort(-wanted, axis=1), abs=1e-5)
    assert sorted(names[0].tolist()) == sorted([*owners.tolist(), *[-1] * 5])
    assert values[:, index.tokens :].isneginf().all()


@pytest.mark.parametrize("tier", ["fast", "compact"])
def test_its_size_is_what_it_takes(tmp_path, tier):
    index = listed(tmp_path, tier=tier)
    resident = ResidentCodes(index, CPU)
    assert resident.bytes == sum(
        tensor.nbytes
        for name in resident.__dict__
        if isinstance(tensor := getattr(resident, name), torch.Tensor)
    )


def test_the_guess_from_cluster_sizes_is_that_of_the_cpu(tmp_path):
    index = listed(tmp_path)
    query = index.vectors(int(np.flatnonzero(index.lengths > 3)[0]))
    resident = ResidentCodes(index, CPU)
    for tokens in (1, 50, 400, 10**6):
        wanted = index.bounds(query, tokens)
        assert resident.bounds(query, tokens).numpy() == pytest.approx(wanted, abs=1e-6)


@pytest.mark.parametrize(("tier", "within"), [("fast", 0.02), ("fine", 0.02), ("compact", 0.05)])
def test_similarities_are_near_those_of_the_cpu(tmp_path, tier, within):
    """FAISS rounds its tables to 8 bits, and for `compact` the query to 4; a device rounds neither."""
    index = listed(tmp_path, tier=tier)
    resident = ResidentCodes(index, CPU)
    query = index.vectors(int(np.flatnonzero(index.lengths > 3)[0]))
    values, _ = resident.nearest(query, 300, None, passing=index.tokens, most_probes=None)
    on_cpu, _ = index.search(query, 300, None)
    assert values.numpy() == pytest.approx(-np.sort(-on_cpu, axis=1), abs=within)
