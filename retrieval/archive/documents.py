"""A collection's documents as lines of JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, BinaryIO

import msgspec

from retrieval.types import Document, Mark

NAME = "documents.jsonl"
_LONGEST = 128 << 20  # bytes of a line: twenty million characters, all of them escaped

_Value = str | int | float | bool | None


class _Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    id: Annotated[str, msgspec.Meta(min_length=1, max_length=512)]
    title: str
    text: str
    metadata: dict[str, _Value | list[_Value]]
    marks: tuple[Mark, ...] = ()
    source: str | None = None


_decoder = msgspec.json.Decoder(_Line)
_encoder = msgspec.json.Encoder()


def encode_document(document: Document, source: str | None = None) -> bytes:
    """One document as a line, with the name of the file that it was read from."""
    line = _Line(document.id, document.title, document.text, dict(document.metadata), document.marks, source)
    return _encoder.encode(line) + b"\n"


def read_documents(file: BinaryIO) -> Iterator[tuple[Document, str | None]]:
    """The documents of a file with their sources, line by line. Raises ValueError for what is none."""
    number = 0
    while line := file.readline(_LONGEST + 1):
        number += 1
        if len(line) > _LONGEST:
            raise ValueError(f"line {number} of {NAME} is over {_LONGEST >> 20} MB")
        try:
            read = _decoder.decode(line)
        except msgspec.MsgspecError as error:
            raise ValueError(f"line {number} of {NAME} is no document: {error}") from None
        yield Document(read.id, read.text, read.title, read.metadata, read.marks), read.source
