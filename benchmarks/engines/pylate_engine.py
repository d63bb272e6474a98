"""PyLate's XTR retrieval on its ScaNN index."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from measure import Float32, main
from pylate import indexes, retrieve


class XTR:
    """`k_token` tokens for each query token; PyLate's own default is 10,000."""

    def __init__(self, k_token: int = 1000) -> None:
        self._k_token = k_token

    def build(self, directory: Path, passages: Sequence[Float32]) -> None:
        """Writes the index without the vectors, which XTR does not need."""
        index = _index(directory, passages[0].shape[1], override=True)
        index.add_documents([str(number) for number in range(len(passages))], list(passages))

    def open(self, directory: Path, threads: int) -> None:
        """Loads the index."""
        index = _index(directory, 0, override=False)
        index.searcher.set_num_threads(threads)
        self._retriever = retrieve.XTR(index=index)

    def search(self, query: Float32, k: int) -> Sequence[int]:
        """Passage numbers, best first."""
        return self.search_many([query], k)[0]

    def search_many(self, queries: Sequence[Float32], k: int) -> list[Sequence[int]]:
        """One call for all queries."""
        found = self._retriever.retrieve(list(queries), k=k, k_token=self._k_token, device="cpu")
        return [[int(hit["id"]) for hit in hits] for hits in found]


def _index(directory: Path, dim: int, *, override: bool) -> indexes.ScaNN:
    return indexes.ScaNN(
        index_name="scann",
        index_folder=str(directory),
        embedding_size=dim,
        store_embeddings=False,
        override=override,
    )


if __name__ == "__main__":
    main(XTR)
