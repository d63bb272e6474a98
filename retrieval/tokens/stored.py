"""The token vectors of one segment as 8-bit integers, mapped from disk: read for refining and explaining."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from retrieval.errors import CorruptSegment
from retrieval.tokens.vectors import Int8, quantise
from retrieval.types import Float32, Int64

# Rows restored to float32 at a time: 3 MB at 384 dimensions stay in the cache until they are multiplied.
BLOCK_ROWS = 2048


@dataclass(frozen=True, slots=True)
class StoredVectors:
    """Codes (tokens, d), scales (tokens,), and where each passage's tokens start (passages + 1,)."""

    codes: Int8
    scales: Float32
    starts: Int64

    @classmethod
    def write(cls, directory: Path, vectors: Sequence[Float32], dim: int) -> Int64:
        """Writes one passage after the other, d + 4 bytes a token; returns the starts."""
        starts = np.cumsum([0, *(len(passage) for passage in vectors)], dtype=np.int64)
        codes = np.lib.format.open_memmap(
            directory / "codes.npy", mode="w+", dtype=np.int8, shape=(int(starts[-1]), dim)
        )
        scales = np.zeros(int(starts[-1]), np.float32)
        for passage, lo, hi in zip(vectors, starts[:-1], starts[1:], strict=True):
            codes[lo:hi], scales[lo:hi] = quantise(passage)
        codes.flush()
        np.save(directory / "scales.npy", scales, allow_pickle=False)
        np.save(directory / "starts.npy", starts, allow_pickle=False)
        return starts

    @classmethod
    def open(cls, directory: Path, *, tokens: int, passages: int, dim: int) -> StoredVectors:
        """Maps the vectors. Raises CorruptSegment if a file is missing or has another shape."""
        expected = {
            "codes": ((tokens, dim), np.int8),
            "scales": ((tokens,), np.float32),
            "starts": ((passages + 1,), np.int64),
        }
        arrays = {}
        for name, (shape, dtype) in expected.items():
            path = directory / f"{name}.npy"
            try:
                mapped = np.load(path, mmap_mode="r", allow_pickle=False)
            except (OSError, ValueError, EOFError) as error:
                raise CorruptSegment(str(path), f"cannot be read ({error})") from error
            if mapped.shape != shape or mapped.dtype != dtype:
                raise CorruptSegment(str(path), f"holds {mapped.shape} {mapped.dtype}, not {shape}")
            # A plain view slices several times faster than the memmap subclass, over the same mapping.
            arrays[name] = np.asarray(mapped)
        starts = arrays["starts"]
        if starts[0] != 0 or starts[-1] != tokens or (np.diff(starts) < 0).any():
            raise CorruptSegment(str(directory / "starts.npy"), "the passages do not add up to the tokens")
        return cls(arrays["codes"], arrays["scales"], starts)

    @property
    def lengths(self) -> Int64:
        """Tokens of each passage (passages,)."""
        return np.diff(self.starts)

    @property
    def owners(self) -> Int64:
        """The passage of each token (tokens,)."""
        return np.repeat(np.arange(len(self.starts) - 1), self.lengths)

    def vectors(self, passage: int) -> Float32:
        """The vectors (n, d) of one passage, restored to float32."""
        rows = slice(int(self.starts[passage]), int(self.starts[passage + 1]))
        return self.codes[rows] * self.scales[rows, None]

    def maxsim(self, query: Float32, passages: Int64) -> Float32:
        """Exact mean MaxSim (m,) of each passage for query vectors (q, d); all must have tokens."""
        scores = np.zeros(len(passages), np.float32)
        order = np.argsort(passages)
        columns = np.ascontiguousarray(query.T)
        for block in self._blocks(passages[order]):
            members = order[block]
            spans = [slice(self.starts[at], self.starts[at + 1]) for at in passages[members]]
            codes = np.concatenate([self.codes[span] for span in spans], dtype=np.float32)
            scales = np.concatenate([self.scales[span] for span in spans])
            similarities = (codes @ columns) * scales[:, None]
            firsts = np.cumsum([0, *(span.stop - span.start for span in spans[:-1])])
            scores[members] = np.maximum.reduceat(similarities, firsts, axis=0).mean(axis=1)
        return scores

    def _blocks(self, passages: Int64) -> Iterator[slice]:
        """Runs of passages with about `BLOCK_ROWS` tokens each."""
        ends = np.cumsum(self.starts[passages + 1] - self.starts[passages])
        first = 0
        while first < len(passages):
            done = ends[first - 1] if first else 0
            last = max(first + 1, int(np.searchsorted(ends, done + BLOCK_ROWS, side="right")))
            yield slice(first, last)
            first = last
