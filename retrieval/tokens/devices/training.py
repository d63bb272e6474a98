"""Trains an index's lists and codebooks on a device. FAISS on a CPU serves the result."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import faiss
import torch

from retrieval.types import Float32, Int64

_CELLS = 1 << 27  # similarities held at a time
_CODEBOOK_ROUNDS = 25
_CODEBOOK_TOKENS = 4_096  # enough for 16 entries
_NUDGE = 1 / 1024  # of a component, and of itself where the component is zero


class DeviceTrainer:
    """Trains as FAISS does: the same samples, rounds and distances, from other random starts.

    The same input gives the same files on the same kind of device. Where its memory does not suffice, since
    searches may have filled it, FAISS does the work.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device

    def train(self, index: Any, sample: Float32, seed: int) -> None:
        """Gives an empty FAISS index the centroids of the sample and, if it has any, codebooks."""
        try:
            self._train(index, torch.from_numpy(sample).to(self._device), seed)
        except torch.OutOfMemoryError:
            index.train(sample)  # which keeps the centroids if they are there already

    def assigner(self, index: Any) -> Callable[[Float32], Int64]:
        """What gives each row (n, d) its list (n,): that of the most similar centroid."""
        centroids = torch.from_numpy(index.quantizer.reconstruct_n(0, index.nlist))[None]

        def assign(rows: Float32) -> Int64:
            nonlocal centroids
            try:
                centroids = centroids.to(self._device)
                points = torch.from_numpy(rows).to(self._device)
                lists: Int64 = nearest(points[None], centroids, spherical=True)[0].cpu().numpy()
            except torch.OutOfMemoryError:
                lists = index.quantizer.search(rows, 1)[1][:, 0].copy()
            return lists

        return assign

    def _train(self, index: Any, points: torch.Tensor, seed: int) -> None:
        centroids = kmeans(points[None], index.nlist, rounds=index.cp.niter, seed=seed, spherical=True)[0]
        index.quantizer.add(centroids.cpu().numpy())
        if hasattr(index, "pq"):
            generator = torch.Generator().manual_seed(seed)
            picked = torch.randperm(len(points), generator=generator)[:_CODEBOOK_TOKENS]
            chosen = points[picked.to(points.device)]
            residuals = chosen - centroids[nearest(chosen[None], centroids[None], spherical=True)[0]]
            parts = residuals.view(len(chosen), index.pq.M, index.pq.dsub).transpose(0, 1)
            books = kmeans(parts, index.pq.ksub, rounds=_CODEBOOK_ROUNDS, seed=seed)
            faiss.copy_array_to_vector(books.cpu().numpy().ravel(), index.pq.centroids)
        index.is_trained = True


def kmeans(
    points: torch.Tensor, count: int, *, rounds: int, seed: int, spherical: bool = False
) -> torch.Tensor:
    """Centroids (m, count, s) of m independent sets of points (m, n, s), by Lloyd's rounds.

    They start as random points; where there are fewer points than centroids some start as equals.
    `spherical` compares by inner product and keeps centroids at length one. A centroid that no point is
    nearest to takes the place of a large one, a little aside of it.
    """
    generator = torch.Generator().manual_seed(seed)
    size = points.shape[1]
    first = torch.randperm(size, generator=generator).repeat(-(-count // size))[:count]
    centroids = points[:, first.to(points.device)].clone()
    for _ in range(rounds):
        labels = nearest(points, centroids, spherical=spherical)
        means, sizes = _means(points, labels, count)
        centroids = torch.where(sizes[:, :, None] > 0, means, centroids)
        _split(centroids, sizes)
        if spherical:
            centroids = torch.nn.functional.normalize(centroids, dim=2)
    return centroids


def nearest(points: torch.Tensor, centroids: torch.Tensor, *, spherical: bool = False) -> torch.Tensor:
    """The number (m, n) of each point's nearest centroid: of most inner product, or of least distance."""
    columns = centroids.transpose(1, 2)
    half_norms = 0.0 if spherical else (centroids**2).sum(dim=2)[:, None] / 2
    step = max(1, _CELLS // (centroids.shape[0] * centroids.shape[1]))
    return torch.cat(
        [(some @ columns - half_norms).argmax(dim=2) for some in points.split(step, dim=1)], dim=1
    )


def _means(points: torch.Tensor, labels: torch.Tensor, count: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean (m, count, s) and size (m, count) of each cluster.

    Points are sorted by cluster first: adding in the order of arrival would differ from run to run.
    """
    sets, _, span = points.shape
    cells = (labels + torch.arange(sets, device=labels.device)[:, None] * count).flatten()
    order = cells.argsort(stable=True)
    sizes = torch.bincount(cells, minlength=sets * count)
    means = torch.segment_reduce(points.reshape(-1, span)[order], "mean", lengths=sizes, axis=0)
    return means.view(sets, count, span), sizes.view(sets, count)


def _split(centroids: torch.Tensor, sizes: torch.Tensor) -> None:
    """Moves each centroid without points beside one of the largest, in place."""
    for one in (sizes == 0).any(dim=1).nonzero()[:, 0].tolist():
        empty = (sizes[one] == 0).nonzero()[:, 0]
        largest = sizes[one].argsort(descending=True, stable=True)
        filled = len(largest) - len(empty)
        turns = torch.arange(len(empty), device=empty.device)
        signs = torch.ones(centroids.shape[2], device=centroids.device)
        signs[1::2] = -1
        chosen = centroids[one, largest[turns % filled]]
        aside = _NUDGE * (1 + turns // filled)[:, None] * (chosen.abs() + _NUDGE)
        centroids[one, empty] = chosen + aside * signs
