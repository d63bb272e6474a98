"""Exact MaxSim by PyTorch: one matrix product of all tokens in float32."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from measure import Float32, main

_BLOCK = 2_000  # passages at a time, so that the similarities stay small


class Exact:
    """Brute force; the index is the vectors themselves, in memory."""

    def build(self, directory: Path, passages: Sequence[Float32]) -> None:
        """Writes the vectors."""
        lengths = np.array([len(passage) for passage in passages])
        tokens = np.lib.format.open_memmap(
            directory / "tokens.npy", "w+", np.float32, (int(lengths.sum()), passages[0].shape[1])
        )
        for passage, end in zip(passages, np.cumsum(lengths), strict=True):
            tokens[end - len(passage) : end] = passage
        np.save(directory / "lengths.npy", lengths)

    def open(self, directory: Path, threads: int) -> None:
        """Reads everything into memory."""
        torch.set_num_threads(threads)
        self._tokens = torch.from_numpy(np.load(directory / "tokens.npy"))
        self._lengths = torch.from_numpy(np.load(directory / "lengths.npy"))

    @torch.inference_mode()
    def search(self, query: Float32, k: int) -> Sequence[int]:
        """Passage numbers, best first."""
        columns = torch.from_numpy(query).T
        scores, first = [], 0
        for lengths in self._lengths.split(_BLOCK):
            last = first + int(lengths.sum())
            similarities = self._tokens[first:last] @ columns
            scores.append(_best(similarities, lengths).sum(dim=1))
            first = last
        every = torch.cat(scores)
        return every.topk(min(k, len(every))).indices.tolist()


def _best(similarities: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
    """The best similarity (passages, q) of each passage to each query token."""
    if bool((lengths == lengths[0]).all()):
        return similarities.view(len(lengths), int(lengths[0]), -1).amax(dim=1)
    return torch.segment_reduce(similarities, "max", lengths=lengths)


if __name__ == "__main__":
    main(Exact)
