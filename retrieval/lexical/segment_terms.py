"""The words of one segment: what the lexical retriever keeps there."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from excerpta.types.retrieve import Lexical

from retrieval.lexical.terms import Terms
from retrieval.lexical.trial import examine
from retrieval.retrievers import Batch, IndexTools
from retrieval.trials import Expected

if TYPE_CHECKING:
    from retrieval.segments import IndexSettings


class TermReader:
    """Counts passages: words are taken from the batch's texts when the index is built."""

    def __init__(self) -> None:
        self._passages = 0

    def add(self, texts: Sequence[str], shifts: Sequence[int]) -> None:
        """Counts these texts."""
        self._passages += len(texts)

    def rows(self) -> list[None]:
        """Nothing for each passage."""
        return [None] * self._passages


class SegmentTerms:
    """A segment's words."""

    name: ClassVar[str] = Lexical.name()

    def __init__(self, terms: Terms) -> None:
        self.terms = terms

    @classmethod
    def reader(cls, tools: IndexTools, room: Path) -> TermReader:
        """Reads nothing: the batch's texts are all it takes."""
        return TermReader()

    @classmethod
    def build(cls, directory: Path, batch: Batch, tools: IndexTools, *, like: Sequence[Any]) -> None:
        """Analyses the texts and writes their words."""
        inner = directory / cls.name
        inner.mkdir()
        Terms.build(inner, batch.texts)

    @classmethod
    def open(cls, directory: Path) -> SegmentTerms:
        """Opens them. Raises CorruptSegment and IndexMismatch."""
        return cls(Terms.open(directory / cls.name))

    def stored(self, passage: int) -> None:
        """Nothing: a merge takes the words from the texts."""
        return

    @classmethod
    def belongs(cls, settings: IndexSettings) -> bool:
        """Every collection has words."""
        return True

    @classmethod
    def examine(cls, indexes: Sequence[SegmentTerms], passages: Sequence[int], expected: Expected) -> None:
        """Checks indexes that came from elsewhere. Raises ValueError."""
        examine([one.terms for one in indexes], passages)
