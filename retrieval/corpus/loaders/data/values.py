"""Values in values as blocks: names as headings, plain values as lines, lists of records as tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from retrieval.corpus.blocks import Block, Heading, Item, Paragraph, Table
from retrieval.corpus.loaders.tabular.header import Verdict, evidence
from retrieval.corpus.loaders.tabular.rows import Row
from retrieval.corpus.tables import MOST_COLUMNS

Value: TypeAlias = Any
_DEEPEST = 40
# Fields that name columns, and those that hold their rows, in exports of tables.
_NAMES = frozenset(["columns", "header", "headers", "fields"])
_ROWS = frozenset(["data", "rows", "values"])
_LONGEST_LIST = 200  # characters of a list of plain values that still stands in one line


def value_blocks(value: Value, depth: int = 0, name: str = "") -> Iterator[Block]:
    """The blocks of mappings, lists and plain values. Raises RecursionError for those that are too deep.

    >>> list(value_blocks({"port": 80, "hosts": ["a", "b"], "tls": {"on": True}}))[0]
    Paragraph(text='port: 80\\nhosts: a, b')
    """
    if depth > _DEEPEST:
        raise RecursionError
    if isinstance(value, Table):
        yield value
    elif isinstance(value, Mapping):
        yield from _mapping(value, depth)
    elif isinstance(value, list):
        yield from _list(value, depth, name)
    elif text := shown(value):
        yield Paragraph(text)


def shown(value: Value) -> str:
    """A plain value as text."""
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def is_plain(value: Value) -> bool:
    """Whether a value holds no others."""
    return not isinstance(value, (Mapping, list))


def _mapping(fields: Mapping[str, Value], depth: int) -> Iterator[Block]:
    lines = []
    inner = []
    table = _named_rows(fields)
    for name, value in fields.items():
        if table is not None and name in table[:2]:
            if name == table[1]:
                inner.append((name, table[2]))
            continue
        if is_plain(value) or _is_short(value):
            words = ", ".join(map(shown, value)) if isinstance(value, list) else shown(value)
            lines += [f"{name}: {words}"] if words.strip() else []
        elif value:
            inner.append((name, value))
    if lines:
        yield Paragraph("\n".join(lines))
    for name, value in inner:
        yield Heading(name, min(depth + 1, 6))
        yield from value_blocks(value, depth + 1, name)


def _is_short(value: Value) -> bool:
    if not isinstance(value, list) or not all(map(is_plain, value)):
        return False
    return sum(len(str(one)) + 2 for one in value) < _LONGEST_LIST


def _list(values: Sequence[Value], depth: int, name: str) -> Iterator[Block]:
    if table := record_table(values) or _row_table(values):
        yield table
        return
    for number, value in enumerate(values, 1):
        if is_plain(value):
            if text := shown(value):
                yield Item(text)
            continue
        yield Heading(f"{name} {number}".strip(), min(depth + 1, 6))
        yield from value_blocks(value, depth + 1, name)


def record_table(values: Sequence[Value]) -> Table | None:
    """The table of two or more records of plain values; None if the values are no such records."""
    if len(values) < 2 or not all(map(_is_record, values)):
        return None
    names = list(dict.fromkeys(name for one in values for name in one))
    if not names or len(names) > MOST_COLUMNS:
        return None
    return Table([[shown(one.get(name)) for name in names] for one in values], names)


def _row_table(values: Sequence[Value], names: Sequence[Value] = ()) -> Table | None:
    """The table of lists of equal length, named by `names` or by the first; None if they are none."""
    width = len(values[0]) if values and isinstance(values[0], list) else 0
    if (
        width < 2
        or width > MOST_COLUMNS
        or not all(isinstance(one, list) and len(one) == width for one in values)
    ):
        return None
    if not all(map(is_plain, (one for row in values for one in row))):
        return None
    rows = [list(map(shown, row)) for row in values]
    if names:
        return Table(rows, list(map(shown, names)))
    if len(rows) < 2:
        return None
    found = evidence(Row(1, rows[0]), [Row(2, row) for row in rows[1:]])
    named = found.verdict is Verdict.NAMES and all(isinstance(one, str) and one.strip() for one in values[0])
    return Table(rows[1:], rows[0]) if named else Table(rows)


def _named_rows(fields: Mapping[str, Value]) -> tuple[str, str, Table] | None:
    """Names of columns in one field and rows in another: the names of the fields, and the table."""
    for names in _NAMES & fields.keys():
        for rows in _ROWS & fields.keys():
            named, found = fields[names], fields[rows]
            if not isinstance(named, list) or not isinstance(found, list) or not all(map(is_plain, named)):
                continue
            table = _row_table(found, named)
            if table is not None and len(named) == len(table.rows[0]):
                return names, rows, table
    return None


def _is_record(value: Value) -> bool:
    return isinstance(value, Mapping) and all(map(is_plain, value.values()))
