"""An upload as an ordered list of batches, the same ones whenever it is read."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

import msgspec
from excerpta.types import DocumentIn

from api.collections.storable import storable
from api.db import SourceRow
from api.db.sources import MOST_REPORTED, ReadSource, is_current
from api.errors import InvalidRequest
from api.jobs.uploads import SpooledFile, open_part
from retrieval import Document
from retrieval.corpus import Remark
from retrieval.corpus.file_reader import FileReader
from retrieval.errors import UnreadableDocument

_LONGEST_LINE = 64 * 2**20
_TWICE = "comes more than once; the last one counts"
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
    to come, `ended` those that this batch completes.
    """

    documents: list[Document]
    unread: list[UnreadableDocument]
    taken: int
    cursor: Cursor
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

    `source` is the file that is read, `ended` the whole of it where this is its last step.
    """

    loaded: Document | UnreadableDocument | None
    cursor: Cursor
    source: str | None = None
    ended: ReadSource | None = None


def batches(
    files: list[SpooledFile],
    *,
    lines: bool,
    start: Cursor,
    cut: BatchLimits,
    reader: FileReader,
    known: Mapping[str, SourceRow] | None = None,
) -> Iterator[Batch]:
    """The batches from `start` on. A file whose content a `known` source has is not read.

    Of documents with one id within a batch the last counts, and the others are named as unread.
    """
    read = _read_lines(files[0], start) if lines else _read_files(files, start, reader, known or {})
    open_batch = _OpenBatch()
    for step in read:
        open_batch.take(step)
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

    def take(self, step: _Step) -> None:
        self._cursor = step.cursor
        if isinstance(step.loaded, UnreadableDocument):
            self._unread.append(step.loaded)
        elif step.loaded is not None:
            self._hold(step.loaded, step.source)
        if step.ended is not None:
            self._ended.append(step.ended)
            self._begun.discard(step.ended.name)

    def _hold(self, document: Document, source: str | None) -> None:
        if self._held.pop(document.id, None) is not None:
            self._unread.append(UnreadableDocument(document.id, _TWICE))
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
            self._owners,
            self._begun,
            self._ended,
        )


def _read_files(
    files: list[SpooledFile], start: Cursor, reader: FileReader, known: Mapping[str, SourceRow]
) -> Iterator[_Step]:
    last = {file.name: at for at, file in enumerate(files)}
    for at in range(start.file, len(files)):
        file, after = files[at], Cursor(file=at + 1)
        if last[file.name] != at:
            yield _Step(UnreadableDocument(file.name, _TWICE_NAMED), after)
            continue
        content = file.path.read_bytes()
        digest = hashlib.sha256(content).hexdigest()
        row = known.get(file.name)
        if row is not None and is_current(row, digest):
            same = ReadSource(file.name, digest, len(content), "unchanged", row.documents)
            yield _Step(None, after, file.name, same)
            continue
        done = start.taken if at == start.file else 0
        yield from _read_file(file, content, digest, at, done, reader)


def _read_file(
    file: SpooledFile, content: bytes, digest: str, at: int, done: int, reader: FileReader
) -> Iterator[_Step]:
    """The steps of one file after the first `done`; the last one has the whole of it."""
    name = file.name
    documents = 0
    partial = False
    report: list[tuple[str, str]] = []
    waiting: _Step | None = None
    for taken, loaded in enumerate(reader(name, file.path), 1):
        if waiting is not None:
            yield waiting
            waiting = None
        if isinstance(loaded, Remark):
            report.append((loaded.name, loaded.text))
            del report[MOST_REPORTED:]
            partial = partial or not loaded.whole
            continue
        checked = _checked(loaded, name)
        if isinstance(checked, UnreadableDocument):
            report.append((checked.name, checked.reason))
            del report[MOST_REPORTED:]
            partial = True
        else:
            documents += 1
        if taken > done:
            waiting = _Step(checked, Cursor(file=at, taken=taken), name)
    # A file of nothing but white space was read: it has no documents. Any other without one was not.
    nothing = not documents and bool(report) and bool(content.strip())
    state: Literal["read", "partial", "failed"] = "failed" if nothing else "partial" if partial else "read"
    ended = ReadSource(name, digest, len(content), state, documents, report)
    yield _Step(waiting.loaded if waiting else None, Cursor(file=at + 1), name, ended)


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
                yield _Step(_line(decoder, line, number), Cursor(at=stream.tell(), line=number))


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
