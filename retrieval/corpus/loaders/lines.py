"""JSONL (NDJSON): one document a line."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any, NoReturn, Self

from retrieval.corpus.limits import LoadLimits
from retrieval.corpus.text import decode, make_document
from retrieval.corpus.values import InvalidValue, checked, is_scalar
from retrieval.corpus.writer import row_text
from retrieval.documents import Document
from retrieval.errors import UnreadableDocument

_DEEPEST = 40
_OWN = frozenset(["id", "_id", "text", "title", "metadata"])


class WrittenNumber(float):
    """A number with decimals, and how it is written: 19.90 is no 19.9.

    >>> WrittenNumber("19.90").written
    '19.90'
    """

    def __new__(cls, written: str) -> Self:
        """The number that is written so."""
        return super().__new__(cls, written)

    def __init__(self, written: str) -> None:
        self.written = written


def load_jsonl(name: str, data: bytes, limits: LoadLimits) -> Iterator[Document | UnreadableDocument]:
    """A document for each line `{"text": ..., "id" or "_id": ..., "title": ..., "metadata": {...}}`.

    Other fields with a scalar, or a list of them, become metadata too. Without a `text` all fields are the
    text, as a table's row is ("sku: PPR-9087; price amount: 19.90").
    Without an id a line is `name#3`, counted from 1 with blank lines. A blank text gives way to the
    title. A broken line is reported by that name, and the rest goes on.
    """
    for number, line in enumerate(io.BytesIO(_as_utf8(name, data)), 1):
        if not line.strip():
            continue
        yield _document(name, f"{name}#{number}", partial(_parsed, line), limits)


def load_records(
    name: str, records: Iterable[object], limits: LoadLimits
) -> Iterator[Document | UnreadableDocument]:
    """The same for records that are read already; their numbers with decimals may be `WrittenNumber`."""
    for number, record in enumerate(records, 1):
        yield _document(name, f"{name}#{number}", partial(_as_is, record), limits)


def _as_is(record: object) -> object:
    return record


def _as_utf8(name: str, data: bytes) -> bytes:
    # Decoded line by line, so that one bad byte costs one line; only other encodings are read whole.
    return (
        decode(name, data).encode() if data.startswith((b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf")) else data
    )


def _document(
    name: str, row: str, read: Callable[[], object], limits: LoadLimits
) -> Document | UnreadableDocument:
    try:
        return _of_fields(name, row, read(), limits)
    except UnreadableDocument as error:
        return error
    except RecursionError:
        return UnreadableDocument(row, "is nested too deeply")
    except InvalidValue as error:
        return UnreadableDocument(row, str(error))
    except ValueError as error:
        return UnreadableDocument(row, f"is not a valid line of JSON: {error}")


def _parsed(line: bytes) -> object:
    return json.loads(line.decode(), parse_constant=_refuse_constant, parse_float=WrittenNumber)


def _of_fields(name: str, row: str, fields: Any, limits: LoadLimits) -> Document:
    if not isinstance(fields, dict):
        raise UnreadableDocument(row, "is not a JSON object")
    text, title = _string(row, fields, "text"), _string(row, fields, "title")
    others = {key: value for key, value in fields.items() if key not in _OWN and _is_flat(value)}
    named = [one for key, value in fields.items() if key not in _OWN for one in _named(key, value)]
    if "text" not in fields and named:
        text = row_text(*zip(*named, strict=True))
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
        metadata={"source": name} | checked(_plain(others)) | checked(_plain(metadata)),
        place=row,
    )


def _named(name: str, value: object, depth: int = 0) -> Iterator[tuple[str, str]]:
    """The values in a value, each with its name and those around it: `price currency`, `sizes 2 width`."""
    if depth > _DEEPEST:
        raise RecursionError
    if _is_flat(value):
        yield name, _shown(value)
        return
    inner = (
        value.items() if isinstance(value, dict) else enumerate(value, 1) if isinstance(value, list) else ()
    )
    for key, one in inner:
        yield from _named(f"{name} {key}", one, depth + 1)


def _plain(value: Any) -> Any:
    """A value whose numbers are numbers alone."""
    if isinstance(value, WrittenNumber):
        return float(value)
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    return [*map(_plain, value)] if isinstance(value, list) else value


def _shown(value: object) -> str:
    """A value as it is searched: lists by commas, numbers and truth values as JSON has them."""
    if isinstance(value, WrittenNumber):
        return value.written
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
