"""Checks that documents are the ones that an index was made of."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from retrieval.segments.passages import PassageStore
from retrieval.types import Bits, Document


class Agreement:
    """Compares documents, one after the other, with their passages in an index.

    The index and the database are written one after the other. This check shows whether copies of both are
    from the same moment.
    """

    def __init__(self, stores: Sequence[PassageStore], live: Sequence[Bits | None]) -> None:
        self._stores = stores
        self._left = [
            np.ones(len(store.ids), bool) if bits is None else bits.copy()
            for store, bits in zip(stores, live, strict=True)
        ]

    @property
    def left(self) -> int:
        """How many live documents of the index have not been seen."""
        return sum(int(bits.sum()) for bits in self._left)

    def differs(self, document: Document) -> str | None:
        """The difference from the index, in a few words; None if there is none. A document counts once."""
        for store, left in zip(self._stores, self._left, strict=True):
            number = store.places.get(document.id)
            if number is not None and left[number]:
                left[number] = False
                return _differs(store, number, document)
        return f"document {document.id!r} is not in the index"


def _differs(store: PassageStore, number: int, document: Document) -> str | None:
    if store.titles[number] != document.title:
        return f"document {document.id!r} has another title in the index"
    if dict(store.metadata[number]) != dict(document.metadata):
        return f"document {document.id!r} has other metadata in the index"
    for at in store.of_document(number):
        passage = store.passage(at)
        if document.text[passage.start : passage.end] != passage.text:
            return f"document {document.id!r} has another text in the index"
    return None
