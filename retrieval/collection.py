"""One collection on disk: documents go in and out in atomic versions, and are searched in snapshots.

Layout: `manifest.json` names the live version; `segments/` holds immutable segments, `tombstones/` the bits
of deleted documents; `lock` keeps writers apart, over processes too. Readers need no lock: they read the
manifest, open what it names (each file's checksum is checked once a process), and hold on to it.
"""

from __future__ import annotations

import stat
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from retrieval.corpus import Chunker
from retrieval.errors import CorruptSegment, DuplicateDocument, IndexMismatch
from retrieval.segments import (
    BatchKey,
    Commit,
    Encoded,
    IndexSettings,
    Manifest,
    Progress,
    SegmentEntry,
    check_segment,
    encode,
    publish,
    read_live,
    sweep,
    write_segment,
    write_tombstones,
)
from retrieval.segments.files import claimed, exclusive, remove, sync_directory
from retrieval.segments.manifest import NAME
from retrieval.segments.segment import DIRECTORY as SEGMENTS
from retrieval.segments.tombstones import DIRECTORY as TOMBSTONES
from retrieval.snapshot import Bm25Cache, Snapshot
from retrieval.types import Document, Encoder, Vocabulary
from retrieval.view import View, Views

_LOCK = "lock"


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

    def __init__(self, path: Path, *, encoder: Encoder, vocabulary: Vocabulary | None) -> None:
        self.path = path
        self._encoder = encoder
        self._vocabulary = vocabulary
        self._views = Views(path, partial(_check_models, encoder, vocabulary))
        self._bm25 = Bm25Cache()

    @classmethod
    def create(
        cls, path: Path, *, encoder: Encoder, vocabulary: Vocabulary | None, settings: IndexSettings
    ) -> Collection:
        """Makes an empty collection in a new directory; one that is there already is opened as it is.

        Raises InvalidChunking for impossible settings, IndexMismatch when it was built with other models.
        """
        Chunker(
            encoder.tokenize, passage_tokens=settings.passage_tokens, overlap_tokens=settings.overlap_tokens
        )
        path.mkdir(parents=True, exist_ok=True)
        with exclusive(path / _LOCK):
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
        return cls.open(path, encoder=encoder, vocabulary=vocabulary)

    @classmethod
    def open(cls, path: Path, *, encoder: Encoder, vocabulary: Vocabulary | None) -> Collection:
        """Opens a collection and removes what a crash left half-written.

        Without a vocabulary it can be searched by tokens and words, and not added to if it has n-grams.
        Raises CorruptSegment for a damaged file, IndexMismatch when it was built with other models.
        """
        collection = cls(path, encoder=encoder, vocabulary=vocabulary)
        _check_models(encoder, vocabulary, Manifest.read(path))
        with exclusive(path / _LOCK):
            sweep(path, Manifest.read(path))
        collection._views.current()
        return collection

    @property
    def settings(self) -> IndexSettings:
        """How its documents are cut."""
        return self._views.current().manifest.settings

    def add(
        self,
        documents: Sequence[Document],
        *,
        batch: BatchKey | None = None,
        progress: Progress | None = None,
    ) -> Commit:
        """Puts documents in as one segment; those whose ids are there are replaced in the same version.

        With a `batch` that was committed before, nothing is done and its Commit is returned. `progress` is
        called with documents done and in all. Raises DuplicateDocument when an id comes twice.
        """
        _refuse_duplicates(documents)
        if batch is not None and (done := self.committed(batch)):
            return done
        with self._draft() as draft:
            encoded = encode(
                documents,
                settings=self.settings,
                encoder=self._encoder,
                vocabulary=self._writers_vocabulary(),
                room=self.path,
                progress=progress,
            )
            checksum = write_segment(draft, encoded) if documents else ""
            with exclusive(self.path / _LOCK):
                return self._add(encoded, draft, checksum, batch)

    def _add(self, encoded: Encoded, draft: Path, checksum: str, batch: BatchKey | None) -> Commit:
        """Makes a written draft part of the next version, under the lock."""
        view = self._views.current()
        if batch is not None and (done := view.manifest.batches.get(str(batch))):
            return done
        version = view.manifest.version + 1
        gone = _places(view, (document.id for document in encoded.documents))
        segments = self._bury(view, gone.values(), version)
        documents, passages = len(encoded.documents), len(encoded.texts)
        name = None
        if checksum:
            name = publish(draft).name
            segments.append(SegmentEntry(name, checksum, documents, passages))
        commit = Commit(version, name, checksum, documents - len(gone), len(gone), passages)
        batches = view.manifest.batches | ({str(batch): commit} if batch else {})
        self._commit(replace(view.manifest, version=version, segments=tuple(segments), batches=batches))
        return commit

    @contextmanager
    def _draft(self) -> Iterator[Path]:
        """A directory for a segment in the making, safe from sweeps; gone afterwards unless published."""
        directory = self.path / SEGMENTS / f"seg-{uuid.uuid4().hex}.tmp"
        with ExitStack() as claim:
            with exclusive(self.path / _LOCK):
                directory.mkdir()
                claim.enter_context(claimed(directory))
            try:
                yield directory
            finally:
                remove(directory)

    def delete(self, ids: Iterable[str]) -> int:
        """Deletes documents; returns how many were there. Gone from every later snapshot."""
        with exclusive(self.path / _LOCK):
            view = self._views.current()
            return self._delete(view, list(_places(view, ids).values()))

    def clear(self) -> int:
        """Deletes all documents, in one version; returns how many there were."""
        with exclusive(self.path / _LOCK):
            view = self._views.current()
            ids = (identity for segment in view.segments for identity in segment.passages.ids)
            return self._delete(view, list(_places(view, ids).values()))

    def _delete(self, view: View, gone: Sequence[tuple[int, int]]) -> int:
        if gone:
            version = view.manifest.version + 1
            segments = self._bury(view, gone, version)
            self._commit(replace(view.manifest, version=version, segments=tuple(segments)))
        return len(gone)

    def committed(self, batch: BatchKey) -> Commit | None:
        """What the batch put in, if it was committed."""
        return self._views.current().manifest.batches.get(str(batch))

    def snapshot(self) -> Snapshot:
        """The latest version, whoever committed it, held still."""
        return Snapshot(self._views.current(), self._vocabulary, self._bm25)

    def contains(self, ids: Iterable[str]) -> set[str]:
        """Which of the ids are those of live documents."""
        return set(_places(self._views.current(), ids))

    def stats(self) -> CollectionStats:
        """Its size, version and metadata fields."""
        view = self._views.current()
        return CollectionStats(
            documents=view.documents,
            passages=Snapshot(view, self._vocabulary, self._bm25).allowed(None).count,
            segments=len(view.segments),
            version=view.manifest.version,
            bytes=_bytes_below(self.path),
            fields={name: sorted(kinds) for name, kinds in sorted(view.kinds.items())},
        )

    def verify(self) -> list[CorruptSegment | IndexMismatch]:
        """Checks every checksum anew; returns what is wrong, changes nothing."""
        try:
            while True:
                manifest = Manifest.read(self.path)
                problems = list(self._problems(manifest))
                # A commit in between may have swept away what this version lists: then the next is checked.
                if not problems or manifest == Manifest.read(self.path):
                    return problems
        except (CorruptSegment, IndexMismatch) as error:
            return [error]

    def _problems(self, manifest: Manifest) -> Iterator[CorruptSegment | IndexMismatch]:
        for entry in manifest.segments:
            yield from check_segment(self.path, entry.name, entry.checksum)
            try:
                read_live(self.path, entry)
            except CorruptSegment as problem:
                yield problem

    def _bury(self, view: View, gone: Iterable[tuple[int, int]], version: int) -> list[SegmentEntry]:
        """The live segments once the documents `gone` are dead; a segment with none left is dropped."""
        dead: dict[int, list[int]] = {}
        for segment, document in gone:
            dead.setdefault(segment, []).append(document)
        entries = []
        for at, (entry, live) in enumerate(zip(view.manifest.segments, view.live, strict=True)):
            if at in dead:
                bits = np.ones(entry.documents, bool) if live is None else live.copy()
                bits[dead[at]] = False
                if not bits.any():
                    continue
                entry = replace(entry, tombstones=write_tombstones(self.path, entry.name, version, bits))
            entries.append(entry)
        return entries

    def _commit(self, manifest: Manifest) -> None:
        manifest.write(self.path)
        self._views.current()
        sweep(self.path, manifest)

    def _writers_vocabulary(self) -> Vocabulary | None:
        """The vocabulary of new segments. Raises IndexMismatch when the collection's own is not here."""
        manifest = self._views.current().manifest
        if manifest.vocabulary and self._vocabulary is None:
            raise IndexMismatch("vocabulary", manifest.vocabulary, "none")
        return self._vocabulary if manifest.settings.ngrams else None


def _check_models(encoder: Encoder, vocabulary: Vocabulary | None, manifest: Manifest) -> None:
    if manifest.encoder != encoder.fingerprint:
        raise IndexMismatch("encoder", manifest.encoder, encoder.fingerprint)
    if vocabulary and manifest.vocabulary not in ("", vocabulary.fingerprint):
        raise IndexMismatch("vocabulary", manifest.vocabulary, vocabulary.fingerprint)


def _places(view: View, ids: Iterable[str]) -> Mapping[str, tuple[int, int]]:
    """Where the live documents among the ids are: segment and number there."""
    found = ((identity, view.place(identity)) for identity in ids)
    return {identity: place for identity, place in found if place is not None}


def _bytes_below(directory: Path) -> int:
    total = 0
    for path in directory.rglob("*"):
        with suppress(FileNotFoundError):  # swept away just now
            status = path.lstat()
            total += status.st_size if stat.S_ISREG(status.st_mode) else 0
    return total


def _refuse_duplicates(documents: Sequence[Document]) -> None:
    seen: set[str] = set()
    for document in documents:
        if document.id in seen:
            raise DuplicateDocument(document.id)
        seen.add(document.id)
