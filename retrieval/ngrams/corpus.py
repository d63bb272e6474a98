"""The n-gram indexes of several segments as one corpus, seen through a filter."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from retrieval.errors import IndexMismatch
from retrieval.ngrams.index import NgramIndex
from retrieval.ngrams.suffix_array import Ids, Positions
from retrieval.types import Bits

_WIDE = 8192
_POOL = 64
_GROWTH = 8
_CHUNK = 4096


@dataclass(frozen=True, slots=True)
class Range:
    """Where one n-gram of `depth` tokens occurs: rows `[lo, hi)` of each segment's suffix array."""

    rows: tuple[tuple[int, int], ...]
    depth: int

    @property
    def count(self) -> int:
        """Occurrences over all segments: F(n), which includes passages the filter leaves out."""
        return sum(hi - lo for lo, hi in self.rows)


class NgramCorpus:
    """Answers for all segments of a snapshot together.

    Counts add up over the segments, so the answers do not depend on how passages were split into
    segments. Counts and `tokens` include deleted and filtered passages, which saves recounting at each
    deletion and changes the statistics little; which n-grams exist and where does not include them.
    """

    def __init__(
        self,
        indexes: Sequence[NgramIndex],
        bases: Sequence[int],
        allowed: Sequence[Bits | None] | None = None,
    ) -> None:
        """`bases` are the passage numbers of the segments' first passages; `allowed` has a bit a passage."""
        sizes = {index.vocabulary_size for index in indexes}
        if len(sizes) > 1:
            raise IndexMismatch("vocabularies of", str(sorted(sizes)), "one size a collection")
        self.vocabulary_size = sizes.pop() if sizes else 0
        self.tokens = sum(index.tokens for index in indexes)
        self.root = Range(tuple((0, index.tokens) for index in indexes), 0)
        self._indexes = list(indexes)
        self._bases = np.asarray(bases, np.int64)
        self._allowed = list(allowed) if allowed is not None else [None] * len(self._indexes)
        if not len(self._indexes) == len(self._bases) == len(self._allowed):
            raise ValueError("indexes, bases and allowed must have one entry a segment")

    @cached_property
    def _live(self) -> list[Bits | None]:
        """A bit for each position of each segment: whether its passage is allowed."""
        return [
            None if bits is None or bits.all() else np.repeat(bits, index.lengths)
            for index, bits in zip(self._indexes, self._allowed, strict=True)
        ]

    def find(self, ids: Sequence[int]) -> Range:
        """The range of an n-gram, which is empty where it does not occur."""
        found = self.root
        for token in ids:
            if found.count == 0:
                break
            found = self._narrow(found, np.array([token], np.int64))[0]
        return found

    def best_children(
        self, parent: Range, scores: NDArray[np.floating], most: int, *, only: Bits | None = None
    ) -> list[tuple[int, Range]]:
        """The `most` best-scored tokens that follow an n-gram in some allowed passage, with their ranges.

        `scores` (V,) holds a score a token, -inf for tokens that are out; `only` (V,) can leave out more.
        Best first, ties by token id. Always exact: narrow ranges list what follows, wide ones test tokens
        in the order of their scores until enough are found.
        """
        if parent.count <= _WIDE:
            return self._enumerate(parent, scores, most, only)
        return self._test_best(parent, scores, most, only)

    def exists(self, found: Range) -> bool:
        """Whether an n-gram occurs in an allowed passage."""
        return any(
            hi > lo if live is None else self._any_live(index, live, lo, hi)
            for index, live, (lo, hi) in zip(self._indexes, self._live, found.rows, strict=True)
        )

    def locate(self, found: Range) -> tuple[Positions, Positions]:
        """Every occurrence in an allowed passage: passage numbers and token positions in them."""
        numbers, positions = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
        for index, base, live, (lo, hi) in zip(
            self._indexes, self._bases, self._live, found.rows, strict=True
        ):
            places = index.places(lo, hi)
            passages, at = index.locate(places if live is None else places[live[places]])
            numbers.append(passages + base)
            positions.append(at)
        return np.concatenate(numbers), np.concatenate(positions)

    def passage(self, number: int) -> Ids:
        """Token ids of a passage, by its number."""
        segment, local = self._segment(number)
        return segment.passage(local)

    def span(self, number: int, at: int, length: int) -> tuple[int, int]:
        """Characters of tokens of a passage; (-1, -1) when outside the citable text."""
        segment, local = self._segment(number)
        return segment.span(local, at, length)

    def _segment(self, number: int) -> tuple[NgramIndex, int]:
        at = int(np.searchsorted(self._bases, number, side="right")) - 1
        return self._indexes[at], number - int(self._bases[at])

    def _enumerate(
        self, parent: Range, scores: NDArray[np.floating], most: int, only: Bits | None
    ) -> list[tuple[int, Range]]:
        ranges: dict[int, list[tuple[int, int]]] = {}
        for at, (index, (lo, hi)) in enumerate(zip(self._indexes, parent.rows, strict=True)):
            following, begins, ends = index.children(lo, hi, parent.depth)
            for token, begin, end in zip(following.tolist(), begins.tolist(), ends.tolist(), strict=True):
                ranges.setdefault(token, [(0, 0)] * len(parent.rows))[at] = (begin, end)
        tokens = np.fromiter(ranges, np.int64, len(ranges))
        found = (
            (token, Range(tuple(ranges[token]), parent.depth + 1)) for token in _ranked(tokens, scores, only)
        )
        return self._first_existing(found, most)

    def _test_best(
        self, parent: Range, scores: NDArray[np.floating], most: int, only: Bits | None
    ) -> list[tuple[int, Range]]:
        usable = scores if only is None else np.where(only, scores, -np.inf)
        pool = max(_POOL, most)
        while True:
            tokens = _best_tokens(usable, pool)
            ranked = _ranked(tokens, usable, None)
            ranges = self._narrow(parent, np.asarray(ranked, np.int64))
            found = self._first_existing(zip(ranked, ranges, strict=True), most)
            if len(found) == most or pool >= len(scores):
                return found
            pool *= _GROWTH

    def _first_existing(self, ranges: Iterator[tuple[int, Range]], most: int) -> list[tuple[int, Range]]:
        found: list[tuple[int, Range]] = []
        for token, child in ranges:
            if len(found) == most:
                break
            if self.exists(child):
                found.append((token, child))
        return found

    def _narrow(self, parent: Range, tokens: Positions) -> list[Range]:
        segments = [
            np.stack(index.narrow(lo, hi, parent.depth, tokens), axis=1).tolist()
            for index, (lo, hi) in zip(self._indexes, parent.rows, strict=True)
        ]
        return [
            Range(tuple((lo, hi) for lo, hi in rows), parent.depth + 1)
            for rows in zip(*segments, strict=True)
        ]

    @staticmethod
    def _any_live(index: NgramIndex, live: Bits, lo: int, hi: int) -> bool:
        # In pieces: with a mild filter the first one answers, however frequent the n-gram is.
        return any(
            live[index.places(start, min(start + _CHUNK, hi))].any() for start in range(lo, hi, _CHUNK)
        )


def _best_tokens(scores: NDArray[np.floating], most: int) -> Positions:
    """Ids of the `most` best scores, and of all that tie with the last of them."""
    if most >= len(scores):
        return np.arange(len(scores))
    least = np.partition(scores, len(scores) - most)[len(scores) - most]
    return np.flatnonzero(scores >= least)


def _ranked(tokens: Positions, scores: NDArray[np.floating], only: Bits | None) -> list[int]:
    """The usable tokens among `tokens`, best score first, ties by id."""
    usable = np.isfinite(scores[tokens])
    if only is not None:
        usable &= only[tokens]
    kept = tokens[usable]
    ranked: list[int] = kept[np.lexsort((kept, -scores[kept]))].tolist()
    return ranked
