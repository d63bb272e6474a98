"""The token vectors of one segment as 8-bit integers, mapped from disk: read for refining and explaining."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from retrieval.errors import CorruptSegment
from retrieval.tokens.kernels import maxsim_scores
from retrieval.tokens.vectors import Int8, quantise
from retrieval.types import Float32, Int64


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
        scales = np.zeros(int(starts[-1]), np.float32)
        shape = {"descr": "|i1", "fortran_order": False, "shape": (int(starts[-1]), dim)}
        with (directory / "codes.npy").open("wb") as file:
            np.lib.format.write_array_header_2_0(file, shape)
            for passage, lo, hi in zip(vectors, starts[:-1], starts[1:], strict=True):
                codes, scales[lo:hi] = quantise(passage)
                file.write(codes.tobytes())
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
        arrays: dict[str, np.ndarray] = {}
        for name, (shape, dtype) in expected.items():
            path = directory / f"{name}.npy"
            try:
                mapped = np.load(path, mmap_mode="r", allow_pickle=False)
            except (OSError, ValueError, EOFError) as error:
                raise CorruptSegment(str(path), f"cannot be read ({error})") from error
            if mapped.shape != shape or mapped.dtype != dtype:
                raise CorruptSegment(str(path), f"holds {mapped.shape} {mapped.dtype}, not {shape}")
            # The small arrays are read, to hold no file open; a plain view of the codes slices several
            # times faster than the memmap subclass, over the same mapping.
            arrays[name] = np.asarray(mapped) if name == "codes" else np.array(mapped)
        starts = arrays["starts"]
        if starts[0] != 0 or starts[-1] != tokens or (np.diff(starts) < 0).any():
            raise CorruptSegment(str(directory / "starts.npy"), "the passages do not add up to the tokens")
        return cls(arrays["codes"], arrays["scales"], starts)

    @property
    def lengths(self) -> Int64:
        """Tokens of each passage (passages,)."""
        lengths: Int64 = np.diff(self.starts)
        return lengths

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
        queries = np.ascontiguousarray(query, np.float32)
        return maxsim_scores(self.codes, self.scales, self.starts, passages, queries)
