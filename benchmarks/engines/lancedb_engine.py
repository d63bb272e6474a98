"""LanceDB's multivector column: IVF_PQ, then MaxSim over the stored vectors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import lancedb
import numpy as np
import pyarrow as pa
from measure import Float32, main

_BATCH = 1_000


class Table:
    """32 codes of 8 bits for 128 dimensions; the default number of probes unless set."""

    def __init__(self, refine_factor: int = 1, nprobes: int | None = None) -> None:
        self._refine_factor = refine_factor
        self._nprobes = nprobes

    def build(self, directory: Path, passages: Sequence[Float32]) -> None:
        """Writes table and index."""
        dim = passages[0].shape[1]
        vectors = pa.list_(pa.list_(pa.float32(), dim))
        schema = pa.schema([pa.field("id", pa.int64()), pa.field("vector", vectors)])
        reader = pa.RecordBatchReader.from_batches(schema, _batches(schema, passages, dim))
        table = lancedb.connect(str(directory)).create_table("passages", reader)
        table.create_index(
            metric="cosine", vector_column_name="vector", index_type="IVF_PQ", num_sub_vectors=dim // 4
        )

    def open(self, directory: Path, threads: int) -> None:
        """Opens the table; its threads are set by the environment."""
        self._table = lancedb.connect(str(directory)).open_table("passages")

    def search(self, query: Float32, k: int) -> Sequence[int]:
        """Passage numbers, best first."""
        asked = self._table.search(query, vector_column_name="vector").refine_factor(self._refine_factor)
        if self._nprobes is not None:
            asked = asked.nprobes(self._nprobes)
        return asked.select(["id", "_distance"]).limit(k).to_arrow()["id"].to_pylist()


def _batches(schema: pa.Schema, passages: Sequence[Float32], dim: int) -> Iterator[pa.RecordBatch]:
    for first in range(0, len(passages), _BATCH):
        some = passages[first : first + _BATCH]
        starts = np.cumsum([0, *map(len, some)], dtype=np.int32)
        rows = pa.FixedSizeListArray.from_arrays(pa.array(np.concatenate(some).reshape(-1)), dim)
        vectors = pa.ListArray.from_arrays(pa.array(starts), rows)
        numbers = pa.array(range(first, first + len(some)), pa.int64())
        yield pa.RecordBatch.from_arrays([numbers, vectors], schema=schema)


if __name__ == "__main__":
    main(Table)
