"""Merging a collection's segments while it is searched and changed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace

import numpy as np

from retrieval.collections.writer import Writer
from retrieval.retrievers import IndexTools
from retrieval.segments import (
    MergeInput,
    Pause,
    Segment,
    SegmentEntry,
    merge_segments,
    taken,
    write_tombstones,
)
from retrieval.segments.crash_points import crash_point
from retrieval.tokens import Trainer

Choice = Callable[[Sequence[tuple[int, float]]], list[int]]
"""Which of some segments to merge, by the live passages and the dead share of each."""


def merge(writer: Writer, choose: Choice, pause: Pause | None, *, trainer: Trainer | None = None) -> bool:
    """Makes one segment of those chosen among the live ones; whether there was something to do.

    The new segment is written without the lock. Documents that are replaced or deleted meanwhile are dead in
    it from the start. If an input has disappeared, the merge is abandoned. Inputs of another running merge,
    in any process, cannot be chosen.
    """
    current = writer.current()
    with ExitStack() as holds:
        names = [entry.name for entry in current.manifest.segments]
        free = [at for at, name in enumerate(names) if holds.enter_context(taken(writer.path, name))]
        sizes = current.sizes()
        chosen = [free[at] for at in choose([sizes[at] for at in free])]
        if not chosen:
            return False
        inputs = [MergeInput(current.segments[at], current.live_documents(at)) for at in chosen]
        with writer.draft() as draft:
            tools = IndexTools(current.manifest.settings, trainer=trainer)
            checksum = merge_segments(draft, inputs, tools, like=current.segments, pause=pause)
            with writer.published(draft, checksum) as merged:
                return _replace(writer, inputs, merged, checksum)


def _replace(writer: Writer, inputs: Sequence[MergeInput], merged: Segment, checksum: str) -> bool:
    """Lists a merged segment in place of its inputs; not if one of them is gone."""
    with writer.locked() as current:
        crash_point("merge.locked")
        places = {entry.name: at for at, entry in enumerate(current.manifest.segments)}
        names = {one.segment.name for one in inputs}
        if not names <= places.keys():
            return False
        version = current.manifest.version + 1
        # What was live when the merge began, in the order of the new segment: is it still?
        still = np.concatenate([current.live_documents(places[one.segment.name])[one.live] for one in inputs])
        segments = [entry for entry in current.manifest.segments if entry.name not in names]
        if still.any():
            entry = SegmentEntry(merged.name, checksum, len(still), len(merged.passages))
            if not still.all():
                entry = replace(entry, tombstones=write_tombstones(writer.path, entry.name, version, still))
            segments.insert(min(places[name] for name in names), entry)
        writer.commit(replace(current.manifest, version=version, segments=tuple(segments)))
        crash_point("merge.committed")
        return True
