"""Token vectors on a GPU: every token is compared, exactly, for as long as they fit into its memory.

A GPU reads its memory some hundred times faster than a CPU core, so the exact scan that the inverted lists
avoid on a CPU is the fastest search there: no codes, no imputation, and a filter is a mask.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from retrieval.tokens.index import TokenIndex
from retrieval.top import best_hits
from retrieval.types import Bits, Float32, Hits, Int64

_CELLS = 1 << 27  # similarities held at a time
_SHARE = 0.8  # of the free memory that vectors may take


@dataclass(frozen=True, slots=True)
class _Resident:
    """One segment's tokens on a device: vectors (tokens, d) and the first token of each passage."""

    vectors: torch.Tensor
    starts: torch.Tensor
    numbers: Int64

    @property
    def device(self) -> torch.device:
        return self.vectors.device


class Accelerator:
    """Exact MaxSim on one or several devices; segments are spread over them and stay as long as they live.

    `budget` is the bytes of vectors a device holds; by default most of what is free at the start.
    """

    def __init__(self, devices: Sequence[torch.device], *, budget: int | None = None) -> None:
        self._devices = list(devices)
        self._left = {device: budget if budget is not None else _free_bytes(device) for device in devices}
        self._resident: weakref.WeakKeyDictionary[TokenIndex, _Resident] = weakref.WeakKeyDictionary()
        self._lock = threading.Lock()

    def holds(self, indexes: Sequence[TokenIndex]) -> bool:
        """Whether the vectors of all segments are on the devices, after loading those that still fit."""
        with self._lock:
            return all(index in self._resident or self._load(index) for index in indexes if index.tokens)

    def search(
        self,
        indexes: Sequence[TokenIndex],
        bases: Sequence[int],
        queries: Sequence[Float32],
        *,
        limit: int,
        allowed: Sequence[Bits | None],
    ) -> list[Hits]:
        """The `limit` best passages of each query (q_i, d) by exact mean MaxSim, of segments that it `holds`.

        Vectors and products are in half precision on a GPU (float32 on a CPU), sums in float32: scores
        are within 2e-3 of the CPU's.
        """
        resident = [
            (self._resident[index], base, bits)
            for index, base, bits in zip(indexes, bases, allowed, strict=True)
            if index.tokens
        ]
        numbers, kept = _candidates(resident)
        hits = []
        for query in queries:
            parts = [self._maxsim(segment, query) for segment, _, _ in resident] if len(query) else []
            scores = np.concatenate([part.cpu().numpy() for part in parts]) if parts else np.zeros(0)
            hits.append(
                best_hits(numbers[kept], scores[kept], limit) if parts else best_hits(numbers[:0], scores, 1)
            )
        return hits

    def _maxsim(self, segment: _Resident, query: Float32) -> torch.Tensor:
        """Mean MaxSim of all the segment's passages that have tokens."""
        columns = torch.from_numpy(np.ascontiguousarray(query.T)).to(segment.vectors)
        scores = torch.zeros(len(segment.numbers), device=segment.device)
        step = max(1, _CELLS // len(query))
        first = 0
        while first < len(segment.numbers):
            begin = int(segment.starts[first])
            last = int(torch.searchsorted(segment.starts, begin + step, right=True)) - 1
            last = max(first + 1, min(last, len(segment.numbers)))
            products = segment.vectors[begin : int(segment.starts[last])] @ columns
            offsets = segment.starts[first : last + 1] - begin
            best = torch.segment_reduce(products.float(), "max", offsets=offsets, axis=0)
            scores[first:last] = best.mean(dim=1)
            first = last
        return scores

    def _load(self, index: TokenIndex) -> bool:
        device = max(self._devices, key=lambda one: self._left[one])
        dtype = torch.float32 if device.type == "cpu" else torch.float16
        size = index.tokens * index.dim * dtype.itemsize
        if size > self._left[device]:
            return False
        filled = np.flatnonzero(index.lengths > 0)
        starts = np.concatenate([[0], np.cumsum(index.lengths[filled])])
        vectors = torch.empty((index.tokens, index.dim), dtype=dtype, device=device)
        for number, lo, hi in zip(filled, starts[:-1], starts[1:], strict=True):
            vectors[lo:hi] = torch.from_numpy(index.vectors(int(number))).to(device)
        self._resident[index] = _Resident(vectors, torch.from_numpy(starts).to(device), filled)
        self._left[device] -= size
        weakref.finalize(index, self._release, device, size)
        return True

    def _release(self, device: torch.device, size: int) -> None:
        self._left[device] += size


def accelerator_for(device: torch.device) -> Accelerator | None:
    """Every CUDA device where the models run on one; None on a CPU, which has the inverted lists."""
    if device.type != "cuda":
        return None
    return Accelerator([torch.device("cuda", number) for number in range(torch.cuda.device_count())])


def _candidates(resident: Sequence[tuple[_Resident, int, Bits | None]]) -> tuple[Int64, Int64]:
    """Numbers of all passages with tokens, and the places of those that are allowed."""
    numbers = [base + segment.numbers for segment, base, _ in resident]
    passing = [
        np.ones(len(segment.numbers), bool) if bits is None else bits[segment.numbers]
        for segment, _, bits in resident
    ]
    if not numbers:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    return np.concatenate(numbers), np.flatnonzero(np.concatenate(passing))


def _free_bytes(device: torch.device) -> int:
    if device.type != "cuda":
        return 1 << 62
    free, _ = torch.cuda.mem_get_info(device)
    return int(_SHARE * free)
