"""Compaction: a collection in as few segments as it may have, with nothing deleted left on disk."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from retrieval.collections.merge import merge
from retrieval.collections.merge_policy import MergePolicy
from retrieval.collections.versions import Version, Versions
from retrieval.collections.writer import Writer
from retrieval.segments import Manifest, Pause
from retrieval.tokens import Trainer


@dataclass(frozen=True, slots=True)
class Compacted:
    """A collection before and after: its segments, their passages with the dead ones, its last version."""

    merges: int
    segments: tuple[int, int]
    passages: tuple[int, int]
    version: int


def compact(
    collection: Path,
    policy: MergePolicy | None = None,
    *,
    pause: Pause | None = None,
    trainer: Trainer | None = None,
) -> Compacted:
    """Merges until there are as few segments as the policy's largest size allows, without anything dead.

    No model is needed. Searches and changes by other threads and processes continue, as in every merge;
    segments of another running merge are left out. Raises CorruptSegment.
    """
    writer = Writer(collection, Versions(collection, _any_model))
    chosen = (policy or MergePolicy()).choose_all
    before, merges = writer.current(), 0
    while merge(writer, chosen, pause, trainer=trainer):
        merges += 1
    after = writer.current()
    return Compacted(
        merges,
        (len(before.segments), len(after.segments)),
        (_passages(before), _passages(after)),
        after.manifest.version,
    )


def _any_model(_: Manifest) -> None:
    """Segments are merged as they are encoded: which model did it is of no interest here."""


def _passages(version: Version) -> int:
    return sum(entry.passages for entry in version.manifest.segments)
