"""One collection on disk: documents go in and out in atomic versions, and are searched in snapshots.

Layout: `manifest.json` names the live version; `segments/` holds immutable segments, `tombstones/` the bits
of deleted documents; `lock` keeps writers apart, over processes too. Readers need no lock: they read the
manifest, open what it names (each file's checksum is checked once a process), and hold on to it.
"""

from __future__ import annotations

import io
import threading
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from hashlib import sha256
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
    Segment,
    SegmentEntry,
    Tombstones,
    check_segment,
    indexed_text,
    open_segment,
    publish,
    write_segment,
)
from retrieval.segments.faults import point
from retrieval.segments.files import claimed, exclusive, is_claimed, remove, write_atomically
from retrieval.segments.files import sha256 as sha256_of
from retrieval.segments.manifest import NAME
from retrieval.snapshot import Bm25Cache, Snapshot, View, fields
from retrieval.types import Bits, Document, Encoder, Passage, TokenVectors, Vocabulary

Progress = Callable[[int, int], None]
_ENCODED_AT_ONCE = 64
_STAMP = tuple[int, int, int]


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
        self._segments: dict[str, Segment] = {}
        self._view: View | None = None
        self._stamp: _STAMP | None = None
        self._loading = threading.Lock()
        self._bm25 = Bm25Cache()

    @classmethod
    def create(
        cls, path: Path, *, encoder: Encoder, vocabulary: Vocabulary | None, settings: IndexSettings
    ) -> Collection:
        """Makes an empty collection in a new directory; one that is there already is opened.

        Raises IndexMismatch when it was built with other models.
        """
        path.mkdir(parents=True, exist_ok=True)
        with exclusive(path / "lock"):
            if not (path / NAME).exists():
                (path / "segments").mkdir(exist_ok=True)
                (path / "tombstones").mkdir(exist_ok=True)
                uses_ngrams = settings.ngrams and vocabulary is not None
                Manifest(
                    version=0,
                    encoder=encoder.fingerprint,
                    vocabulary=vocabulary.fingerprint if uses_ngrams and vocabulary else "",
                    settings=replace(settings, ngrams=uses_ngrams),
                ).write(path)
        return cls.open(path, encoder=encoder, vocabulary=vocabulary)

    @classmethod
    def open(cls, path: Path, *, encoder: Encoder, vocabulary: Vocabulary | None) -> Collection:
        """Opens a collection and removes what a crash left half-written.

        Raises CorruptSegment for a damaged file, IndexMismatch when it was built with other models.
        """
        collection = cls(path, encoder=encoder, vocabulary=vocabulary)
        with exclusive(path / "lock"):
            manifest = Manifest.read(path)
            collection._check_models(manifest)
            collection._sweep(manifest)
        collection._current()
        return collection

    @property
    def settings(self) -> IndexSettings:
        """How its documents are cut."""
        return self._current().manifest.settings

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
        encoded = self._encode(documents, progress)
        with self._draft() as draft:
            checksum = write_segment(draft, encoded) if encoded.vectors else ""
            with exclusive(self.path / "lock"):
                return self._add(encoded, draft, checksum, batch)

    def _add(self, encoded: Encoded, draft: Path, checksum: str, batch: BatchKey | None) -> Commit:
        """Makes a written draft part of the next version, under the lock."""
        view = self._current(fresh=True)
        if batch is not None and (done := view.manifest.batches.get(str(batch))):
            return done
        version = view.manifest.version + 1
        gone = {document.id for document in encoded.documents} & view.places.keys()
        segments = self._bury(view, gone, version)
        passages = len(encoded.vectors)
        name = None
        if checksum:
            name = publish(draft).name
            segments.append(SegmentEntry(name, checksum, len(encoded.documents), passages))
        added = len(encoded.documents) - len(gone)
        commit = Commit(version, name, checksum, added, len(gone), passages)
        batches = view.manifest.batches | ({str(batch): commit} if batch else {})
        self._commit(replace(view.manifest, version=version, segments=tuple(segments), batches=batches))
        return commit

    @contextmanager
    def _draft(self) -> Iterator[Path]:
        """A directory for a segment in the making, safe from sweeps; gone afterwards unless published."""
        directory = self.path / "segments" / f"seg-{uuid.uuid4().hex}.tmp"
        with ExitStack() as claim:
            with exclusive(self.path / "lock"):
                directory.mkdir()
                claim.enter_context(claimed(directory))
            try:
                yield directory
            finally:
                remove(directory)

    def delete(self, ids: Iterable[str]) -> int:
        """Deletes documents; returns how many were there. Gone from every later snapshot."""
        with exclusive(self.path / "lock"):
            view = self._current(fresh=True)
            gone = set(ids) & view.places.keys()
            if gone:
                version = view.manifest.version + 1
                segments = self._bury(view, gone, version)
                self._commit(replace(view.manifest, version=version, segments=tuple(segments)))
        return len(gone)

    def committed(self, batch: BatchKey) -> Commit | None:
        """What the batch put in, if it was committed."""
        return self._current().manifest.batches.get(str(batch))

    def snapshot(self) -> Snapshot:
        """The latest version, whoever committed it, held still."""
        return Snapshot(self._current(), self._vocabulary, self._bm25)

    def contains(self, ids: Iterable[str]) -> set[str]:
        """Which of the ids are those of live documents."""
        return set(ids) & self._current().places.keys()

    def stats(self) -> CollectionStats:
        """Its size, version and metadata fields."""
        view = self._current()
        with self.snapshot() as snapshot:
            passages = snapshot.allowed(None).count
        return CollectionStats(
            documents=len(view.places),
            passages=passages,
            segments=len(view.segments),
            version=view.manifest.version,
            bytes=sum(path.stat().st_size for path in self.path.rglob("*") if path.is_file()),
            fields={name: sorted(kinds) for name, kinds in sorted(fields(view.segments).items())},
        )

    def verify(self) -> list[CorruptSegment | IndexMismatch]:
        """Checks every checksum anew; returns what is wrong, changes nothing."""
        try:
            manifest = Manifest.read(self.path)
        except (CorruptSegment, IndexMismatch) as error:
            return [error]
        problems: list[CorruptSegment | IndexMismatch] = []
        for entry in manifest.segments:
            problems += check_segment(self.path / "segments", entry.name, entry.checksum)
            if entry.tombstones is not None:
                problems += self._check_tombstones(entry.tombstones)
        return problems

    def _encode(self, documents: Sequence[Document], progress: Progress | None) -> Encoded:
        settings = self.settings
        chunker = Chunker(
            self._encoder.tokenize,
            passage_tokens=settings.passage_tokens,
            overlap_tokens=settings.overlap_tokens,
        )
        passages: list[list[Passage]] = []
        vectors: list[TokenVectors] = []
        waiting: list[str] = []
        for at, document in enumerate(documents):
            passages.append(chunker.split(document))
            waiting += [indexed_text(passage)[0] for passage in passages[-1]]
            if len(waiting) >= _ENCODED_AT_ONCE or at + 1 == len(documents):
                vectors += [_halved(one) for one in self._encoder.encode_passages(waiting)]
                waiting = []
                if progress:
                    progress(at + 1, len(documents))
        ngrams = None
        if settings.ngrams and self._vocabulary is not None:
            ngrams = self._vocabulary.tokenize(
                [indexed_text(one)[0] for of_one in passages for one in of_one]
            )
        size = self._vocabulary.size if self._vocabulary else 0
        return Encoded(list(documents), passages, vectors, ngrams, size)

    def _bury(self, view: View, gone: set[str], version: int) -> list[SegmentEntry]:
        """The live segments once the documents `gone` are dead; a segment with none left is dropped."""
        entries = []
        for at, (entry, live) in enumerate(zip(view.manifest.segments, view.live, strict=True)):
            dead = [view.places[one][1] for one in gone if view.places[one][0] == at]
            if dead:
                bits = np.ones(entry.documents, bool) if live is None else live.copy()
                bits[dead] = False
                if not bits.any():
                    continue
                entry = replace(entry, tombstones=self._write_tombstones(entry.name, version, bits))
            entries.append(entry)
        return entries

    def _write_tombstones(self, segment: str, version: int, live: Bits) -> Tombstones:
        buffer = io.BytesIO()
        np.save(buffer, np.packbits(~live))
        file = f"{segment}.{version}.npy"
        write_atomically(self.path / "tombstones" / file, buffer.getvalue(), fault="tombstones")
        return Tombstones(file, sha256(buffer.getvalue()).hexdigest(), int((~live).sum()))

    def _check_tombstones(self, tombstones: Tombstones) -> list[CorruptSegment | IndexMismatch]:
        path = self.path / "tombstones" / tombstones.file
        try:
            held = sha256_of(path) == tombstones.checksum
        except CorruptSegment as missing:
            return [missing]
        return [] if held else [CorruptSegment(str(path), "its checksum does not hold")]

    def _live(self, entry: SegmentEntry) -> Bits | None:
        if entry.tombstones is None:
            return None
        for problem in self._check_tombstones(entry.tombstones):
            raise problem
        packed = np.load(self.path / "tombstones" / entry.tombstones.file, allow_pickle=False)
        return np.unpackbits(packed, count=entry.documents) == 0

    def _commit(self, manifest: Manifest) -> None:
        point("manifest.before")
        manifest.write(self.path)
        self._current(fresh=True)
        self._sweep(manifest)

    def _current(self, *, fresh: bool = False) -> View:
        """The view of the manifest that is on disk now."""
        for attempt in range(5):
            stamp = self._read_stamp()
            if self._view is not None and stamp == self._stamp and not fresh:
                return self._view
            with self._loading:
                try:
                    manifest = Manifest.read(self.path)
                    if self._view is None or self._view.manifest != manifest:
                        self._view = self._load(manifest)
                    self._stamp = stamp
                except CorruptSegment:
                    # Another process may have committed and swept between the two reads: look again.
                    if attempt == 4 or self._read_stamp() == stamp:
                        raise
                    continue
                return self._view
        raise AssertionError("unreachable")

    def _read_stamp(self) -> _STAMP:
        try:
            found = (self.path / NAME).stat()
        except FileNotFoundError:
            raise CorruptSegment(str(self.path / NAME), "the file is missing") from None
        return found.st_ino, found.st_mtime_ns, found.st_size

    def _load(self, manifest: Manifest) -> View:
        self._check_models(manifest)
        opened = {}
        for entry in manifest.segments:
            opened[entry.name] = self._segments.get(entry.name) or open_segment(
                self.path / "segments", entry.name, entry.checksum
            )
        self._segments = opened
        live = tuple(self._live(entry) for entry in manifest.segments)
        places = {
            identity: (at, document)
            for at, (segment, bits) in enumerate(zip(opened.values(), live, strict=True))
            for document, identity in enumerate(segment.passages.ids)
            if bits is None or bits[document]
        }
        return View(manifest, tuple(opened.values()), live, places)

    def _check_models(self, manifest: Manifest) -> None:
        if manifest.encoder != self._encoder.fingerprint:
            raise IndexMismatch("encoder", manifest.encoder, self._encoder.fingerprint)
        now = self._vocabulary.fingerprint if self._vocabulary else ""
        if manifest.vocabulary and now and manifest.vocabulary != now:
            raise IndexMismatch("vocabulary", manifest.vocabulary, now)

    def _sweep(self, manifest: Manifest) -> None:
        """Removes what no longer counts, under the lock. Open readers keep the files they have open."""
        segments = {entry.name for entry in manifest.segments}
        tombstones = {entry.tombstones.file for entry in manifest.segments if entry.tombstones}
        for found in (self.path / "segments").iterdir():
            if found.name not in segments and not is_claimed(found):
                remove(found)
        for found in (self.path / "tombstones").iterdir():
            if found.name not in tombstones:
                remove(found)
        for found in self.path.glob(f"{NAME}.*.tmp"):
            remove(found)


def _refuse_duplicates(documents: Sequence[Document]) -> None:
    seen: set[str] = set()
    for document in documents:
        if document.id in seen:
            raise DuplicateDocument(document.id)
        seen.add(document.id)


def _halved(encoded: TokenVectors) -> TokenVectors:
    """Half-precision vectors, as the index stores them: a batch waits for its segment in memory."""
    return replace(encoded, vectors=encoded.vectors.astype(np.float16))
