"""The token vectors of a segment, as int8 with a scale each, memory-mapped: for refining and explaining."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from retrieval.types import Float32, Int64

_FILES = ("codes.npy", "scales.npy", "starts.npy")


class VectorStore:
    """Vectors of passage p are rows `starts[p]` to `starts[p + 1]`; d + 4 bytes a token.

    A vector is its scale times its int8 code, the scale being its largest component over 127. The loss of a
    dot product with a unit vector is at most sqrt(d)/254 of the largest component, about 0.001 for MiniLM.
    """

    def __init__(self, codes: np.ndarray, scales: Float32, starts: Int64) -> None:
        self._codes = codes
        self._scales = scales
        self.starts = starts

    @classmethod
    def build(cls, directory: Path, vectors: Sequence[Float32], dim: int) -> None:
        """Writes the files into `directory`."""
        starts = np.concatenate([[0], np.cumsum([len(one) for one in vectors], dtype=np.int64)]).astype(
            np.int64
        )
        codes = (
            np.lib.format.open_memmap(
                directory / _FILES[0], mode="w+", dtype=np.int8, shape=(int(starts[-1]), dim)
            )
            if starts[-1]
            else np.zeros((0, dim), np.int8)
        )
        scales = np.zeros(int(starts[-1]), np.float32)
        for one, start in zip(vectors, starts, strict=False):
            if len(one):
                scale = np.abs(one).max(axis=1) / 127.0
                codes[start : start + len(one)] = np.rint(one / scale[:, None]).astype(np.int8)
                scales[start : start + len(one)] = scale
        if isinstance(codes, np.memmap):
            codes.flush()
        else:
            np.save(directory / _FILES[0], codes)
        np.save(directory / _FILES[1], scales)
        np.save(directory / _FILES[2], starts)

    @classmethod
    def open(cls, directory: Path) -> VectorStore:
        """Maps the files; nothing is read yet."""
        codes, scales, starts = (
            np.load(directory / name, mmap_mode="r", allow_pickle=False) for name in _FILES
        )
        return cls(codes, scales, np.asarray(starts))

    def passage(self, number: int) -> Float32:
        """One passage's vectors (n, d), float32."""
        rows = slice(int(self.starts[number]), int(self.starts[number + 1]))
        vectors: Float32 = self._codes[rows].astype(np.float32) * self._scales[rows, None]
        return vectors
