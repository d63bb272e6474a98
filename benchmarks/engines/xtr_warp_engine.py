"""xtr-warp-rs: WARP in Rust, with the probes and t' that PyLate gives it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from measure import Float32, main
from xtr_warp.search import XTRWarp


class Warp:
    """None for a setting lets the engine choose."""

    def __init__(self, nprobe: int | None = 32, t_prime: int | None = 100_000, nbits: int = 4) -> None:
        self._settings = {"nprobe": nprobe, "t_prime": t_prime, "show_progress": False}
        self._nbits = nbits

    def build(self, directory: Path, passages: Sequence[Float32]) -> None:
        """Writes the index."""
        vectors = [torch.from_numpy(passage) for passage in passages]
        index = XTRWarp(index=str(directory), device="cpu")
        index.create(vectors, device="cpu", nbits=self._nbits, show_progress=False)

    def open(self, directory: Path, threads: int) -> None:
        """Maps the index."""
        self._threads = threads
        self._index = XTRWarp(index=str(directory), device="cpu")
        self._index.load("cpu")

    def search(self, query: Float32, k: int) -> Sequence[int]:
        """Passage numbers, best first."""
        return self.search_many([query], k)[0]

    def search_many(self, queries: Sequence[Float32], k: int) -> list[Sequence[int]]:
        """One call for all queries."""
        vectors = [torch.from_numpy(query) for query in queries]
        found = self._index.search(vectors, top_k=k, num_threads=self._threads, **self._settings)
        return [[number for number, _ in hits] for hits in found]


if __name__ == "__main__":
    main(Warp)
