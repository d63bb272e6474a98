"""Where the values of a JSON text stand, found without recursion."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

DEEPEST = 100
_COLON = re.compile(r"\s*:")
_TOKEN = re.compile(r'\s*+(?:(?P<sign>[\[\]{},:])|(?P<string>"(?:[^"\\]|\\.)*+")|(?P<word>[^\s\[\]{},:"]++))')


@dataclass(slots=True)
class Value:
    """A value: `start` is that of its key, if it has one, `begin` its own; `members` are a container's."""

    start: int
    begin: int
    end: int = -1
    members: list[Value] = field(default_factory=list)


def values_of(text: str) -> list[Value] | None:
    """The objects and arrays that a text consists of: one, or one a line (JSON Lines); else None.

    Nested deeper than 100, the whole text is one value without members.

    >>> [(one.begin, one.end, len(one.members)) for one in values_of('{"a": [1, 2]}')]
    [(0, 13, 1)]
    >>> values_of("[1] is a note") is None
    True
    """
    stripped = text.strip()
    if stripped[:1] not in ("{", "[") or stripped[-1:] not in ("}", "]"):
        return None
    lines = [line for line in text.splitlines() if line.strip()]
    try:
        if _is_json(text) or all(line.lstrip()[0] in "{[" and _is_json(line) for line in lines):
            return _parse(text)
    except RecursionError:
        begin = text.index(stripped[0])
        return [Value(begin, begin, begin + len(stripped))]
    return None


def leaves(values: list[Value]) -> Iterator[Value]:
    """The values without members, in order."""
    waiting = values[::-1]
    while waiting:
        value = waiting.pop()
        if value.members:
            waiting.extend(reversed(value.members))
        else:
            yield value


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _parse(text: str) -> list[Value]:
    """The roots of a text that is JSON, or JSON Lines. Raises RecursionError where it is too deep."""
    roots: list[Value] = []
    open_values: list[Value] = []
    key: int | None = None
    for token in _TOKEN.finditer(text):
        start, end = token.start(token.lastgroup or 0), token.end()
        sign = token["sign"]
        if sign in ("]", "}"):
            open_values.pop().end = end
        elif sign in (",", ":"):
            continue
        elif token["string"] is not None and key is None and _is_key(text, end, open_values):
            key = start
        else:
            value = Value(start if key is None else key, start, end)
            (open_values[-1].members if open_values else roots).append(value)
            key = None
            if sign is not None:
                open_values.append(value)
                if len(open_values) > DEEPEST:
                    raise RecursionError
    return roots


def _is_key(text: str, end: int, open_values: list[Value]) -> bool:
    """Whether the string that ends here is a key: those stand in objects only, before a colon."""
    return bool(open_values) and text[open_values[-1].begin] == "{" and _COLON.match(text, end) is not None
