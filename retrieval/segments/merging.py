"""Merges several segments into one: live passages are copied, and nothing is encoded again."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np

from retrieval.catalogue import INDEXES
from retrieval.lazy_sequence import LazySequence, Pause
from retrieval.retrievers import Batch, IndexTools
from retrieval.segments.crash_points import crash_point
from retrieval.segments.encoding import Encoded, indexed_text
from retrieval.segments.segment import Segment, write_segment
from retrieval.types import Bits, Document, Int64, Passage


@dataclass(frozen=True)
class MergeInput:
    """A segment and its documents that were live when the merge began (documents,)."""

    segment: Segment
    live: Bits

    @cached_property
    def documents(self) -> Int64:
        """The numbers of its live documents, ascending."""
        return np.flatnonzero(self.live)

    @cached_property
    def passages(self) -> Int64:
        """The numbers of its live passages, ascending."""
        return np.flatnonzero(self.live[self.segment.passages.owners])


def merge_segments(
    directory: Path,
    inputs: Sequence[MergeInput],
    tools: IndexTools,
    *,
    like: Sequence[Segment],
    pause: Pause | None = None,
) -> str:
    """Writes a segment of the live documents of all inputs, in their order; returns its record's checksum.

    What the indexes have stored is copied as it is, and read one passage at a time: texts and vectors never
    are in memory together. `like` are the collection's live segments, the inputs among them.
    """
    checksum = write_segment(directory, _encoded(inputs, pause), tools, like=like)
    crash_point("merge.written")
    return checksum


class _Places:
    """Where the numbers of a merged segment are in its inputs."""

    def __init__(self, segments: Sequence[Segment], numbers: Sequence[Int64]) -> None:
        self._segments = segments
        self._numbers = numbers
        self._bases = [0, *accumulate(map(len, numbers))]

    def __len__(self) -> int:
        return self._bases[-1]

    def __call__(self, at: int) -> tuple[Segment, int]:
        part = bisect_right(self._bases, at) - 1
        return self._segments[part], int(self._numbers[part][at - self._bases[part]])


def _encoded(inputs: Sequence[MergeInput], pause: Pause | None) -> Encoded:
    segments = [one.segment for one in inputs]
    documents = _Places(segments, [one.documents for one in inputs])
    passages = _Places(segments, [one.passages for one in inputs])
    common = [name for name in INDEXES if all(name in one.indexes for one in segments)]

    def document(at: int) -> Document:
        segment, number = documents(at)
        store = segment.passages
        return Document(store.ids[number], "", title=store.titles[number], metadata=store.metadata[number])

    def of_document(at: int) -> list[Passage]:
        segment, number = documents(at)
        return [segment.passages.passage(one) for one in segment.passages.of_document(number)]

    def text(at: int) -> str:
        segment, number = passages(at)
        return indexed_text(segment.passages.passage(number))[0]

    def rows(name: str) -> Sequence[Any]:
        def row(at: int) -> Any:
            segment, number = passages(at)
            return segment.indexes[name].stored(number)

        return LazySequence(len(passages), row, pause)

    return Encoded(
        LazySequence(len(documents), document, pause),
        LazySequence(len(documents), of_document, pause),
        Batch(LazySequence(len(passages), text, pause), {name: rows(name) for name in common}),
    )
