"""The header of a token index, which is checked before anything else of it is read."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Literal, TypeAlias, get_args

from retrieval.errors import CorruptSegment, IndexMismatch

Tier: TypeAlias = Literal["flat", "fast", "fine", "compact"]

FORMAT = 2
_FILE = "tokens.json"


_MOST = 1 << 40  # no size in a header is larger; memory is taken by sizes only after this check


@dataclass(frozen=True, slots=True)
class Training:
    """Training record of inverted lists: tokens, and their mean distance (1 - similarity) to centroids."""

    tokens: int = 0
    distance: float = 0.0


@dataclass(frozen=True, slots=True)
class Header:
    """Sizes of one index, how its tokens are searched, and in how many inverted lists (0 when flat)."""

    dim: int
    tokens: int
    passages: int
    tier: Tier
    lists: int
    training: Training = Training()
    format: int = FORMAT

    def write(self, directory: Path) -> None:
        """Writes the header file."""
        (directory / _FILE).write_text(json.dumps(asdict(self)), encoding="utf-8")

    @classmethod
    def read(cls, directory: Path) -> Header:
        """Reads the header file. Raises CorruptSegment, and IndexMismatch for another format."""
        path = directory / _FILE
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
            if values["format"] != FORMAT:
                raise IndexMismatch("token index format", str(values["format"]), str(FORMAT))
            values["training"] = Training(**values["training"])
            header = cls(**{field.name: values[field.name] for field in fields(cls)})
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise CorruptSegment(str(path), f"cannot be read ({error!r})") from error
        sizes = (header.dim, header.tokens, header.passages, header.lists)
        sane = all(type(size) is int and 0 <= size < _MOST for size in sizes)
        if header.tier not in get_args(Tier) or not sane:
            raise CorruptSegment(str(path), "has values that no index has")
        return header
