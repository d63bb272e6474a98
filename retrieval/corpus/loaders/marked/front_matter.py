"""Front matter of Markdown: YAML between `---` lines, TOML between `+++` lines, or a JSON object."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from datetime import date, time
from itertools import islice
from typing import Any

import yaml

from retrieval.corpus.values import InvalidValue, checked, is_scalar, typed
from retrieval.documents import Scalar

_YAML = re.compile(r"\s*---[ \t]*\n(?P<source>(?:.*\n){0,2000}?)(?:---|\.\.\.)[ \t]*(?:\n|$)")
_TOML = re.compile(r"\s*\+\+\+[ \t]*\n(?P<source>(?:.*\n){0,2000}?)\+\+\+[ \t]*(?:\n|$)")
_FIELD = re.compile(r"(?P<key>[A-Za-z_][\w .:-]{0,60}?)[ \t]*:(?:[ \t]+(?P<value>.*))?")
_LONGEST = 200_000
_MOST_FIELDS = 500
_DEEPEST = 8


def front_matter(text: str) -> tuple[dict[str, Scalar | list[Scalar]], str]:
    """The fields before a document, and the document without them.

    Fields in fields have names such as `author.name`; dates are strings; lists of anything but plain values,
    and fields without a value, are left out. Text that is no mapping is left where it is.

    >>> front_matter("---\\ntitle: Set-up\\nauthor:\\n  name: Ann\\n---\\nRun it.")
    ({'title': 'Set-up', 'author.name': 'Ann'}, 'Run it.')
    """
    for pattern, read in ((_YAML, _read_yaml), (_TOML, _read_toml)):
        if (found := pattern.match(text)) and len(found["source"]) <= _LONGEST:
            fields = read(found["source"])
            return ({}, text) if fields is None else (_flat(fields), text[found.end() :])
    return _json(text)


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """YAML whose plain values are read as in tables: `007` and `12:30` stay strings, and so do dates."""


def _plain(loader: Any, node: yaml.ScalarNode) -> Scalar:
    return None if node.value in ("", "~", "null", "Null", "NULL") else typed(node.value)


for _kind in ("bool", "float", "int", "null", "timestamp"):
    _Loader.add_constructor(f"tag:yaml.org,2002:{_kind}", _plain)


def _read_yaml(source: str) -> Mapping[Any, Any] | None:
    try:
        fields = yaml.load(source.expandtabs(2), _Loader)  # noqa: S506 (a subclass of the safe loader)
    except (yaml.YAMLError, RecursionError, ValueError):
        return _read_lines(source)
    if fields is None:
        return {}
    return fields if isinstance(fields, dict) else None


def _read_lines(source: str) -> dict[str, Scalar] | None:
    """Fields of YAML that is not valid, such as `title: One: two`, line by line."""
    fields: dict[str, Scalar] = {}
    for line in source.splitlines():
        if not line.strip() or line.startswith(("#", " ", "\t", "-")):
            continue
        field = _FIELD.fullmatch(line.rstrip())
        if field is None:
            return None
        value = (field["value"] or "").strip()
        quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"
        fields[field["key"]] = value[1:-1] if quoted else typed(value) if value else None
    return fields


def _read_toml(source: str) -> Mapping[str, Any] | None:
    try:
        return tomllib.loads(source)
    except (tomllib.TOMLDecodeError, RecursionError):
        return None


def _json(text: str) -> tuple[dict[str, Scalar | list[Scalar]], str]:
    if not text.startswith("{"):
        return {}, text
    try:
        fields, end = json.JSONDecoder().raw_decode(text)
    except (ValueError, RecursionError):
        return {}, text
    rest = text[end:]
    return (_flat(fields), rest) if rest.startswith("\n") and rest.strip() else ({}, text)


def _flat(fields: Mapping[Any, Any]) -> dict[str, Scalar | list[Scalar]]:
    flat: dict[str, Scalar | list[Scalar]] = {}
    # Aliases of YAML may multiply a few lines without end.
    for key, value in islice(_fields(fields, "", 0), _MOST_FIELDS):
        if value is None:
            continue
        try:
            flat |= checked({key: value})
        except InvalidValue:
            flat[key] = str(value)
    return flat


def _fields(fields: Mapping[Any, Any], above: str, depth: int) -> Iterator[tuple[str, Scalar | list[Scalar]]]:
    for name, given in fields.items():
        key = f"{above}{_name(name)}"
        if isinstance(given, dict):
            if depth < _DEEPEST:
                yield from _fields(given, f"{key}.", depth + 1)
        elif isinstance(given, list):
            values = [_value(item) for item in given]
            if values and all(value is not None and is_scalar(value) for value in values):
                yield key, values
        elif is_scalar(value := _value(given)):
            yield key, value


def _name(key: object) -> str:
    return str(key).lower() if isinstance(key, bool) else str(key)


def _value(given: Any) -> Any:
    return given.isoformat() if isinstance(given, (date, time)) else given
