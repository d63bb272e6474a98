"""Exact comparison of token vectors in a device's memory, and of stored ones that are moved through it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch

from retrieval.tokens.devices.ragged import best_of_grid, mean_of_best, runs
from retrieval.tokens.index import TokenIndex
from retrieval.tokens.storage.stored import StoredVectors
from retrieval.types import Bits, Float32, Int64

_CELLS = 1 << 27  # similarities held at a time
_SHARE = 0.25  # of the passages; where more are wanted, comparing all in place beats gathering them
_MOVED = 1 << 26  # stored components moved to a device at a time


class ResidentVectors:
    """One segment's tokens on a device: vectors (tokens, d), half precision on a GPU, float32 on a CPU."""

    def __init__(self, index: TokenIndex, device: torch.device) -> None:
        dtype = _dtype(device)
        stored = index.stored
        self.device = device
        self.bytes = self.size(index, device)
        self._numbers: Int64 = np.flatnonzero(stored.lengths > 0)
        self._ends: Int64 = np.concatenate([[0], np.cumsum(stored.lengths[self._numbers])])
        self._starts = torch.from_numpy(self._ends).to(device)
        self._lengths = self._starts.diff()
        self._names = torch.from_numpy(self._numbers).to(device)
        self._vectors = torch.empty((index.tokens, index.dim), dtype=dtype, device=device)
        step = max(1, _MOVED // max(1, index.dim))
        for first in range(0, index.tokens, step):
            rows = slice(first, first + step)
            self._vectors[rows] = _restored(stored.codes[rows], stored.scales[rows], device).to(dtype)

    @staticmethod
    def size(index: TokenIndex, device: torch.device) -> int:
        """The bytes that an index's vectors take on a device."""
        return index.tokens * index.dim * _dtype(device).itemsize

    def nearest(
        self, queries: Float32, k: int, allowed: Bits | None, *, passing: int, most_probes: int | None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Similarities and passages (q, k) of the `k` nearest tokens of each query vector, best first.

        Every token is compared, so neither `passing` nor `most_probes` changes anything.
        """
        columns = torch.tensor(queries).to(self._vectors).T
        barred = self._barred(allowed)
        best = torch.full((len(queries), 0), -torch.inf, device=self.device)
        found = torch.full((len(queries), 0), 0, dtype=torch.int64, device=self.device)
        step = max(k, _CELLS // max(1, len(queries)))
        for first in range(0, len(self._vectors), step):
            similarities = (self._vectors[first : first + step] @ columns).float().T
            if barred is not None:
                similarities = similarities.masked_fill(barred[first : first + step], -torch.inf)
            values, at = similarities.topk(min(k, similarities.shape[1]), dim=1)
            owners = torch.searchsorted(self._starts, at + first, right=True) - 1
            best = torch.cat([best, values], dim=1)
            found = torch.cat([found, self._names[owners]], dim=1)
            best, found = best_of_grid(best, found, k)
        return best, found

    def bounds(self, queries: Float32, tokens: int) -> torch.Tensor | None:
        """None: nothing is guessed from clusters where there are none."""
        return None

    def maxsim(self, query: Float32, passages: Int64) -> torch.Tensor:
        """Exact mean MaxSim (m,) of passages that have tokens, by number, ascending."""
        columns = torch.tensor(query).to(self._vectors).T
        at = np.searchsorted(self._numbers, passages)
        if len(passages) >= _SHARE * len(self._numbers):
            scores = self._all(columns)
            return scores if len(at) == len(scores) else scores[torch.from_numpy(at).to(self.device)]
        starts, lengths = self._ends[at], self._ends[at + 1] - self._ends[at]
        parts = []
        for block in _blocks(lengths, _CELLS // max(columns.shape)):
            sizes = torch.from_numpy(lengths[block]).to(self.device)
            places, _ = runs(torch.from_numpy(starts[block]).to(self.device), sizes)
            parts.append(mean_of_best(self._vectors[places] @ columns, sizes))
        return torch.cat(parts) if parts else torch.zeros(0, device=self.device)

    def _all(self, columns: torch.Tensor) -> torch.Tensor:
        """The same for all passages, whose tokens lie one after the other."""
        parts = []
        for block in _blocks(np.diff(self._ends), _CELLS // columns.shape[1]):
            rows = self._vectors[int(self._ends[block.start]) : int(self._ends[block.stop])]
            parts.append(mean_of_best(rows @ columns, self._lengths[block]))
        return torch.cat(parts) if parts else torch.zeros(0, device=self.device)

    def _barred(self, allowed: Bits | None) -> torch.Tensor | None:
        """Which tokens may not be found (tokens,)."""
        if allowed is None:
            return None
        passages = torch.from_numpy(~allowed[self._numbers]).to(self.device)
        return torch.repeat_interleave(passages, self._lengths, output_size=len(self._vectors))


def stored_maxsim(
    stored: StoredVectors, query: Float32, passages: Int64, device: torch.device
) -> torch.Tensor:
    """Exact mean MaxSim (m,) of passages that have tokens: their stored vectors are moved to the device."""
    columns = torch.tensor(query).to(device).T
    lengths = stored.lengths[passages]
    parts = []
    for block in _blocks(lengths, _MOVED // max(columns.shape)):
        sizes = torch.from_numpy(lengths[block])
        places, _ = runs(torch.from_numpy(stored.starts[passages[block]]), sizes)
        rows = _restored(stored.codes[places.numpy()], stored.scales[places.numpy()], device)
        parts.append(mean_of_best(rows @ columns, sizes.to(device)))
    return torch.cat(parts) if parts else torch.zeros(0, device=device)


def _dtype(device: torch.device) -> torch.dtype:
    return torch.float32 if device.type == "cpu" else torch.float16


def _restored(codes: np.ndarray, scales: np.ndarray, device: torch.device) -> torch.Tensor:
    """8-bit codes (n, d) and scales (n,) as float32 on the device; what crosses the bus is the codes."""
    moved = torch.from_numpy(np.array(codes)).to(device)
    return moved.float() * torch.from_numpy(np.array(scales)).to(device)[:, None]


def _blocks(lengths: Int64, tokens: int) -> Iterator[slice]:
    """Runs of passages with at most so many tokens in all, one passage at least."""
    ends = np.cumsum(lengths)
    first = done = 0
    while first < len(ends):
        last = max(first + 1, int(np.searchsorted(ends, done + tokens, side="right")))
        yield slice(first, last)
        first, done = last, int(ends[last - 1])
