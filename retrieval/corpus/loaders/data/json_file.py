"""JSON: records become documents as lines of JSONL do; any other value is one document."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from retrieval.corpus.characters import clean
from retrieval.corpus.cleaning.encodings import decoded
from retrieval.corpus.cleaning.machine_text import MachineText
from retrieval.corpus.limits import LoadLimits
from retrieval.corpus.loaders.data.notebook import is_notebook, load_notebook
from retrieval.corpus.loaders.data.values import is_plain, value_blocks
from retrieval.corpus.loaders.lines import WrittenNumber, load_jsonl, load_records
from retrieval.corpus.loaders.plain import load_code
from retrieval.corpus.remarks import Remark
from retrieval.corpus.text import make_document
from retrieval.corpus.writer import write
from retrieval.documents import Document
from retrieval.errors import UnreadableDocument


def load_json(name: str, data: bytes, limits: LoadLimits) -> Iterator[Document | Remark | UnreadableDocument]:
    """A list of objects with a `text`, or of plain values alone, is read as JSONL is, a document each.

    Any other value is one document: a name above other values is a heading, plain values are lines
    `name: value`, records are rows of a table. What is no valid JSON is read as code, with a remark.
    """
    found = decoded(name, data)
    try:
        # Numbers stay as they are written: 19.90 is no 19.9.
        value = json.loads(clean(found.text), parse_float=str, parse_int=str, parse_constant=str)
    except (ValueError, RecursionError) as error:
        yield from _not_one_value(name, data, limits, error)
        return
    if is_notebook(value):
        yield from load_notebook(name, data, limits)
        return
    if _are_documents(value):
        yield from load_records(name, json.loads(clean(found.text), parse_float=WrittenNumber), limits)
        return
    machine_text = MachineText()
    try:
        written = write(value_blocks(_cleaned(value, machine_text)))
    except RecursionError:
        raise UnreadableDocument(name, "is nested too deeply") from None
    title = value.get("title") if isinstance(value, dict) else ""
    title = title if isinstance(title, str) else ""
    yield make_document(name, written, limits, title=title, metadata={"source": name})
    yield from filter(None, [found.remark, machine_text.remark(name)])


def _not_one_value(
    name: str, data: bytes, limits: LoadLimits, error: Exception
) -> Iterator[Document | Remark | UnreadableDocument]:
    lines = [line.strip() for line in data[:65_536].split(b"\n") if line.strip()]
    if len(lines) > 1 and all(line.startswith(b"{") and line.endswith(b"}") for line in lines[:-1]):
        yield from load_jsonl(name, data, limits)
        return
    yield from load_code(name, data, limits)
    yield Remark(name, f"is not valid JSON and was read as plain text: {error}")


def _are_documents(value: Any) -> bool:
    if not isinstance(value, list) or not value or not all(isinstance(one, dict) for one in value):
        return False
    return all(isinstance(one.get("text"), str) or all(map(_is_flat, one.values())) for one in value)


def _is_flat(value: Any) -> bool:
    return all(map(is_plain, value)) if isinstance(value, list) else is_plain(value)


def _cleaned(value: Any, machine_text: MachineText, depth: int = 0) -> Any:
    """The value with texts free of encoded data."""
    if depth > 100:
        raise RecursionError
    if isinstance(value, dict):
        return {str(name): _cleaned(one, machine_text, depth + 1) for name, one in value.items()}
    if isinstance(value, list):
        return [_cleaned(one, machine_text, depth + 1) for one in value]
    return machine_text.leave_out(value) if isinstance(value, str) and len(value) > 64 else value
