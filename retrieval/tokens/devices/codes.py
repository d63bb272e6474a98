"""Inverted lists of codes in a device's memory, for collections that are too large to be held as vectors."""

from __future__ import annotations

import numpy as np
import torch

from retrieval.tokens.devices.lists import ListedCodes
from retrieval.tokens.devices.ragged import best_of_rows, runs
from retrieval.tokens.devices.vectors import stored_maxsim
from retrieval.tokens.index import TokenIndex
from retrieval.tokens.storage.ivf import probe_count
from retrieval.types import Bits, Float32, Int64

_CELLS = 1 << 26  # bytes of codes looked up at a time


class ResidentCodes:
    """One segment's centroids, codes and passage numbers on a device; the stored vectors stay on disk.

    Lists are probed as on the CPU, and codes are compared through tables of each byte's inner products
    with the query. These are float32, so similarities are those of the vectors that the codes stand for.
    FAISS rounds the tables to 8 bits, or for `compact` the query to 4: its similarities are within .02, or
    .05, of these.
    """

    def __init__(self, index: TokenIndex, device: torch.device) -> None:
        assert index.lists is not None
        read = ListedCodes.read(index.lists)
        self.device = device
        self.bytes = self.size(index, device)
        self._stored = index.stored
        self._tokens = index.tokens
        self._centroids = torch.from_numpy(read.centroids).to(device)
        self._starts = torch.from_numpy(read.starts[:-1]).to(device)
        self._sizes = torch.from_numpy(np.diff(read.starts)).to(device)
        self._owners = torch.from_numpy(read.owners).to(device)
        self._codes = torch.from_numpy(read.codes).to(device)
        self._words = torch.from_numpy(read.words).to(device)
        self._scales, self._offsets = (
            None if one is None else torch.from_numpy(one).to(device) for one in (read.scales, read.offsets)
        )

    @staticmethod
    def size(index: TokenIndex, device: torch.device) -> int:
        """The bytes that an index's codes take on a device; any device keeps them alike."""
        assert index.lists is not None
        return ListedCodes.size(index.lists)

    def nearest(
        self, queries: Float32, k: int, allowed: Bits | None, *, passing: int, most_probes: int | None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Similarities and passages (q, k) of the `k` nearest tokens among those probed, best first.

        Places that nothing could fill have -inf and NOTHING. `allowed` (passages,) bars passages before
        anything is looked up; `passing` is how many tokens it lets through.
        """
        moved = torch.tensor(queries).to(self.device)
        probes = probe_count(k, len(self._sizes), passing, most_probes)
        nearness, lists = (moved @ self._centroids.T).topk(probes, dim=1)
        mask = None if allowed is None else torch.from_numpy(allowed).to(self.device)
        scanned = int(self._sizes[lists].sum(dim=1).max()) * self._codes.shape[1]
        step = max(1, _CELLS // max(1, scanned))
        found = [
            self._scan(*part, k, mask)
            for part in zip(moved.split(step), nearness.split(step), lists.split(step), strict=True)
        ]
        return torch.cat([values for values, _ in found]), torch.cat([names for _, names in found])

    def bounds(self, queries: Float32, tokens: int) -> torch.Tensor | None:
        """The similarity (q,) to the centroid at which the nearest lists have held so many tokens."""
        tokens = min(tokens, self._tokens)
        probes = probe_count(tokens, len(self._sizes), self._tokens)
        nearness, lists = (torch.tensor(queries).to(self._centroids) @ self._centroids.T).topk(probes, dim=1)
        held = self._sizes[lists].cumsum(dim=1)
        at = (held < tokens).sum(dim=1).clamp(max=probes - 1)
        return nearness.gather(1, at[:, None])[:, 0]

    def maxsim(self, query: Float32, passages: Int64) -> torch.Tensor:
        """Exact mean MaxSim (m,) of passages that have tokens, over the stored vectors."""
        return stored_maxsim(self._stored, query, passages, self.device)

    def _scan(
        self,
        queries: torch.Tensor,
        nearness: torch.Tensor,
        lists: torch.Tensor,
        k: int,
        mask: torch.Tensor | None,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """The `k` best of each query vector's own lists (q, probes), whose centroids are so near to it."""
        probed = lists.flatten()
        places, probe = runs(self._starts[probed], self._sizes[probed])
        owners = self._owners[places]
        if mask is not None:
            kept = mask[owners]
            places, probe, owners = places[kept], probe[kept], owners[kept]
        rows = probe // lists.shape[1]
        inner = self._looked_up(queries, rows, places)
        if self._scales is not None and self._offsets is not None:
            inner = inner * self._scales[places] + self._offsets[places]
        return best_of_rows(nearness.flatten()[probe] + inner, owners, rows, len(queries), k)

    def _looked_up(self, queries: torch.Tensor, rows: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
        """Inner products (n,) of query vectors, by row, with the words of the tokens at `places`."""
        width, values, span = self._words.shape
        filled = torch.nn.functional.pad(queries, (0, width * span - queries.shape[1]))
        tables = torch.einsum("qbs,bvs->qbv", filled.view(len(queries), width, span), self._words)
        entries = self._codes[places].long()
        entries += torch.arange(width, device=self.device) * values
        entries += (rows * (width * values))[:, None]
        return tables.flatten()[entries].sum(dim=1)
