"""The nouns of retrieval: documents and passages in, hits out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from retrieval.documents import Document as Document
from retrieval.documents import Mark as Mark
from retrieval.documents import Metadata as Metadata
from retrieval.documents import Scalar as Scalar

Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]
Float32 = NDArray[np.float32]
Bits = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Passage:
    """A contiguous span of a document: the unit that is retrieved, ranked and cited.

    `start` and `end` are character offsets into the document's text, half-open, and
    `text == document.text[start:end]` always holds. `heading` is the path of headings the
    span stands under ("Guide > Set-up"), read by the encoders but never cited. `marks` are the pages and
    rows that it has a part of, with the document's offsets.
    """

    document_id: str
    ordinal: int
    text: str
    start: int
    end: int
    title: str = ""
    heading: str = ""
    marks: tuple[Mark, ...] = ()

    @property
    def id(self) -> str:
        """The passage's name in the API: `document_id:ordinal`."""
        return f"{self.document_id}:{self.ordinal}"

    @property
    def context(self) -> str:
        """Title and heading path, as a line the encoders read before the text; may be empty."""
        return " > ".join(part for part in (self.title, self.heading) if part)


@dataclass(frozen=True, slots=True)
class Tokens:
    """One text's tokens without special ones: ids (n,) and character offsets (n, 2), half-open."""

    ids: Int32
    offsets: Int32


@dataclass(frozen=True, slots=True)
class TokenVectors:
    """Contextual vectors of one text: (n, dim) float32, L2-normalised, with ids and offsets."""

    vectors: Float32
    ids: Int32
    offsets: Int32


@dataclass(frozen=True, slots=True)
class Hits:
    """The result of one retriever: passage numbers (n,) and scores (n,), best first, ties by number.

    A passage number counts through the live segments of one snapshot; it means nothing outside it. The first
    `exact` have the scores that the retriever gives to passages it is asked for; others may have guesses.
    """

    numbers: Int64
    scores: Float32
    exact: int = field(default=0, repr=False)

    def __len__(self) -> int:
        return len(self.numbers)


class Encoder(Protocol):
    """The interface of a token encoder. `retrieval.tokens.TokenEncoder` implements it."""

    @property
    def dim(self) -> int:
        """Components of a vector."""
        ...

    @property
    def max_tokens(self) -> int:
        """Tokens of a text that get a vector."""
        ...

    @property
    def fingerprint(self) -> str:
        """Changes with anything that changes a vector."""
        ...

    def tokenize(self, texts: Sequence[str]) -> list[Tokens]:
        """Tokens of each text, not cut."""
        ...

    def encode_passages(self, texts: Sequence[str]) -> list[TokenVectors]:
        """Token vectors of each passage."""
        ...

    def encode_queries(self, texts: Sequence[str]) -> list[TokenVectors]:
        """Token vectors of each query; a query is refused rather than cut."""
        ...


class Vocabulary(Protocol):
    """The interface of the n-gram index's vocabulary: a language model's token ids."""

    @property
    def size(self) -> int:
        """Number of token ids."""
        ...

    @property
    def fingerprint(self) -> str:
        """Changes with the tokenizer."""
        ...

    def named(self, fingerprint: str) -> Vocabulary:
        """The one with this fingerprint, if it is an earlier one of the same tokenizer; else this one."""
        ...

    def tokenize(self, texts: Sequence[str]) -> list[Tokens]:
        """Tokens of each text."""
        ...
