"""Encodes documents into the parts of a segment: passages, and what each index keeps of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from retrieval.catalogue import INDEXES
from retrieval.corpus import Chunker
from retrieval.retrievers import Batch, IndexTools
from retrieval.types import Document, Passage

Progress = Callable[[int, int], None]
"""Takes the characters of documents that are read, and how many there are."""

_ENCODED_AT_ONCE = 64
_MOST_CONTEXT = 240


@dataclass(frozen=True, slots=True)
class Encoded:
    """Documents with the passages of each, and all passages as the indexes take them."""

    documents: Sequence[Document]
    passages: Sequence[Sequence[Passage]]
    batch: Batch


def indexed_text(passage: Passage) -> tuple[str, int]:
    """The text that all retrievers read for a passage, and where the passage's own text begins in it.

    >>> indexed_text(Passage("d", 0, "Read me.", 0, 8, title="Guide"))
    ('Guide\\nRead me.', 6)
    """
    context = passage.context[:_MOST_CONTEXT]
    return (f"{context}\n{passage.text}", len(context) + 1) if context else (passage.text, 0)


def encode(
    documents: Sequence[Document], tools: IndexTools, *, room: Path, progress: Progress | None
) -> Encoded:
    """Cuts the documents and reads their passages for every index, a slice at a time.

    What is too large for memory waits in `room`. `progress` is called after each slice, with the characters
    read by then and in all; it may raise, to stop.
    """
    assert tools.encoder is not None
    settings = tools.settings
    chunker = Chunker(
        tools.encoder.tokenize,
        passage_tokens=settings.passage_tokens,
        overlap_tokens=settings.overlap_tokens,
    )
    made = {name: kind.reader(tools, room) for name, kind in INDEXES.items()}
    readers = {name: reader for name, reader in made.items() if reader is not None}
    passages: list[list[Passage]] = []
    texts: list[str] = []
    shifts: list[int] = []
    ends: list[int] = []  # of each passage: the characters of the documents up to its end
    characters = sum(len(document.text) for document in documents)
    cut = read = 0

    def advance() -> None:
        """Reads up to a slice of the texts that wait."""
        nonlocal read
        part = slice(read, read + _ENCODED_AT_ONCE)
        for reader in readers.values() if texts[part] else ():
            reader.add(texts[part], shifts[part])
        read = min(part.stop, len(texts))
        if progress:
            is_all = cut == characters and read == len(texts)
            progress(characters if is_all else ends[read - 1], characters)

    for document in documents:
        passages.append(chunker.split(document))
        for passage in passages[-1]:
            text, shift = indexed_text(passage)
            texts.append(text)
            shifts.append(shift)
            ends.append(cut + passage.end)
        cut += len(document.text)
        while len(texts) - read >= _ENCODED_AT_ONCE:
            advance()
    advance()
    rows = {name: reader.rows() for name, reader in readers.items()}
    return Encoded(list(documents), passages, Batch(texts, rows))
