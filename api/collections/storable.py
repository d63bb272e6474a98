"""Cleans names and documents so that SQLite, PostgreSQL and the index can all store them."""

from __future__ import annotations

import math
import re
from dataclasses import replace

from api.errors import InvalidRequest
from retrieval import Document
from retrieval.types import Scalar

_MOST_INTEGER = 2**63 - 1
_NAME_PATTERN = re.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
# PostgreSQL keeps no NUL, and no encoding keeps half a surrogate pair. Replaced one for one, offsets stay.
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


MOST_FIELDS = 256
"""Metadata fields that one document may have."""


def storable(document: Document) -> Document:
    """The document with characters that cannot be stored replaced by U+FFFD. Offsets do not change.

    Raises InvalidRequest for an id or metadata with such characters.
    """
    if _UNSTORABLE.search(document.id):
        raise InvalidRequest("id", "it has a NUL or half a surrogate pair; such an id cannot be kept")
    if len(document.metadata) > MOST_FIELDS:
        raise InvalidRequest(
            "metadata",
            f"it has {len(document.metadata)} fields; at most {MOST_FIELDS} are kept. Leave some out",
        )
    metadata = {_name(name): _value(name, value) for name, value in document.metadata.items()}
    return replace(document, text=clean(document.text), title=clean(document.title), metadata=metadata)


def check_name(name: str) -> None:
    """Raises InvalidRequest unless the text can name a collection or a prompt."""
    if not _NAME_PATTERN.fullmatch(name):
        raise InvalidRequest("name", "it has 1 to 128 letters, digits and . _ -, the first no sign")


def clean(text: str) -> str:
    """The text with each character that cannot be stored replaced.

    >>> clean("a\\0b")
    'a\\ufffdb'
    """
    return _UNSTORABLE.sub("\ufffd", text)


def _name(name: str) -> str:
    if not name or _UNSTORABLE.search(name) or name.startswith("$"):
        raise InvalidRequest("metadata", f"{clean(name)!r} is no name for a field: empty, or begins with '$'")
    return name


def _value(name: str, value: Scalar | list[Scalar]) -> Scalar | list[Scalar]:
    if isinstance(value, list):
        return [_scalar(name, one) for one in value]
    return _scalar(name, value)


def _scalar(name: str, value: Scalar) -> Scalar:
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, int) and abs(value) > _MOST_INTEGER:
        raise InvalidRequest(
            f"metadata.{name}", f"an integer is at most {_MOST_INTEGER}; send it as a string"
        )
    if isinstance(value, float) and not math.isfinite(value):
        raise InvalidRequest(f"metadata.{name}", "a number has to be finite; leave it out or send null")
    return value
