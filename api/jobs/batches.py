"""An upload as an ordered list of batches, the same ones whenever it is read."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

import msgspec
from excerpta.types import DocumentIn

from api.collections.storable import storable
from api.db import SourceRow
from api.db.sources import MOST_REPORTED, ReadSource, is_current, reported
from api.errors import InvalidRequest
from api.jobs.outcome import TWICE
from api.jobs.progress import Progress
from api.jobs.shares import Share
from api.jobs.uploads import SpooledFile, open_part
from retrieval import Document
from retrieval.corpus import Remark
from retrieval.corpus.file_reader import FileReader
from retrieval.corpus.formats import detect
from retrieval.errors import UnreadableDocument

_LONGEST_LINE = 64 * 2**20
_TWICE_NAMED = "is the name of several files of the upload; the last one counts"


class Cursor(msgspec.Struct, frozen=True):
    """A place in an upload: in `file` after `taken` documents; in a file of lines at byte `at`."""

    file: int = 0
    taken: int = 0
    at: int = 0
    line: int = 0


@dataclass(frozen=True, slots=True)
class Batch:
    """Documents that are committed together, unreadable ones among them, and the start of the next batch.

    `owners` has the source of each document that was read from one. `begun` are sources with more documents
    to come, `ended` those that this batch completes. The upload is read up to about byte `at`.
    """

    documents: list[Document]
    unread: list[UnreadableDocument]
    taken: int
    cursor: Cursor
    at: float = 0.0
    owners: dict[str, str] = field(default_factory=dict)
    begun: set[str] = field(default_factory=set)
    ended: list[ReadSource] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class BatchLimits:
    """The limits of a batch, whichever comes first."""

    documents: int
    characters: int


@dataclass(frozen=True, slots=True)
class _Step:
    """One document of an upload, or the reason why there is none, and where the next one begins.

    `at` is about that place in bytes.
    `source` is the file that is read, `ended` the whole of it where this is its last step. `again` says that
    an earlier document of the file has the same id.
    """

    loaded: Document | UnreadableDocument | None
    cursor: Cursor
    at: float
    source: str | None = None
    ended: ReadSource | None = None
    again: bool = False


def batches(
    files: list[SpooledFile],
    *,
    lines: bool,
    start: Cursor,
    cut: BatchLimits,
    reader: FileReader,
    known: Mapping[str, SourceRow] | None = None,
    folder: str | None = None,
    progress: Progress | None = None,
) -> Iterator[Batch]:
    """The batches from `start` on. A file whose content a `known` source has is not read.

    `folder` is the one that the files are of; a file that takes the place of another folder's is named.
    `progress` is told how far the upload is read.

    Of documents with one id within a batch the last counts, and the others are named as unread.
    """
    progress = progress or Progress()
    sizes = [file.path.stat().st_size for file in files]
    progress.begin(start.at if lines else sum(sizes[: start.file]), sum(sizes))
    if lines:
        read = _read_lines(files[0], start)
    else:
        read = _read_files(files, start, reader, known or {}, folder, progress)
    open_batch = _OpenBatch()
    for step in read:
        open_batch.take(step)
        progress.reached(step.at)
        if open_batch.is_full(cut):
            yield open_batch.close()
            open_batch = _OpenBatch()
    if not open_batch.is_empty():
        yield open_batch.close()


class _OpenBatch:
    """A batch that is being filled."""

    def __init__(self) -> None:
        self._held: dict[str, Document] = {}
        self._owners: dict[str, str] = {}
        self._unread: list[UnreadableDocument] = []
        self._begun: set[str] = set()
        self._ended: list[ReadSource] = []
        self._taken = self._characters = 0
        self._cursor = Cursor()
        self._at = 0.0

    def take(self, step: _Step) -> None:
        self._cursor, self._at = step.cursor, step.at
        if isinstance(step.loaded, UnreadableDocument):
            self._unread.append(step.loaded)
        elif step.loaded is not None:
            self._hold(step.loaded, step.source, again=step.again)
        if step.ended is not None:
            self._ended.append(step.ended)
            self._begun.discard(step.ended.name)

    def _hold(self, document: Document, source: str | None, *, again: bool) -> None:
        if self._held.pop(document.id, None) is not None or again:
            self._unread.append(UnreadableDocument(document.id, TWICE))
        self._held[document.id] = document
        self._taken += 1
        self._characters += len(document.text)
        if source is not None:
            self._owners[document.id] = source
            self._begun.add(source)

    def is_empty(self) -> bool:
        return not (self._held or self._unread or self._ended)

    def is_full(self, cut: BatchLimits) -> bool:
        most = max(self._taken, len(self._unread), len(self._ended))
        return most >= cut.documents or self._characters >= cut.characters

    def close(self) -> Batch:
        return Batch(
            list(self._held.values()),
            self._unread,
            self._taken,
            self._cursor,
            self._at,
            self._owners,
            self._begun,
            self._ended,
        )


def _read_files(
    files: list[SpooledFile],
    start: Cursor,
    reader: FileReader,
    known: Mapping[str, SourceRow],
    folder: str | None,
    progress: Progress,
) -> Iterator[_Step]:
    last = {file.name: number for number, file in enumerate(files)}
    before = sum(file.path.stat().st_size for file in files[: start.file])
    for number in range(start.file, len(files)):
        file, after = files[number], Cursor(file=number + 1)
        content = file.path.read_bytes()
        at, before = before, before + len(content)
        if last[file.name] != number:
            yield _Step(UnreadableDocument(file.name, _TWICE_NAMED), after, before)
            continue
        digest = hashlib.sha256(content).hexdigest()
        row = known.get(file.name)
        if row is not None and is_current(row, digest):
            yield _Step(None, after, before, file.name, _unchanged(row, digest, len(content)))
            continue
        if _is_empty(file.name, content):
            empty = ReadSource(file.name, digest, len(content), "read", 0, [(file.name, "is empty")])
            yield _Step(None, after, before, file.name, empty)
            continue
        progress.open(file.name, at, len(content))
        done = start.taken if number == start.file else 0
        taken = row.folder if row and folder and row.folder != folder else None
        for step in _read_file(file, content, digest, number, done, reader, taken):
            yield replace(step, at=at + step.at * len(content))


def _unchanged(row: SourceRow, digest: str, size: int) -> ReadSource:
    """A source that is not read again. What it lacks since it was read is told again."""
    report = reported(row) if row.state == "partial" else []
    return ReadSource(row.name, digest, size, "unchanged", row.documents, report)


def _is_empty(name: str, content: bytes) -> bool:
    """Whether a file has nothing in it, and may have nothing: an empty PDF is damaged."""
    if content.strip():
        return False
    try:
        detect(name, content)
    except UnreadableDocument:
        return False
    return True


class _Report:
    """What there is to say about one file: its documents, the parts of it that were not read, and remarks."""

    def __init__(self, name: str) -> None:
        self.ids: set[str] = set()
        self._name = name
        self._parts: list[tuple[str, str]] = []
        self._missing = 0
        self._remarks: list[tuple[str, str]] = []

    def missing(self, name: str, reason: str) -> None:
        """Notes a part that was not read."""
        self._missing += 1
        if len(self._parts) < MOST_REPORTED:
            self._parts.append((name, reason))

    def remark(self, remark: Remark) -> None:
        """Notes what the reader has to say."""
        if not remark.whole:
            self.missing(remark.name, remark.text)
        elif len(self._remarks) < MOST_REPORTED:
            self._remarks.append((remark.name, remark.text))

    def close(self, digest: str, size: int) -> ReadSource:
        """The file, read to its end."""
        told = [*self._parts, *self._remarks]
        if more := self._missing - len(self._parts):
            told.insert(len(self._parts), (self._name, f"has {more} more parts that were not read"))
        if not told and not self.ids:
            told.append((self._name, "has nothing to index"))
        state: Literal["read", "partial", "failed"] = "partial" if self._missing else "read"
        state = "failed" if self._missing and not self.ids else state
        return ReadSource(self._name, digest, size, state, len(self.ids), told)


def _read_file(
    file: SpooledFile,
    content: bytes,
    digest: str,
    number: int,
    done: int,
    reader: FileReader,
    taken_from: str | None,
) -> Iterator[_Step]:
    """The steps of one file after the first `done`; the last one has the whole of it.

    `at` of each is the share of the file that is read. `taken_from` is another folder that had the name.
    """
    name = file.name
    report = _Report(name)
    if taken_from is not None:
        report.remark(
            Remark(name, f"takes the place of the file of this name from the folder {taken_from!r}")
        )
    share = Share(name, file.path, content)
    waiting: _Step | None = None
    for taken, loaded in enumerate(reader(name, file.path), 1):
        if waiting is not None:
            yield waiting
            waiting = None
        if isinstance(loaded, Remark):
            report.remark(loaded)
            continue
        checked = _checked(loaded, name)
        again = False
        if isinstance(checked, UnreadableDocument):
            report.missing(checked.name, checked.reason)
        else:
            again = checked.id in report.ids
            report.ids.add(checked.id)
            if again:
                report.missing(checked.id, TWICE)
        read = share.after(checked)
        if taken > done:
            waiting = _Step(checked, Cursor(file=number, taken=taken), read, name, again=again)
    ended, after = report.close(digest, len(content)), Cursor(file=number + 1)
    last = waiting or _Step(None, after, 1.0, name)
    yield replace(last, cursor=after, at=1.0, ended=ended)


def _checked(loaded: Document | UnreadableDocument, name: str) -> Document | UnreadableDocument:
    if isinstance(loaded, UnreadableDocument):
        return loaded
    try:
        return storable(loaded)
    except InvalidRequest as error:
        return UnreadableDocument(name, str(error))


def _read_lines(file: SpooledFile, start: Cursor) -> Iterator[_Step]:
    decoder = msgspec.json.Decoder(DocumentIn)
    with open_part(file) as stream:
        stream.seek(start.at)
        number = start.line
        while line := stream.readline(_LONGEST_LINE):
            number += 1
            whole = line.endswith(b"\n") or len(line) < _LONGEST_LINE
            while not whole:
                rest = stream.readline(_LONGEST_LINE)
                whole = rest.endswith(b"\n") or len(rest) < _LONGEST_LINE
                line = b""
            if not line.isspace():
                at = stream.tell()
                yield _Step(_line(decoder, line, number), Cursor(at=at, line=number), at)


def _line(
    decoder: msgspec.json.Decoder[DocumentIn], line: bytes, number: int
) -> Document | UnreadableDocument:
    name = f"line {number}"
    if not line:
        return UnreadableDocument(name, f"is longer than {_LONGEST_LINE // 2**20} MB")
    try:
        one = decoder.decode(line)
        return storable(Document(one.id, one.text, one.title, one.metadata))
    except (msgspec.DecodeError, InvalidRequest, UnicodeDecodeError) as error:
        return UnreadableDocument(name, str(error))
