"""fast-plaid: PLAID in Rust on libtorch, with its own defaults, on the CPU."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from fast_plaid.search import FastPlaid
from measure import Float32, main


class Plaid:
    """4-bit residuals, as it comes."""

    def __init__(self, n_ivf_probe: int = 8, n_full_scores: int = 4096, nbits: int = 4) -> None:
        self._settings = {"n_ivf_probe": n_ivf_probe, "n_full_scores": n_full_scores, "show_progress": False}
        self._nbits = nbits

    def build(self, directory: Path, passages: Sequence[Float32]) -> None:
        """Writes the index."""
        index = FastPlaid(index=str(directory), device="cpu")
        index.create([torch.from_numpy(passage) for passage in passages], nbits=self._nbits)
        index.close()

    def open(self, directory: Path, threads: int) -> None:
        """Loads the index."""
        torch.set_num_threads(threads)
        self._index = FastPlaid(index=str(directory), device="cpu")

    def search(self, query: Float32, k: int) -> Sequence[int]:
        """Passage numbers, best first."""
        return self.search_many([query], k)[0]

    def search_many(self, queries: Sequence[Float32], k: int) -> list[Sequence[int]]:
        """One call for all queries."""
        vectors = [torch.from_numpy(query) for query in queries]
        found = self._index.search(vectors, top_k=k, **self._settings)
        return [[number for number, _ in hits] for hits in found]


if __name__ == "__main__":
    main(Plaid)
