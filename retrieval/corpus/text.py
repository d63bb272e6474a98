"""Makes documents of texts."""

from __future__ import annotations

from collections.abc import Mapping

from retrieval.corpus.characters import clean
from retrieval.corpus.cleaning.encodings import decoded
from retrieval.corpus.limits import LoadLimits
from retrieval.corpus.writer import Written
from retrieval.documents import Document, Metadata, Scalar
from retrieval.errors import UnreadableDocument


def decode(name: str, data: bytes, *, declared: str | None = None) -> str:
    """Text of a file as `encodings.decoded` finds it, without its remark."""
    return decoded(name, data, declared=declared).text


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
