"""Encodes documents into the parts of a segment: passages, token vectors, token ids."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from retrieval.corpus import Chunker
from retrieval.segments.manifest import IndexSettings
from retrieval.segments.vector_spool import VectorSpool
from retrieval.types import Document, Encoder, Float32, Int32, Passage, Tokens, Vocabulary

Progress = Callable[[int, int], None]

_ENCODED_AT_ONCE = 64
_MOST_CONTEXT = 240


@dataclass(frozen=True, slots=True)
class Encoded:
    """Documents with the passages of each; then, passage by passage, the text that is indexed, the token
    vectors (n, dim), and each token's characters (n, 2) in the passage's own text."""

    documents: Sequence[Document]
    passages: Sequence[Sequence[Passage]]
    texts: Sequence[str]
    vectors: Sequence[Float32]
    offsets: Sequence[Int32]
    ngrams: Sequence[Tokens] | None
    vocabulary_size: int


def indexed_text(passage: Passage) -> tuple[str, int]:
    """The text that all retrievers read for a passage, and where the passage's own text begins in it.

    >>> indexed_text(Passage("d", 0, "Read me.", 0, 8, title="Guide"))
    ('Guide\\nRead me.', 6)
    """
    context = passage.context[:_MOST_CONTEXT]
    return (f"{context}\n{passage.text}", len(context) + 1) if context else (passage.text, 0)


def own_offsets(offsets: Int32, shift: int) -> Int32:
    """Offsets (n, 2) into the indexed text as offsets into the passage; -1 for tokens of the context."""
    inside = (offsets[:, :1] >= shift) & (offsets[:, 1:] >= shift)
    return np.where(inside, offsets - shift, -1).astype(np.int32)


def encode(
    documents: Sequence[Document],
    *,
    settings: IndexSettings,
    encoder: Encoder,
    vocabulary: Vocabulary | None,
    room: Path,
    progress: Progress | None,
) -> Encoded:
    """Cuts the documents and encodes their passages, a slice at a time; the vectors wait in `room`.

    `progress` is called after each slice, with the documents done by then and in all; it may raise, to
    stop. Without a vocabulary there are no n-grams.
    """
    chunker = Chunker(
        encoder.tokenize, passage_tokens=settings.passage_tokens, overlap_tokens=settings.overlap_tokens
    )
    spool = VectorSpool(room, encoder.dim)
    passages: list[list[Passage]] = []
    texts: list[str] = []
    shifts: list[int] = []
    offsets: list[Int32] = []

    def advance(most: int, done: int) -> None:
        """Encodes up to `most` of the texts that wait."""
        part = slice(len(offsets), len(offsets) + most)
        encoded = encoder.encode_passages(texts[part]) if texts[part] else []
        for one, shift in zip(encoded, shifts[part], strict=True):
            spool.append(one.vectors)
            offsets.append(own_offsets(one.offsets, shift))
        if progress:
            progress(done, len(documents))

    for number, document in enumerate(documents):
        passages.append(chunker.split(document))
        for text, shift in map(indexed_text, passages[-1]):
            texts.append(text)
            shifts.append(shift)
        while len(texts) - len(offsets) >= _ENCODED_AT_ONCE:
            complete = len(texts) - len(offsets) == _ENCODED_AT_ONCE
            advance(_ENCODED_AT_ONCE, number + complete)
    advance(_ENCODED_AT_ONCE, len(documents))
    return Encoded(
        documents=list(documents),
        passages=passages,
        texts=texts,
        vectors=spool.passages(),
        offsets=offsets,
        ngrams=None if vocabulary is None else _ngrams(vocabulary, texts, shifts),
        vocabulary_size=0 if vocabulary is None else vocabulary.size,
    )


def _ngrams(vocabulary: Vocabulary, texts: Sequence[str], shifts: Sequence[int]) -> list[Tokens]:
    return [
        Tokens(one.ids, own_offsets(one.offsets, shift))
        for one, shift in zip(vocabulary.tokenize(texts), shifts, strict=True)
    ]
