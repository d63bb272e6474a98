"""The seam of retrievers: what an index of a segment, and a search over the indexes of a collection, offer.

A retriever is a folder with both, its options (`excerpta.types.retrieve`) and a line of
`retrieval.catalogue`. Nothing else names it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import (
    TYPE_CHECKING,
    Any,
    ClassVar,
    Generic,
    Protocol,
    TypeAlias,
    TypeVar,
    cast,
    runtime_checkable,
)

import numpy as np
from excerpta.types.retrieve import RetrieverOptions

from retrieval.types import Bits, Encoder, Float32, Hits, Int32, Int64, Passage, Vocabulary

if TYPE_CHECKING:
    from models.networks.ngram_writer import NgramWriter
    from retrieval.segments import IndexSettings, Segment
    from retrieval.tokens import DeviceSearch, Trainer
    from retrieval.trials import Expected

T = TypeVar("T")
I_co = TypeVar("I_co", bound="SegmentIndex", covariant=True)
I = TypeVar("I", bound="SegmentIndex")  # noqa: E741
O_contra = TypeVar("O_contra", bound=RetrieverOptions, contravariant=True)
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class IndexTools:
    """What a collection's indexes are made with. A merge has no models: it reads no texts.

    Without a `vocabulary` new passages get no n-grams. `indexed` takes the tokens that are in a large index
    so far, and how many there are; it may raise, to stop.
    """

    settings: IndexSettings
    encoder: Encoder | None = None
    vocabulary: Vocabulary | None = None
    trainer: Trainer | None = None
    indexed: Callable[[int, int], None] | None = None


@dataclass(frozen=True, slots=True)
class Batch:
    """Passages on their way into a segment: the indexed text of each, and what each index keeps of it.

    `rows` has one item a passage, by the index's name; an index without rows is not built.
    """

    texts: Sequence[str]
    rows: Mapping[str, Sequence[Any]]


class RowReader(Protocol):
    """Reads passages for one index, a slice of a batch at a time."""

    def add(self, texts: Sequence[str], shifts: Sequence[int]) -> None:
        """Reads these indexed texts; a passage's own text begins at its shift."""
        ...

    def rows(self) -> Sequence[Any]:
        """What the index keeps of each passage so far."""
        ...


class SegmentIndex(Protocol):
    """One kind of index over the passages of one segment. Immutable, and shared by threads.

    All methods get the segment's directory; the files in it belong to the index that wrote them.
    """

    name: ClassVar[str]

    @classmethod
    def reader(cls, tools: IndexTools, room: Path) -> RowReader | None:
        """Reads new passages; `room` is for temporary files. None where the collection has no such index."""
        ...

    @classmethod
    def build(cls, directory: Path, batch: Batch, tools: IndexTools, *, like: Sequence[Any]) -> None:
        """Writes the index of a batch. `like` are the collection's live indexes of this kind."""
        ...

    @classmethod
    def open(cls, directory: Path) -> SegmentIndex | None:
        """Opens what `build` wrote; None where the segment has no such index."""
        ...

    def stored(self, passage: int) -> Any:
        """A passage's row, which a merge copies."""
        ...

    @classmethod
    def belongs(cls, settings: IndexSettings) -> bool:
        """Whether a collection with these settings has such an index."""
        ...

    @classmethod
    def examine(cls, indexes: Sequence[Any], passages: Sequence[int], expected: Expected) -> None:
        """Checks the indexes of all segments, which came from elsewhere and have so many passages each.

        Raises ValueError, or any other error that a damaged file causes.
        """
        ...


@runtime_checkable
class VectorIndex(Protocol):
    """An index that can give a passage's token vectors back."""

    def vectors(self, passage: int) -> Float32:
        """The token vectors (n, dim) of a passage."""
        ...

    def offsets(self, passage: int) -> Int32:
        """Their characters (n, 2) in the passage's own text; -1 for tokens of its context."""
        ...


def own_offsets(offsets: Int32, shift: int) -> Int32:
    """Offsets (n, 2) into the indexed text as offsets into the passage; -1 for tokens of the context."""
    inside = (offsets[:, :1] >= shift) & (offsets[:, 1:] >= shift)
    return np.where(inside, offsets - shift, -1).astype(np.int32)


@dataclass(frozen=True, slots=True)
class Selection:
    """The passages a search may find: one bitmap a segment, None where all of it passes."""

    bits: tuple[Bits | None, ...]
    count: int

    def joined(self, sizes: Sequence[int]) -> Bits | None:
        """One bitmap over all segments, whose numbers of passages are `sizes`."""
        if all(bits is None for bits in self.bits):
            return None
        return np.concatenate(
            [
                np.ones(size, bool) if bits is None else bits
                for bits, size in zip(self.bits, sizes, strict=True)
            ]
        )


class Shared:
    """What is computed once for a set of segments, by name: that of the latest set is kept."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._made: dict[str, tuple[tuple[str, ...], Any]] = {}

    def get(self, name: str, segments: Sequence[Segment], make: Callable[[], T]) -> T:
        """What `make` makes of these segments, made when first asked for."""
        names = tuple(segment.name for segment in segments)
        with self._lock:
            known = self._made.get(name)
            if known is None or known[0] != names:
                known = self._made[name] = (names, make())
        return cast(T, known[1])


@dataclass(frozen=True, slots=True)
class Parts(Generic[I_co]):
    """One kind of index of all segments that have it: the number of each one's first passage, and its
    allowed passages (None: all)."""

    indexes: list[I_co]
    bases: list[int]
    allowed: list[Bits | None]


@dataclass(frozen=True)
class Searched:
    """The segments of one version of a collection; passages are numbered through them.

    `accelerator` may search them in a device's memory; `vocabulary` is the one they were built with.
    """

    segments: tuple[Segment, ...]
    vocabulary: Vocabulary | None = None
    accelerator: DeviceSearch | None = None
    shared: Shared = field(default_factory=Shared)

    @cached_property
    def sizes(self) -> list[int]:
        """The number of passages of each segment."""
        return [len(segment.passages) for segment in self.segments]

    @cached_property
    def bases(self) -> list[int]:
        """The number of each segment's first passage, and that of all passages."""
        return [0, *np.cumsum(self.sizes).tolist()]

    def place(self, number: int) -> tuple[Segment, int]:
        """A passage's segment and its number there."""
        segment = int(np.searchsorted(self.bases, number, side="right")) - 1
        return self.segments[segment], number - int(self.bases[segment])

    def parts(self, kind: type[I], selection: Selection | None = None) -> Parts[I]:
        """The indexes of one kind."""
        name = kind.name
        found = [(at, one.indexes[name]) for at, one in enumerate(self.segments) if name in one.indexes]
        bits = [None] * len(self.segments) if selection is None else selection.bits
        return Parts(
            [cast(I, index) for _, index in found],
            [self.bases[at] for at, _ in found],
            [bits[at] for at, _ in found],
        )


class Networks(Protocol):
    """The networks that read a question."""

    @property
    def encoder(self) -> Encoder:
        """The token encoder."""
        ...

    @property
    def ngram_writer(self) -> NgramWriter:
        """The language model that writes n-grams."""
        ...


class Match(Protocol):
    """Why a passage was found: characters of the document, and what of the question they answer to."""

    @property
    def start(self) -> int:
        """The first character."""
        ...

    @property
    def end(self) -> int:
        """The character after the last."""
        ...

    def row(self, query: str, passage: Passage) -> tuple[Any, ...]:
        """The match as a reply shows it."""
        ...


@runtime_checkable
class SimilarPart(Match, Protocol):
    """A match of a part of the question with a part of the passage that is like it."""

    @property
    def query(self) -> tuple[int, int]:
        """The characters of the question, half-open."""
        ...

    @property
    def similarity(self) -> float:
        """Their cosine."""
        ...


@dataclass(frozen=True, slots=True)
class Found:
    """What a retriever found, and its evidence: what `explain` needs besides."""

    hits: Hits
    evidence: Any = None


class Retriever(Protocol[O_contra, R]):
    """Finds passages for a question. It has no state: what it read of a question is returned by `read`.

    `index` is what it searches. `weight` is its list's in fusion, unless a plan says otherwise. `presets`
    are the plans in which it runs. Where `on_device`, its search runs a network and must be called on the
    device's thread; `read` must be where the method has needs.
    """

    index: ClassVar[type[Any]]
    weight: ClassVar[float]
    presets: ClassVar[frozenset[str]]
    on_device: ClassVar[bool]

    def read(self, query: str, networks: Networks) -> R:
        """What the networks make of the question, once a query."""
        ...

    def search(self, read: R, searched: Searched, selection: Selection, options: O_contra) -> Found:
        """The best passages of the selection, ties by number."""
        ...

    def scores(self, read: R, searched: Searched, numbers: Int64) -> Float32 | None:
        """The scores (n,) of these passages, NaN where one has none; None where only a search can tell."""
        ...

    def ceiling(self, read: R, searched: Searched) -> float | None:
        """The most that a passage can score; None where that is not known."""
        ...

    def explain(self, read: R, evidence: Any, searched: Searched, number: int) -> Sequence[Match]:
        """Why it found a passage, or would have; empty where it cannot say."""
        ...


AnyRetriever: TypeAlias = Retriever[Any, Any]


@runtime_checkable
class WordCounter(Protocol):
    """A retriever that can say how frequent a word is."""

    def frequency(self, word: str, searched: Searched, selection: Selection) -> int:
        """How many passages of the selection have the word."""
        ...
