"""The n-grams of one segment: what the retriever by generated n-grams keeps there."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from excerpta.types.retrieve import Ngrams

from retrieval.ngrams.index import NgramIndex
from retrieval.ngrams.trial import examine
from retrieval.retrievers import Batch, IndexTools, own_offsets
from retrieval.trials import Expected
from retrieval.types import Tokens, Vocabulary

if TYPE_CHECKING:
    from retrieval.segments import IndexSettings


class NgramReader:
    """Reads passages as a language model's token ids."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        self._rows: list[Tokens] = []

    def add(self, texts: Sequence[str], shifts: Sequence[int]) -> None:
        """Tokenises these indexed texts."""
        for one, shift in zip(self._vocabulary.tokenize(texts), shifts, strict=True):
            self._rows.append(Tokens(one.ids, own_offsets(one.offsets, shift)))

    def rows(self) -> list[Tokens]:
        """Ids and characters of each passage."""
        return self._rows


class SegmentNgrams:
    """A segment's suffix array, where its collection has n-grams."""

    name: ClassVar[str] = Ngrams.name()

    def __init__(self, index: NgramIndex) -> None:
        self.index = index

    @classmethod
    def reader(cls, tools: IndexTools, room: Path) -> NgramReader | None:
        """Tokenises new passages."""
        return None if tools.vocabulary is None else NgramReader(tools.vocabulary)

    @classmethod
    def build(
        cls, directory: Path, batch: Batch, tools: IndexTools, *, like: Sequence[SegmentNgrams]
    ) -> None:
        """Sorts and writes the suffixes."""
        inner = directory / cls.name
        inner.mkdir()
        sizes = [one.index.vocabulary_size for one in like]
        size = max(sizes, default=0) if tools.vocabulary is None else tools.vocabulary.size
        NgramIndex.build(inner, batch.rows[cls.name], vocabulary_size=size)

    @classmethod
    def open(cls, directory: Path) -> SegmentNgrams | None:
        """Opens them, if the segment has any. Raises CorruptSegment and IndexMismatch."""
        inner = directory / cls.name
        return cls(NgramIndex.open(inner)) if inner.is_dir() else None

    def stored(self, passage: int) -> Tokens:
        """The token ids of a passage, and their characters in its own text."""
        return self.index.tokens_of(passage)

    @classmethod
    def belongs(cls, settings: IndexSettings) -> bool:
        """Whether the settings ask for n-grams."""
        return settings.ngrams

    @classmethod
    def examine(cls, indexes: Sequence[SegmentNgrams], passages: Sequence[int], expected: Expected) -> None:
        """Checks indexes that came from elsewhere. Raises ValueError."""
        for one, count in zip(indexes, passages, strict=True):
            examine(one.index, count, expected)
