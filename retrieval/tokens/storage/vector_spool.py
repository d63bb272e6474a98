"""A temporary file of token vectors on their way into a segment."""

from __future__ import annotations

import tempfile
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from retrieval.types import Float32

_TYPE = np.dtype(np.float16)


class VectorSpool:
    """Takes one passage's vectors after the other, then shows them all, in a file without a name.

    A batch is indexed as a whole, and its vectors may be larger than memory: 2.5 million tokens, a long
    book's, take 2 GB at 384 dimensions. Half precision is finer than the index's own 8 bits.
    """

    def __init__(self, directory: Path, dim: int) -> None:
        self._file = tempfile.TemporaryFile(dir=directory)  # noqa: SIM115
        self._dim = dim
        self._lengths: list[int] = []

    def append(self, vectors: Float32) -> None:
        """Adds the vectors (n, dim) of the next passage."""
        self._file.write(vectors.astype(_TYPE).tobytes())
        self._lengths.append(len(vectors))

    def passages(self) -> list[NDArray[Any]]:
        """The vectors (n, dim) of every passage, mapped from the file, which goes with the last of them."""
        ends = np.cumsum([0, *self._lengths], dtype=np.int64).tolist()
        shape = (ends[-1], self._dim)
        with self._file as file:
            file.flush()
            # An empty file cannot be mapped.
            rows: NDArray[Any] = np.memmap(file, _TYPE, "r", shape=shape) if ends[-1] else np.zeros(shape)
        return [np.asarray(rows[start:end]) for start, end in pairwise(ends)]
