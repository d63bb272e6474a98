"""Lists trained on a device: as good as FAISS's, and served by FAISS as if it had trained them."""

import faiss
import numpy as np
import pytest
import torch

from retrieval.tokens import TokenOptions, search_tokens
from retrieval.tokens.devices import DeviceTrainer, training
from tests.support.device_segments import CPU, build, clustered, decoded, listed

pytestmark = pytest.mark.long

DIM = 32


@pytest.fixture(scope="module")
def passages():
    rng = np.random.default_rng(0)
    return [clustered(rng, 12, DIM) for _ in range(800)]


def distance(points, centroids):
    """Mean squared distance of each point to its nearest centroid."""
    squares = (points**2).sum(1)[:, None] - 2 * points @ centroids.T + (centroids**2).sum(1)
    return float(squares.min(axis=1).mean())


@pytest.mark.parametrize("spherical", [True, False])
def test_centroids_are_as_near_as_those_of_faiss(passages, spherical):
    points = np.concatenate(passages)
    theirs = faiss.Kmeans(DIM, 64, niter=10, spherical=spherical, seed=1, max_points_per_centroid=10**6)
    theirs.train(points)
    ours = training.kmeans(torch.from_numpy(points)[None], 64, rounds=10, seed=1, spherical=spherical)[0]
    assert distance(points, ours.numpy()) <= 1.03 * distance(points, theirs.centroids)
    if spherical:
        assert ours.norm(dim=1).numpy() == pytest.approx(np.ones(64), abs=1e-5)


def test_sets_are_trained_apart_and_in_pieces(monkeypatch, passages):
    points = torch.from_numpy(np.concatenate(passages)[:3_000]).view(3_000, 4, 8).transpose(0, 1)
    together = training.kmeans(points, 16, rounds=10, seed=3)
    monkeypatch.setattr(training, "_CELLS", 4 * 16 * 100)
    for one, centroids in zip(points, together, strict=True):
        alone = training.kmeans(one[None], 16, rounds=10, seed=3)[0]
        assert centroids.numpy() == pytest.approx(alone.numpy(), abs=1e-5)


def test_centroids_without_points_go_beside_the_largest():
    centroids = torch.tensor([[[0.0, 4.0], [9.0, 9.0], [8.0, 8.0], [1.0, 1.0], [7.0, 7.0]]])
    before = centroids.clone()
    training._split(centroids, torch.tensor([[5, 0, 0, 9, 0]]))
    assert (centroids[0, [0, 3]] == before[0, [0, 3]]).all()
    beside = centroids[0, [1, 2, 4]] - before[0, [3, 0, 3]]
    assert (beside.abs() > 0).all()
    assert (beside.abs() < 0.01).all()
    assert len(centroids[0].unique(dim=0)) == 5


def test_equal_starts_come_apart():
    """Ten in eleven points are one and the same, and so are nearly all starts."""
    points = torch.randn(1, 400, 6, generator=torch.Generator().manual_seed(0))
    doubled = torch.cat([points[:, :1].expand(1, 4_000, 6), points], dim=1)
    centroids = training.kmeans(doubled, 40, rounds=3, seed=0)
    assert (training.nearest(doubled, centroids)[0].bincount(minlength=40) > 0).sum() >= 30


@pytest.mark.parametrize("spherical", [True, False])
def test_fewer_points_than_centroids_and_equal_points(spherical):
    for points in (torch.eye(4)[:3], torch.ones(50, 4) / 2):
        centroids = training.kmeans(points[None], 16, rounds=5, seed=0, spherical=spherical)
        assert centroids.isfinite().all()
        labels = training.nearest(points[None], centroids, spherical=spherical)[0]
        assert (centroids[0, labels] - points).abs().max() < 0.02


@pytest.mark.parametrize("tier", ["fast", "fine", "compact"])
def test_an_index_it_trained_is_served_as_any_other(tmp_path, passages, tier):
    theirs = build(tmp_path / "faiss", passages, tier=tier, flat_up_to=0)
    ours = build(tmp_path / "device", passages, tier=tier, flat_up_to=0, trainer=DeviceTrainer(CPU))
    assert ours.tier == theirs.tier == tier
    assert ours.lists.lists == theirs.lists.lists
    assert type(ours.lists.index) is type(theirs.lists.index)
    assert ours.training.distance <= 1.03 * theirs.training.distance
    flat = build(tmp_path / "flat", passages)
    chosen = TokenOptions(limit=10, k_tokens=400, refine=0, exact_up_to=0)
    rng = np.random.default_rng(1)
    right = {"faiss": 0, "device": 0}
    for _ in range(40):
        query = clustered(rng, 6, DIM)
        exact = search_tokens([flat], [0], query, TokenOptions(limit=10), allowed=[None]).numbers
        for name, index in (("faiss", theirs), ("device", ours)):
            hits = search_tokens([index], [0], query, chosen, allowed=[None])
            right[name] += len(set(exact.tolist()) & set(hits.numbers.tolist()))
    assert right["device"] >= 0.95 * right["faiss"]
    # A filter inside the scan finds all that passes.
    allowed = np.zeros(800, bool)
    allowed[[5, 600]] = True
    _, owners = ours.search(passages[5][:2], 24, allowed)
    assert sorted(owners[0].tolist()) == [5] * 12 + [600] * 12


def test_codes_lose_no_more_than_those_of_faiss(tmp_path, passages):
    def error(index):
        restored, _, _, owners = decoded(index)
        nearest = [
            ((passages[owner] - row) ** 2).sum(axis=1).min()
            for owner, row in zip(owners, restored, strict=True)
        ]
        return float(np.mean(nearest))

    theirs = build(tmp_path / "faiss", passages[:300], flat_up_to=0)
    ours = build(tmp_path / "device", passages[:300], flat_up_to=0, trainer=DeviceTrainer(CPU))
    assert error(ours) <= 1.03 * error(theirs)


@pytest.mark.parametrize("tier", ["fast", "compact"])
def test_heirs_are_filled_as_faiss_fills_them(tmp_path, passages, tier):
    """With the same centroids and codebooks the files are the same, byte for byte."""
    like = build(tmp_path / "like", passages, tier=tier, flat_up_to=0)
    for name, trainer in (("faiss", None), ("device", DeviceTrainer(CPU))):
        build(tmp_path / name, passages[100:500], tier=tier, flat_up_to=0, like=like, trainer=trainer)
    for file in (tmp_path / "faiss").iterdir():
        assert file.read_bytes() == (tmp_path / "device" / file.name).read_bytes(), file.name


def test_the_same_input_gives_the_same_files(tmp_path, passages):
    for name in ("a", "b"):
        build(tmp_path / name, passages[:100], flat_up_to=0, seed=5, trainer=DeviceTrainer(CPU))
    for file in (tmp_path / "a").iterdir():
        assert file.read_bytes() == (tmp_path / "b" / file.name).read_bytes()


@pytest.mark.parametrize("dim", [7, 34])
def test_any_dimension_and_equal_vectors_can_be_listed(tmp_path, dim):
    made = [np.full((10, dim), dim**-0.5, np.float32) for _ in range(50)]
    index = build(tmp_path, made, flat_up_to=0, trainer=DeviceTrainer(CPU))
    _, owners = index.search(made[0][:1], 500, None)
    assert set(owners[0]) == set(range(50))


def test_passages_without_tokens_are_in_no_list(tmp_path):
    index = listed(tmp_path, trainer=DeviceTrainer(CPU))
    assert index.lists.index.ntotal == index.tokens
    _, owners = index.search(index.vectors(int(index.lengths.argmax()))[:1], index.tokens, None)
    assert set(owners[0].tolist()) == set(np.flatnonzero(index.lengths).tolist())


@pytest.mark.parametrize("fails", ["kmeans", "nearest"])
@pytest.mark.parametrize("tier", ["fast", "compact"])
def test_faiss_does_what_the_device_has_no_memory_for(tmp_path, monkeypatch, tier, fails):
    def full(*given, **options):
        raise torch.OutOfMemoryError

    monkeypatch.setattr(training, fails, full)
    index = listed(tmp_path, tier=tier, trainer=DeviceTrainer(CPU))
    assert index.lists.index.ntotal == index.tokens
    _, owners = index.search(index.vectors(int(index.lengths.argmax()))[:1], index.tokens, None)
    assert set(owners[0].tolist()) == set(np.flatnonzero(index.lengths).tolist())


def test_codebooks_alone_may_be_left_to_faiss(tmp_path, monkeypatch):
    """The centroids, which the device had memory for, stay."""
    trained = []
    real = training.kmeans

    def once(*given, **options):
        if trained:
            raise torch.OutOfMemoryError
        trained.append(real(*given, **options))
        return trained[0]

    monkeypatch.setattr(training, "kmeans", once)
    index = listed(tmp_path, trainer=DeviceTrainer(CPU))
    centroids = index.lists.index.quantizer.reconstruct_n(0, index.lists.lists)
    assert centroids.tolist() == trained[0][0].tolist()
    assert faiss.vector_to_array(index.lists.index.pq.centroids).any()
