"""How a text may be cut: as prose by words, or as JSON that still parses."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from base.text.words import Spans
from compress.rebuild import Kept, fuse, kept_spans, merge
from compress.structure.json_values import Value, leaves, values_of
from compress.structure.units import Ranges, wholes

Structure: TypeAlias = Literal["words", "whole", "parse-safe", "passage"]
Keep: TypeAlias = NDArray[np.bool_]

LONGEST_STRING = 80
"""Characters of a JSON string that stays or goes as a whole; a longer one is shortened by its words."""

_SPACE = re.compile(r"\s+")
_ESCAPE = re.compile(r"\\(?:u[0-9a-fA-F]{4}|.)")


class Layout(Protocol):
    """The interface of a text's layout."""

    def wholes(self) -> Ranges:
        """The character spans that stay or go as a whole, in order and apart."""
        ...

    def kept(self, spans: Spans, keep: Keep) -> Kept:
        """The spans of the text that stay when the words marked in `keep` (n,) stay."""
        ...


def layout_of(text: str, structure: Structure) -> Layout:
    """The layout of a text: what is kept whole, and how it is put together again."""
    if structure == "words":
        return Prose(text, ())
    if structure == "passage":
        return Prose(text, ((0, len(text)),))
    if structure == "parse-safe" and (values := values_of(text)) is not None:
        return Json(text, values)
    return Prose(text, wholes(text))


@dataclass(frozen=True, slots=True)
class Prose:
    """A text that is cut anywhere between its words but within `whole`."""

    text: str
    whole: Ranges

    def wholes(self) -> Ranges:
        """As they were given."""
        return self.whole

    def kept(self, spans: Spans, keep: Keep) -> Kept:
        """The kept words, with one stretch of whitespace between two."""
        return kept_spans(self.text, spans, keep)


@dataclass(frozen=True, slots=True)
class Json:
    """JSON whose values are left out one by one; what is left parses, or is nothing at all.

    A value stays with its key and with the containers around it. Numbers, names and short strings are
    whole, a long string is shortened by its words. A container without a value left goes.
    """

    text: str
    values: Sequence[Value]

    def wholes(self) -> Ranges:
        """Short values with their keys; of long ones the key, and every escaped sign with what touches it."""
        found: list[tuple[int, int]] = []
        for leaf in leaves(list(self.values)):
            if not self._is_long(leaf):
                found.append((leaf.start, leaf.end))
                continue
            found.append((leaf.start, leaf.begin + 1))
            found += [one.span() for one in _ESCAPE.finditer(self.text, leaf.begin + 1, leaf.end - 1)]
        return found

    def kept(self, spans: Spans, keep: Keep) -> Kept:
        """The kept values, with the brackets around them and a comma between two."""
        if keep.all() and len(spans):
            return ((0, len(self.text)),)
        pieces: list[tuple[int, int]] = []
        for at, value in enumerate(self.values):
            if not self._stays(value, spans, keep):
                continue
            if pieces:
                pieces.append((self.values[at - 1].end, value.begin))
            pieces.extend(self._pieces(value, spans, keep))
        return merge([piece for piece in pieces if piece[0] < piece[1]])

    def _pieces(self, value: Value, spans: Spans, keep: Keep) -> Iterator[tuple[int, int]]:
        """The pieces of a value that stays, in order."""
        if not value.members:
            whole = not self._is_long(value)
            yield from [(value.begin, value.end)] if whole else self._string(value, spans, keep)
            return
        yield value.begin, value.begin + 1
        first = True
        for at, member in enumerate(value.members):
            if not self._stays(member, spans, keep):
                continue
            before = value.members[at - 1].end if at else value.begin + 1
            if first and at:
                before = self.text.index(",", before) + 1
            yield before, member.begin
            yield from self._pieces(member, spans, keep)
            first = False
        yield value.members[-1].end, value.end

    def _string(self, value: Value, spans: Spans, keep: Keep) -> Iterator[tuple[int, int]]:
        """A long string with only its kept words. A word may reach over its end: an emoji with a quote."""
        begin, end = value.begin + 1, value.end - 1
        yield value.begin, begin
        last = -1
        for index in _kept_within(spans, keep, begin, end).tolist():
            start = max(begin, int(spans[index, 0]))
            if last >= 0:
                yield from self._between(last, start)
            last = min(end, int(spans[index, 1]))
            yield start, last
        yield end, value.end

    def _between(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        """What stays between two kept words of a string: its first space, or all if they would fuse."""
        if space := _SPACE.search(self.text, start, end):
            yield space.span()
        elif fuse(self.text[start - 1], self.text[end]):
            yield start, end

    def _stays(self, value: Value, spans: Spans, keep: Keep) -> bool:
        """Whether a value without members, this one or one within it, has a kept word."""
        inside = self._is_long(value)
        start, end = (value.begin + 1, value.end - 1) if inside else (value.begin, value.end)
        return len(_kept_within(spans, keep, start, end)) > 0 and (
            not value.members or any(self._stays(member, spans, keep) for member in value.members)
        )

    def _is_long(self, value: Value) -> bool:
        return value.end - value.begin > LONGEST_STRING and self.text[value.begin] == '"'


def _kept_within(spans: Spans, keep: Keep, start: int, end: int) -> NDArray[np.int64]:
    """The places of the kept spans that share a character with those from `start` to `end`."""
    first = int(np.searchsorted(spans[:, 1], start, side="right"))
    last = int(np.searchsorted(spans[:, 0], end, side="left"))
    return np.flatnonzero(keep[first:last]) + first
