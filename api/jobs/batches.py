"""An upload as an ordered list of batches, the same ones whenever it is read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import msgspec
from excerpta.types import DocumentIn

from api.collections.storable import storable
from api.errors import InvalidRequest
from api.jobs.uploads import SpooledFile, open_part
from retrieval import Document
from retrieval.corpus import LoadLimits, Remark, load_file
from retrieval.errors import UnreadableDocument

_LONGEST_LINE = 64 * 2**20
_TWICE = "comes more than once; the last one counts"


class Cursor(msgspec.Struct, frozen=True):
    """A place in an upload: in `file` after `taken` documents; in a file of lines at byte `at`."""

    file: int = 0
    taken: int = 0
    at: int = 0
    line: int = 0


@dataclass(frozen=True, slots=True)
class Batch:
    """Documents that are committed together, unreadable ones among them, and the start of the next batch."""

    documents: list[Document]
    unread: list[UnreadableDocument]
    taken: int
    cursor: Cursor


@dataclass(frozen=True, slots=True)
class BatchLimits:
    """The limits of a batch, whichever comes first."""

    documents: int
    characters: int


def batches(
    files: list[SpooledFile], *, lines: bool, start: Cursor, cut: BatchLimits, limits: LoadLimits
) -> Iterator[Batch]:
    """The batches from `start` on.

    Of documents with one id within a batch the last counts, and the others are named as unread.
    """
    read = _read_lines(files[0], start) if lines else _read_files(files, start, limits)
    held: dict[str, Document] = {}
    unread: list[UnreadableDocument] = []
    taken = characters = 0
    cursor = start
    for loaded, cursor in read:
        if isinstance(loaded, UnreadableDocument):
            unread.append(loaded)
        else:
            if held.pop(loaded.id, None) is not None:
                unread.append(UnreadableDocument(loaded.id, _TWICE))
            held[loaded.id] = loaded
            taken += 1
            characters += len(loaded.text)
        if taken >= cut.documents or characters >= cut.characters or len(unread) >= cut.documents:
            yield Batch(list(held.values()), unread, taken, cursor)
            held, unread, taken, characters = {}, [], 0, 0
    if held or unread:
        yield Batch(list(held.values()), unread, taken, cursor)


def _read_files(
    files: list[SpooledFile], start: Cursor, limits: LoadLimits
) -> Iterator[tuple[Document | UnreadableDocument, Cursor]]:
    for at in range(start.file, len(files)):
        done = start.taken if at == start.file else 0
        content = files[at].path.read_bytes()
        for taken, loaded in enumerate(load_file(files[at].name, content, limits), 1):
            if taken > done and not isinstance(loaded, Remark):
                yield _checked(loaded, files[at].name), Cursor(file=at, taken=taken)


def _checked(loaded: Document | UnreadableDocument, name: str) -> Document | UnreadableDocument:
    if isinstance(loaded, UnreadableDocument):
        return loaded
    try:
        return storable(loaded)
    except InvalidRequest as error:
        return UnreadableDocument(name, str(error))


def _read_lines(file: SpooledFile, start: Cursor) -> Iterator[tuple[Document | UnreadableDocument, Cursor]]:
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
                yield _line(decoder, line, number), Cursor(at=stream.tell(), line=number)


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
