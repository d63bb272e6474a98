"""One segment's n-gram index: its passages' token ids, their suffix array and their offsets, on disk."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from retrieval.errors import CorruptSegment, IndexMismatch
from retrieval.ngrams.errors import InvalidTokens, SegmentTooLarge
from retrieval.ngrams.suffix_array import (
    Ids,
    Positions,
    SuffixArray,
    build_suffix_array,
    children,
    narrow,
)
from retrieval.types import Int32, Tokens

FORMAT = 1
_HEADER = "ngrams.json"
_ARRAYS = ("tokens", "sa", "starts", "first", "offsets")
_MOST_TOKENS = 2**31 - 1


@dataclass(frozen=True, slots=True)
class _Header:
    format: int
    vocabulary_size: int
    passages: int
    tokens: int


class NgramIndex:
    """Finds every n-gram of one segment's passages, and what can follow it.

    The passages' ids are joined in one sequence, each closed by an end id (`vocabulary_size`) that no
    n-gram contains, so no n-gram crosses passages. Arrays are memory-mapped: 2 or 4 bytes a token for
    the ids, 4 for the suffix array, 8 for the character offsets (read for matches only). The object is
    immutable and may be shared between threads.
    """

    def __init__(
        self, header: _Header, tokens: Ids, sa: SuffixArray, starts: Positions, first: Ids, offsets: Int32
    ) -> None:
        self.vocabulary_size = header.vocabulary_size
        self.passages = header.passages
        self.tokens = header.tokens
        self.lengths: Positions = np.diff(starts)
        self._ids = tokens
        self._sa = sa
        self._starts = starts
        self._first = first
        self._offsets = offsets

    def tokens_of(self, number: int) -> Tokens:
        """The token ids (n,) and character offsets (n, 2) of one passage, as they were given."""
        places = slice(int(self._starts[number]), int(self._starts[number + 1]) - 1)
        return Tokens(self._ids[places].astype(np.int32), np.asarray(self._offsets[places]))

    @classmethod
    def build(cls, directory: Path, tokens: Sequence[Tokens], *, vocabulary_size: int) -> None:
        """Writes the index of `tokens`, one entry a passage, into an existing empty directory.

        Ids must be below `vocabulary_size`; an offset of -1 marks a token outside the citable text.
        Raises InvalidTokens, SegmentTooLarge.
        """
        for number, passage in enumerate(tokens):
            _check(number, passage, vocabulary_size)
        # Each passage takes one place more than it has tokens, for the end id.
        starts = np.cumsum([0, *(len(passage.ids) + 1 for passage in tokens)], dtype=np.int64)
        if starts[-1] > _MOST_TOKENS:
            raise SegmentTooLarge(int(starts[-1]), _MOST_TOKENS)
        ids = np.full(starts[-1], vocabulary_size, np.uint16 if vocabulary_size < 2**16 else np.uint32)
        offsets = np.full((len(ids), 2), -1, np.int32)
        for start, passage in zip(starts, tokens, strict=False):
            ids[start : start + len(passage.ids)] = passage.ids
            offsets[start : start + len(passage.ids)] = passage.offsets
        counts = np.bincount(ids, minlength=vocabulary_size + 1)[:vocabulary_size]
        first = np.cumsum([0, *counts], dtype=np.int64)
        # Suffixes that begin with the end id sort last; no n-gram has them, so they are not kept.
        order = build_suffix_array(ids)[: first[-1]]
        arrays = {
            "tokens": ids,
            "sa": order,
            "starts": starts,
            "first": first.astype(np.uint32),
            "offsets": offsets,
        }
        for name, array in arrays.items():
            np.save(directory / f"{name}.npy", array, allow_pickle=False)
        header = _Header(FORMAT, vocabulary_size, len(tokens), int(first[-1]))
        fields = {name: getattr(header, name) for name in _Header.__slots__}
        (directory / _HEADER).write_text(json.dumps(fields), encoding="utf-8")

    @classmethod
    def open(cls, directory: Path) -> NgramIndex:
        """Maps an index that `build` wrote. Raises CorruptSegment, and IndexMismatch for another format."""
        path = directory / _HEADER
        try:
            fields = json.loads(path.read_text(encoding="utf-8"))
            header = _Header(**{name: int(fields[name]) for name in _Header.__slots__})
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise CorruptSegment(str(path), f"cannot be read ({error!r})") from error
        if header.format != FORMAT:
            raise IndexMismatch("n-gram format", str(header.format), str(FORMAT))
        try:
            loaded = [
                np.load(directory / f"{name}.npy", mmap_mode="r", allow_pickle=False) for name in _ARRAYS
            ]
        except (OSError, ValueError, EOFError) as error:
            raise CorruptSegment(str(directory), f"an array cannot be read ({error})") from error
        # A plain view indexes several times faster than the memmap subclass, over the same mapping.
        ids, sa, starts, first, offsets = (np.asarray(array) for array in loaded)
        places = header.tokens + header.passages
        shapes = [
            (places,),
            (header.tokens,),
            (header.passages + 1,),
            (header.vocabulary_size + 1,),
            (places, 2),
        ]
        if [array.shape for array in (ids, sa, starts, first, offsets)] != shapes:
            raise CorruptSegment(str(directory), "the arrays do not have the shapes the header names")
        return cls(header, ids, sa, starts, first, offsets)

    def children(self, lo: int, hi: int, depth: int) -> tuple[Ids, Positions, Positions]:
        """Every token that follows the n-gram of range `[lo, hi)`, ascending, with its own range."""
        following, begins = children(self._ids, self._sa, lo, hi, depth)
        inside = following < self.vocabulary_size
        return following[inside], begins[:-1][inside], begins[1:][inside]

    def narrow(self, lo: int, hi: int, depth: int, wanted: Ids) -> tuple[Positions, Positions]:
        """Ranges of the n-gram of `[lo, hi)` followed by each of the `wanted` ids (int, below the size)."""
        if depth == 0:
            return self._first[wanted].astype(np.int64), self._first[wanted + 1].astype(np.int64)
        return narrow(self._ids, self._sa, lo, hi, depth, wanted)

    def places(self, lo: int, hi: int) -> Positions:
        """Positions in the joined sequence where the n-gram of `[lo, hi)` occurs, in suffix order."""
        return self._sa[lo:hi].astype(np.int64)

    def locate(self, places: Positions) -> tuple[Positions, Positions]:
        """The passage of each position, and the token number inside it."""
        passages = np.searchsorted(self._starts, places, side="right") - 1
        return passages, places - self._starts[passages]

    def passage(self, number: int) -> Ids:
        """Token ids of one passage."""
        return self._ids[self._starts[number] : self._starts[number + 1] - 1]

    def span(self, passage: int, at: int, length: int) -> tuple[int, int]:
        """Characters of tokens `at` to `at + length` of a passage, half-open.

        Tokens outside the citable text do not count; (-1, -1) when all are outside.
        """
        start = self._starts[passage] + at
        offsets = self._offsets[start : start + length]
        inside = offsets[offsets[:, 0] >= 0]
        return (int(inside[:, 0].min()), int(inside[:, 1].max())) if len(inside) else (-1, -1)


def _check(number: int, passage: Tokens, vocabulary_size: int) -> None:
    if passage.ids.ndim != 1 or passage.offsets.shape != (len(passage.ids), 2):
        raise InvalidTokens(number, "it needs ids (n,) and offsets (n, 2)")
    if len(passage.ids) and not (passage.ids.min() >= 0 and passage.ids.max() < vocabulary_size):
        raise InvalidTokens(number, f"its ids are not all between 0 and {vocabulary_size - 1}")
