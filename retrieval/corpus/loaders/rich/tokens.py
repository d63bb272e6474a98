"""The pieces of an RTF file: groups, control words with their numbers, bytes of text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto

_PIECE = re.compile(
    rb"(?P<word>\\(?P<name>[A-Za-z]{1,40})(?P<number>-?\d{1,10})? ?)"
    rb"|(?P<hex>\\'(?P<digits>[0-9A-Fa-f]{2}))"
    rb"|(?P<symbol>\\[^A-Za-z])"
    rb"|(?P<open>\{)|(?P<close>\})"
    rb"|(?P<text>[^\\{}\r\n\0]+)|[\r\n\0]+|\\",
    re.DOTALL,
)


class Kind(Enum):
    """What a piece is."""

    OPEN = auto()
    CLOSE = auto()
    WORD = auto()
    TEXT = auto()


@dataclass(frozen=True, slots=True)
class Piece:
    """A control word `name` with its number, None if it has none; or the bytes of text."""

    kind: Kind
    name: str = ""
    number: int | None = None
    data: bytes = b""


_OPEN, _CLOSE = Piece(Kind.OPEN), Piece(Kind.CLOSE)


def pieces(data: bytes) -> Iterator[Piece]:
    r"""The pieces of a file, in order. Binary data is skipped.

    >>> [(one.name, one.number, one.data) for one in pieces(rb"\u8364?\'e9")]
    [('u', 8364, b''), ('', None, b'?'), ('', None, b'\xe9')]
    """
    at = 0
    while found := _PIECE.match(data, at):
        at = found.end()
        if found["word"]:
            name = found["name"].decode()
            number = int(found["number"]) if found["number"] else None
            if name == "bin":
                at += max(0, number or 0)
            else:
                yield Piece(Kind.WORD, name, number)
        elif found["text"]:
            yield Piece(Kind.TEXT, data=found["text"])
        elif found["hex"]:
            yield Piece(Kind.TEXT, data=bytes([int(found["digits"], 16)]))
        elif found["symbol"]:
            yield Piece(Kind.WORD, found["symbol"][1:].decode("latin-1"))
        elif found["open"]:
            yield _OPEN
        elif found["close"]:
            yield _CLOSE
