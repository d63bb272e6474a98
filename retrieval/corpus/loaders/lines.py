"""JSONL (NDJSON): one document a line."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Any, NoReturn

from retrieval.corpus.limits import LoadLimits
from retrieval.corpus.text import decode, make_document
from retrieval.corpus.values import InvalidValue, checked, is_scalar
from retrieval.corpus.writer import row_text
from retrieval.errors import UnreadableDocument
from retrieval.types import Document

_OWN = frozenset(["id", "_id", "text", "title", "metadata"])


def load_jsonl(name: str, data: bytes, limits: LoadLimits) -> Iterator[Document | UnreadableDocument]:
    """A document for each line `{"text": ..., "id" or "_id": ..., "title": ..., "metadata": {...}}`.

    Other fields with a scalar, or a list of them, become metadata too; nested ones are left out. Without a
    `text` these fields are the text, as a table's row is ("sku: PPR-9087; price: 19.25").
    Without an id a line is `name#3`, counted from 1 with blank lines. A blank text gives way to the
    title. A broken line is reported by that name, and the rest goes on.
    """
    for number, line in enumerate(io.BytesIO(_as_utf8(name, data)), 1):
        if not line.strip():
            continue
        row = f"{name}#{number}"
        try:
            yield _document(name, row, line, limits)
        except UnreadableDocument as error:
            yield error
        except RecursionError:
            yield UnreadableDocument(row, "is nested too deeply")
        except InvalidValue as error:
            yield UnreadableDocument(row, str(error))
        except ValueError as error:
            yield UnreadableDocument(row, f"is not a valid line of JSON: {error}")


def _as_utf8(name: str, data: bytes) -> bytes:
    # Decoded line by line, so that one bad byte costs one line; only other encodings are read whole.
    return (
        decode(name, data).encode() if data.startswith((b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf")) else data
    )


def _document(name: str, row: str, line: bytes, limits: LoadLimits) -> Document:
    fields = json.loads(line.decode(), parse_constant=_refuse_constant)
    if not isinstance(fields, dict):
        raise UnreadableDocument(row, "is not a JSON object")
    text, title = _string(row, fields, "text"), _string(row, fields, "title")
    others = {key: value for key, value in fields.items() if key not in _OWN and _is_flat(value)}
    if "text" not in fields and others:
        text = row_text(*zip(*((key, _shown(value)) for key, value in others.items()), strict=True))
    elif "text" not in fields:
        raise UnreadableDocument(
            row, f"has no field 'text'; its fields are {', '.join(map(repr, fields)) or 'none'}"
        )
    metadata = fields.get("metadata") or {}
    if not isinstance(metadata, dict):
        raise UnreadableDocument(row, "has metadata that is not an object")
    return make_document(
        _id(row, fields),
        text if text.strip() else title,
        limits,
        title=title,
        metadata={"source": name} | checked(others) | checked(metadata),
        place=row,
    )


def _shown(value: object) -> str:
    """A value as it is searched: lists by commas, truth values as JSON has them."""
    if isinstance(value, list):
        return ", ".join(map(_shown, value))
    return value if isinstance(value, str) else "" if value is None else json.dumps(value)


def _string(row: str, fields: dict[str, Any], key: str) -> str:
    value = fields.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise UnreadableDocument(row, f"has a {key!r} that is not a string")
    return value


def _id(row: str, fields: dict[str, Any]) -> str:
    value = fields.get("id", fields.get("_id"))
    if value is None or value == "":
        return row
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise UnreadableDocument(row, "has an id that is neither a string nor an integer")
    return str(value)


def _is_flat(value: object) -> bool:
    return is_scalar(value) or (isinstance(value, list) and all(is_scalar(item) for item in value))


def _refuse_constant(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")
