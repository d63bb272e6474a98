"""The token vectors of one segment with their characters: what the retriever by tokens keeps there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Protocol

import numpy as np
from excerpta.types.retrieve import Tokens

from retrieval.arrays import open_array, save_rows
from retrieval.lazy_sequence import LazySequence
from retrieval.retrievers import Batch, IndexTools, own_offsets
from retrieval.tokens.index import TokenIndex
from retrieval.tokens.storage.vector_spool import VectorSpool
from retrieval.tokens.trial import examine
from retrieval.trials import Expected
from retrieval.types import Encoder, Float32, Int32

if TYPE_CHECKING:
    from retrieval.segments import IndexSettings

_OFFSETS = "token_offsets.npy"


class Row(Protocol):
    """One passage's token vectors (n, dim), and their characters (n, 2) in the passage's own text."""

    @property
    def vectors(self) -> Float32:
        """The token vectors."""
        ...

    @property
    def offsets(self) -> Int32:
        """Their characters; -1 for tokens of the context."""
        ...


@dataclass(frozen=True, slots=True)
class ReadRow:
    """A passage that was just encoded."""

    vectors: Float32
    offsets: Int32


@dataclass(frozen=True, slots=True)
class StoredRow:
    """A passage of a segment, read when it is asked for."""

    segment: SegmentTokens
    passage: int

    @property
    def vectors(self) -> Float32:
        """The token vectors, as they are stored."""
        return self.segment.vectors(self.passage)

    @property
    def offsets(self) -> Int32:
        """Their characters."""
        return self.segment.offsets(self.passage)


class TokenReader:
    """Encodes passages; their vectors wait in a file."""

    def __init__(self, encoder: Encoder, room: Path) -> None:
        self._encoder = encoder
        self._spool = VectorSpool(room, encoder.dim)
        self._offsets: list[Int32] = []

    def add(self, texts: Sequence[str], shifts: Sequence[int]) -> None:
        """Encodes these indexed texts in one call."""
        for one, shift in zip(self._encoder.encode_passages(texts), shifts, strict=True):
            self._spool.append(one.vectors)
            self._offsets.append(own_offsets(one.offsets, shift))

    def rows(self) -> list[ReadRow]:
        """Vectors and characters of each passage."""
        return list(map(ReadRow, self._spool.passages(), self._offsets))


class SegmentTokens:
    """A segment's token index, and the characters that each token stands for."""

    name: ClassVar[str] = Tokens.name()

    def __init__(self, index: TokenIndex, offsets: Int32) -> None:
        self.index = index
        self.all_offsets = offsets
        self._starts = np.concatenate([[0], np.cumsum(index.lengths)])

    @classmethod
    def reader(cls, tools: IndexTools, room: Path) -> TokenReader:
        """Encodes new passages."""
        assert tools.encoder is not None
        return TokenReader(tools.encoder, room)

    @classmethod
    def build(
        cls, directory: Path, batch: Batch, tools: IndexTools, *, like: Sequence[SegmentTokens]
    ) -> None:
        """Writes both. Lists that the collection has trained before are used again if they fit."""
        rows: Sequence[Row] = batch.rows[cls.name]
        vectors = LazySequence(len(rows), lambda at: rows[at].vectors)
        offsets = LazySequence(len(rows), lambda at: rows[at].offsets)
        inner = directory / cls.name
        inner.mkdir()
        TokenIndex.build(
            inner,
            vectors,
            tier=tools.settings.tokens,
            like=_largest_lists(like),
            trainer=tools.trainer,
            indexed=tools.indexed,
        )
        save_rows(directory / _OFFSETS, sum(map(len, offsets)), 2, np.int32, offsets)

    @classmethod
    def open(cls, directory: Path) -> SegmentTokens:
        """Opens both. Raises CorruptSegment and IndexMismatch."""
        return cls(TokenIndex.open(directory / cls.name), open_array(directory / _OFFSETS))

    def stored(self, passage: int) -> StoredRow:
        """A passage's vectors and characters."""
        return StoredRow(self, passage)

    def vectors(self, passage: int) -> Float32:
        """The stored vectors (n, dim) of a passage."""
        return self.index.vectors(passage)

    def offsets(self, passage: int) -> Int32:
        """Offsets (n, 2) of a passage's indexed tokens into its text; -1 for tokens of its context."""
        return self.all_offsets[int(self._starts[passage]) : int(self._starts[passage + 1])]

    @classmethod
    def belongs(cls, settings: IndexSettings) -> bool:
        """Every collection has token vectors."""
        return True

    @classmethod
    def examine(cls, indexes: Sequence[SegmentTokens], passages: Sequence[int], expected: Expected) -> None:
        """Checks indexes that came from elsewhere. Raises ValueError."""
        for one, count in zip(indexes, passages, strict=True):
            examine(one.index, one.all_offsets, count, expected)


def _largest_lists(like: Sequence[SegmentTokens]) -> TokenIndex | None:
    """The index with the most tokens in inverted lists, whose training others can use."""
    listed = [one.index for one in like if one.index.tier != "flat"]
    return max(listed, key=lambda index: index.tokens, default=None)
