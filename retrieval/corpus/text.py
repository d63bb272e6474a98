"""Decodes bytes to text, and makes documents of texts."""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping

from retrieval.corpus.characters import clean
from retrieval.corpus.limits import LoadLimits
from retrieval.corpus.writer import Written
from retrieval.errors import UnreadableDocument
from retrieval.types import Document, Metadata, Scalar

# UTF-32 first: its little-endian mark begins with UTF-16's.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f-\x84\x86-\x9f]")
_SAMPLE = 65_536
_CONTROL_SHARE = 0.02


def decode(name: str, data: bytes, *, declared: str | None = None) -> str:
    """Text of a file: by its byte order mark, else `declared`, else UTF-8, else Windows-1252 or Latin-1.

    Raises UnreadableDocument for what is not text: it has zero bytes, or many control characters.
    """
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            try:
                return data.decode(encoding)
            except UnicodeDecodeError as error:
                raise UnreadableDocument(name, f"starts as {encoding} but is not: {error.reason}") from error
    if b"\0" in data[:_SAMPLE]:
        raise UnreadableDocument(name, "is not text (it has zero bytes)")
    text = _first_that_decodes(data, [declared, "utf-8", "cp1252", "latin-1"])
    sample = text[:_SAMPLE]
    if len(_CONTROL.findall(sample)) > _CONTROL_SHARE * len(sample):
        raise UnreadableDocument(name, "is not text (it is full of control characters)")
    return text


def _first_that_decodes(data: bytes, encodings: list[str | None]) -> str:
    for encoding in encodings:
        if encoding is not None and is_text_encoding(encoding):
            try:
                return data.decode(encoding)
            except UnicodeDecodeError:
                continue
    return data.decode("utf-8", "replace")


def is_text_encoding(encoding: str) -> bool:
    """Whether Python knows the encoding and it is one of text, not such as `zip` or `rot13`."""
    try:
        return codecs.lookup(encoding)._is_text_encoding
    except (LookupError, ValueError):
        return False


def make_document(
    identifier: str,
    text: str | Written,
    limits: LoadLimits,
    *,
    title: str = "",
    metadata: Metadata | None = None,
    place: str | None = None,
) -> Document:
    """A document in its kept form. Raises UnreadableDocument if it is blank or too long.

    The error names `place`, such as `table.csv#3`, where that is not the id.
    """
    place = place or identifier
    written = text if isinstance(text, Written) else Written(clean(text), ())
    text = written.text
    if not text.strip():
        raise UnreadableDocument(place, "holds no text")
    if len(text) > limits.max_characters:
        raise UnreadableDocument(
            place, f"has {len(text)} characters; at most {limits.max_characters} are read. Split it."
        )
    return Document(
        clean(identifier),
        text,
        " ".join(clean(title).split()),
        _clean_metadata(metadata or {}),
        written.marks,
    )


def _clean_metadata(metadata: Mapping[str, Scalar | list[Scalar]]) -> Metadata:
    return {
        clean(key): [_clean_scalar(item) for item in value]
        if isinstance(value, list)
        else _clean_scalar(value)
        for key, value in metadata.items()
    }


def _clean_scalar(value: Scalar) -> Scalar:
    return clean(value) if isinstance(value, str) else value
