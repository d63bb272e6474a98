"""One collection on disk: documents go in and out in atomic versions, and are searched in snapshots.

Layout: `manifest.json` names the live version; `segments/` holds immutable segments, `tombstones/` the bits
of deleted documents; `lock` keeps writers apart, over processes too. Readers need no lock: they read the
manifest, open what it names (each file's checksum is checked once a process), and hold on to it.
"""

from __future__ import annotations

import stat
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from retrieval.collections.merge import merge
from retrieval.collections.merge_policy import MergePolicy
from retrieval.collections.snapshot import Snapshot
from retrieval.collections.versions import Version, Versions
from retrieval.collections.writer import LOCK, Writer
from retrieval.corpus import Chunker
from retrieval.errors import CorruptSegment, DuplicateDocument, IndexMismatch, InvalidField
from retrieval.retrievers import IndexTools, Searched, Shared
from retrieval.segments import (
    BatchKey,
    Commit,
    Deletion,
    Encoded,
    IndexSettings,
    Manifest,
    Pause,
    Progress,
    SegmentEntry,
    check_segment,
    encode,
    read_live,
    sweep,
    write_segment,
)
from retrieval.segments.files import exclusive, sync_directory
from retrieval.segments.manifest import NAME
from retrieval.segments.segment import DIRECTORY as SEGMENTS
from retrieval.segments.tombstones import DIRECTORY as TOMBSTONES
from retrieval.tokens import DeviceSearch, Trainer
from retrieval.types import Document, Encoder, Vocabulary

MOST_FIELDS = 1000
"""Metadata fields that the documents of one collection may have together."""


@dataclass(frozen=True, slots=True)
class CollectionStats:
    """The size of a collection's live version; `bytes` is what its directory takes on disk."""

    documents: int
    passages: int
    segments: int
    version: int
    bytes: int
    fields: dict[str, list[str]]


class Collection:
    """A named set of documents, indexed together. Many threads and processes may read and write it."""

    def __init__(
        self,
        path: Path,
        *,
        encoder: Encoder,
        vocabulary: Vocabulary | None,
        accelerator: DeviceSearch | None = None,
    ) -> None:
        self.path = path
        self._accelerator = accelerator
        self._encoder = encoder
        self._vocabulary = vocabulary
        self._versions = Versions(path, partial(_check_models, encoder, vocabulary))
        self._writer = Writer(path, self._versions)
        self._shared = Shared()

    @classmethod
    def create(
        cls,
        path: Path,
        *,
        encoder: Encoder,
        vocabulary: Vocabulary | None,
        settings: IndexSettings,
        accelerator: DeviceSearch | None = None,
    ) -> Collection:
        """Makes an empty collection in a new directory; one that is there already is opened as it is.

        Raises InvalidChunking for impossible settings, IndexMismatch when it was built with other models.
        """
        Chunker(
            encoder.tokenize, passage_tokens=settings.passage_tokens, overlap_tokens=settings.overlap_tokens
        )
        path.mkdir(parents=True, exist_ok=True)
        with exclusive(path / LOCK):
            if not (path / NAME).exists():
                (path / SEGMENTS).mkdir(exist_ok=True)
                (path / TOMBSTONES).mkdir(exist_ok=True)
                uses_ngrams = settings.ngrams and vocabulary is not None
                Manifest(
                    version=0,
                    encoder=encoder.fingerprint,
                    vocabulary=vocabulary.fingerprint if uses_ngrams and vocabulary else "",
                    settings=replace(settings, ngrams=uses_ngrams),
                ).write(path)
                sync_directory(path.parent)
        return cls.open(path, encoder=encoder, vocabulary=vocabulary, accelerator=accelerator)

    @classmethod
    def open(
        cls,
        path: Path,
        *,
        encoder: Encoder,
        vocabulary: Vocabulary | None,
        accelerator: DeviceSearch | None = None,
    ) -> Collection:
        """Opens a collection and removes what a crash left half-written.

        Without a vocabulary it can be searched by tokens and words, and not added to if it has n-grams.
        Raises CorruptSegment for a damaged file, IndexMismatch when it was built with other models.
        """
        manifest = Manifest.read(path)
        if vocabulary and manifest.vocabulary:
            vocabulary = vocabulary.named(manifest.vocabulary)
        collection = cls(path, encoder=encoder, vocabulary=vocabulary, accelerator=accelerator)
        _check_models(encoder, vocabulary, manifest)
        with exclusive(path / LOCK):
            sweep(path, Manifest.read(path))
        collection._versions.current()
        return collection

    @property
    def settings(self) -> IndexSettings:
        """How its documents are cut."""
        return self._versions.current().manifest.settings

    def add(
        self,
        documents: Sequence[Document],
        *,
        gone: Iterable[str] = (),
        batch: BatchKey | None = None,
        progress: Progress | None = None,
        indexed: Progress | None = None,
    ) -> Commit:
        """Adds documents as one segment. Documents with the same ids are replaced in the same version.

        The documents `gone`, by id, are deleted in that version too. A `batch` that was committed before is
        not added again; its Commit is returned. `progress` is called with the characters read and their
        total, `indexed` then with the tokens that are in its lists and theirs. Both may raise, to stop.
        Raises DuplicateDocument if an id occurs twice, InvalidField for too many metadata fields in all.
        """
        _refuse_duplicates(documents)
        if batch is not None and (done := self.committed(batch)):
            return done
        _refuse_fields(self._versions.current(), documents)
        with self._writer.draft() as draft:
            vocabulary = self._writers_vocabulary()
            tools = IndexTools(self.settings, self._encoder, vocabulary, self._trainer, indexed)
            encoded = encode(documents, tools, room=self.path, progress=progress)
            if not documents:
                return self._add(encoded, None, "", batch, gone)
            checksum = write_segment(draft, encoded, tools, like=self._versions.current().segments)
            with self._writer.published(draft, checksum) as segment:
                return self._add(encoded, segment.name, checksum, batch, gone)

    def _add(
        self,
        encoded: Encoded,
        name: str | None,
        checksum: str,
        batch: BatchKey | None,
        gone: Iterable[str],
    ) -> Commit:
        """Makes a published segment part of the next version."""
        with self._writer.locked() as current:
            if batch is not None and (done := current.manifest.batches.get(str(batch))):
                return done
            version = current.manifest.version + 1
            replaced = _places(current, (document.id for document in encoded.documents))
            dead = replaced | _places(current, gone)
            segments = self._writer.bury(current, dead.values(), version)
            documents, passages = len(encoded.documents), len(encoded.batch.texts)
            if name is not None:
                segments.append(SegmentEntry(name, checksum, documents, passages))
            commit = Commit(version, name, checksum, documents - len(replaced), len(replaced), passages)
            batches = current.manifest.batches | ({str(batch): commit} if batch else {})
            self._writer.commit(
                replace(current.manifest, version=version, segments=tuple(segments), batches=batches)
            )
            return commit

    def merge(
        self,
        policy: MergePolicy | None = None,
        *,
        budget: int | None = None,
        pause: Pause | None = None,
    ) -> bool:
        """Makes one segment of several, or writes one without its dead; whether there was something to do.

        Searches, additions and deletions continue meanwhile. Their changes to the inputs also apply to the
        new segment. Segments of another running merge, in any process, are skipped, and so are merges of
        more than `budget` passages. `pause` is called now and then, never under the writers' lock. An
        exception from it ends the merge without any change.
        """
        choose = partial((policy or MergePolicy()).choose, budget=budget)
        return merge(self._writer, choose, pause, trainer=self._trainer)

    def merge_newest(self, added: int, *, pause: Pause | None = None) -> bool:
        """Makes one segment of those that the last `added` passages lie in; `pause` is as `merge` has it."""
        return merge(
            self._writer, partial(MergePolicy().choose_newest, added=added), pause, trainer=self._trainer
        )

    def delete(self, ids: Iterable[str]) -> Deletion:
        """Deletes documents. Gone from every later snapshot."""
        with self._writer.locked() as current:
            return self._delete(current, list(_places(current, ids).values()))

    def _delete(self, current: Version, gone: Sequence[tuple[int, int]]) -> Deletion:
        version = current.manifest.version
        if gone:
            version += 1
            segments = self._writer.bury(current, gone, version)
            self._writer.commit(replace(current.manifest, version=version, segments=tuple(segments)))
        return Deletion(version, len(gone))

    @property
    def jobs(self) -> set[str]:
        """The jobs whose batches are remembered."""
        return self._versions.current().manifest.jobs

    def forget(self, jobs: Iterable[str]) -> None:
        """Drops the batch records of jobs that will never run again.

        If such a batch were added once more, it would count as new. The version stays the same.
        """
        with self._writer.locked() as current:
            finished = current.manifest.jobs.intersection(jobs)
            if finished:
                self._writer.commit(current.manifest.without(finished))

    def committed(self, batch: BatchKey) -> Commit | None:
        """The commit of the batch, if there is one."""
        return self._versions.current().manifest.batches.get(str(batch))

    def snapshot(self) -> Snapshot:
        """The latest version, from any process, held open."""
        return self._snapshot(self._versions.current())

    def _snapshot(self, version: Version) -> Snapshot:
        searched = Searched(version.segments, self._vocabulary, self._accelerator, self._shared)
        return Snapshot(version, searched)

    def contains(self, ids: Iterable[str]) -> set[str]:
        """Those of the ids that are live documents."""
        return set(_places(self._versions.current(), ids))

    def stats(self) -> CollectionStats:
        """Its size, version and metadata fields."""
        current = self._versions.current()
        return CollectionStats(
            documents=current.documents,
            passages=self._snapshot(current).allowed(None).count,
            segments=len(current.segments),
            version=current.manifest.version,
            bytes=_bytes_below(self.path),
            fields={name: sorted(kinds) for name, kinds in sorted(current.kinds.items())},
        )

    def verify(self) -> list[CorruptSegment | IndexMismatch]:
        """Checks every checksum again; returns the problems. Changes nothing."""
        return check_files(self.path)

    @property
    def _trainer(self) -> Trainer | None:
        return self._accelerator.trainer if self._accelerator else None

    def _writers_vocabulary(self) -> Vocabulary | None:
        """The vocabulary of new segments. Raises IndexMismatch when the collection's own is not here."""
        manifest = self._versions.current().manifest
        if manifest.vocabulary and self._vocabulary is None:
            raise IndexMismatch("vocabulary", manifest.vocabulary, "none")
        return self._vocabulary if manifest.settings.ngrams else None


def check_files(path: Path) -> list[CorruptSegment | IndexMismatch]:
    """Checks every checksum of a collection, opened or not, down to its last file; returns the problems."""
    try:
        while True:
            manifest = Manifest.read(path)
            problems = list(_problems(path, manifest))
            # A commit in between may have swept away what this version lists: then the next is checked.
            if not problems or manifest == Manifest.read(path):
                return problems
    except (CorruptSegment, IndexMismatch) as error:
        return [error]


def _problems(path: Path, manifest: Manifest) -> Iterator[CorruptSegment | IndexMismatch]:
    for entry in manifest.segments:
        yield from check_segment(path, entry.name, entry.checksum)
        try:
            read_live(path, entry)
        except CorruptSegment as problem:
            yield problem


def _check_models(encoder: Encoder, vocabulary: Vocabulary | None, manifest: Manifest) -> None:
    if manifest.encoder != encoder.fingerprint:
        raise IndexMismatch("encoder", manifest.encoder, encoder.fingerprint)
    if vocabulary and manifest.vocabulary not in ("", vocabulary.fingerprint):
        raise IndexMismatch("vocabulary", manifest.vocabulary, vocabulary.fingerprint)


def _places(current: Version, ids: Iterable[str]) -> dict[str, tuple[int, int]]:
    """Where the live documents among the ids are: segment and number there."""
    found = ((identity, current.place(identity)) for identity in ids)
    return {identity: place for identity, place in found if place is not None}


def _bytes_below(directory: Path) -> int:
    total = 0
    for path in directory.rglob("*"):
        with suppress(FileNotFoundError):  # swept away just now
            status = path.lstat()
            total += status.st_size if stat.S_ISREG(status.st_mode) else 0
    return total


def _refuse_fields(current: Version, documents: Sequence[Document]) -> None:
    """A field costs memory in every segment and time in every filter, and nobody can list so many."""
    brought = {name for document in documents for name in document.metadata}
    known = set[str]().union(*(segment.columns.fields for segment in current.segments))
    new = sorted(brought - known)
    if new and len(known) + len(new) > MOST_FIELDS:
        raise InvalidField(
            new[0], f"the collection has {len(known)} metadata fields; at most {MOST_FIELDS} are kept"
        )


def _refuse_duplicates(documents: Sequence[Document]) -> None:
    seen: set[str] = set()
    for document in documents:
        if document.id in seen:
            raise DuplicateDocument(document.id)
        seen.add(document.id)
