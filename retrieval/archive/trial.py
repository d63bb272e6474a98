"""Checks that an index is consistent, so that no query fails on it or reads out of bounds."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from retrieval.archive.agreement import Agreement
from retrieval.archive.documents import NAME as DOCUMENTS
from retrieval.archive.documents import read_documents
from retrieval.catalogue import INDEXES
from retrieval.segments import IndexSettings, Manifest, Segment, SegmentEntry, read_live
from retrieval.segments.columns import kind_of
from retrieval.segments.passages import PassageStore
from retrieval.segments.segment import DIRECTORY as SEGMENTS
from retrieval.trials import Expected, hold, rises, whole


def try_collection(directory: Path, expected: Expected) -> None:
    """Opens every index of a collection, checks and searches it, and holds the documents against it.

    Raises ValueError, CorruptSegment or IndexMismatch, or any other error that a damaged file causes.
    """
    manifest = Manifest.read(directory)
    segments = [Segment(entry.name, directory / SEGMENTS / entry.name) for entry in manifest.segments]
    live = [read_live(directory, entry) for entry in manifest.segments]
    for entry, segment, bits in zip(manifest.segments, segments, live, strict=True):
        dead = 0 if bits is None else int((~bits).sum())
        hold(
            dead == (entry.tombstones.deleted if entry.tombstones else 0) < max(1, entry.documents),
            "deletions",
        )
        _try_segment(segment, entry, manifest.settings)
    for name, kind in INDEXES.items():
        owners = [segment for segment in segments if name in segment.indexes]
        passages = [len(segment.passages) for segment in owners]
        kind.examine([segment.indexes[name] for segment in owners], passages, expected)
    agreement = Agreement([segment.passages for segment in segments], live)
    with (directory / DOCUMENTS).open("rb") as file:
        for document, _ in read_documents(file):
            if why := agreement.differs(document):
                raise ValueError(why)
    if agreement.left:
        raise ValueError(f"{agreement.left} documents of the index are not among the documents")


def _try_segment(segment: Segment, entry: SegmentEntry, settings: IndexSettings) -> None:
    _check_passages(segment.passages)
    documents, passages = len(segment.passages.ids), len(segment.passages)
    hold((documents, passages) == (entry.documents, entry.passages), "numbers of documents and passages")
    for name, kind in INDEXES.items():
        hold((name in segment.indexes) == kind.belongs(settings), name)


def _check_passages(store: PassageStore) -> None:
    texts = [*store.ids, *store.titles, *store._headings]
    hold(
        all(type(one) is list for one in (store.ids, store.titles, store.metadata, store._headings)), "lists"
    )
    hold(all(type(text) is str for text in texts) and len(store.places) == len(store.ids), "ids and titles")
    hold(len(store.ids) == len(store.titles) == len(store.metadata), "numbers of documents")
    for fields in store.metadata:
        hold(type(fields) is dict, "metadata")
        for value in fields.values():
            values = value if isinstance(value, list) else [value]
            hold(all(kind_of(one) for one in values), "metadata")
    count = len(store)
    hold(len(store._headings) == count, "headings")
    hold(type(store._marks) is list and len(store._marks) == count, "pages and rows")
    for marks in store._marks:
        hold(type(marks) in (list, tuple) and all(map(_is_mark, marks)), "pages and rows")
    hold(rises(store._bounds, 0, len(store._text)) and store._bounds.shape == (count + 1,), "texts")
    spans = store._spans
    hold(whole(spans) and spans.shape == (count, 2) and bool((spans >= 0).all()), "spans")
    hold(bool((spans[:, 0] <= spans[:, 1]).all()), "spans")
    owners = store.owners
    hold(whole(owners) and owners.ndim == 1 and bool((np.diff(owners) >= 0).all()), "owners")
    hold(not count or (owners[0] >= 0 and owners[-1] < len(store.ids)), "owners")


def _is_mark(mark: object) -> bool:
    """Whether it is [kind, number, start, end], as a segment has it."""
    if type(mark) is not list or len(mark) != 4 or mark[0] not in ("page", "row"):
        return False
    numbers = mark[1:]
    return all(type(one) is int and 0 <= one < 2**31 for one in numbers) and mark[2] < mark[3]
