"""Token vectors of questions that were asked lately, so that the same question is not encoded again."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from models.networks.ngram_writer import NgramWriter
from retrieval.tokens import TokenEncoder
from retrieval.types import Encoder, Tokens, TokenVectors

_MOST_BYTES = 16 << 20
"""About a thousand questions of ten tokens at 384 dimensions."""
_OVERHEAD = 512  # bytes of a question's objects, as a round figure


class QuestionVectors:
    """The vectors of the latest questions, at most `most_bytes` of them; safe on every thread.

    Questions are kept apart by a salt: how long a question takes says nothing of what others have asked.
    """

    def __init__(self, most_bytes: int = _MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[str, str], TokenVectors] = OrderedDict()
        self.bytes = 0

    def get(self, salt: str, question: str) -> TokenVectors | None:
        """The vectors of a question that was asked under this salt, if they are still there."""
        with self._lock:
            found = self._kept.get((salt, question))
            if found is not None:
                self._kept.move_to_end((salt, question))
            return found

    def put(self, salt: str, question: str, vectors: TokenVectors) -> None:
        """Keeps the vectors of a question; the questions that were asked longest ago make room."""
        with self._lock:
            known = self._kept.pop((salt, question), None)
            if known is not None:
                self.bytes -= _size(question, known)
            self._kept[salt, question] = vectors
            self.bytes += _size(question, vectors)
            while self.bytes > self._most_bytes:
                (_, oldest), dropped = self._kept.popitem(last=False)
                self.bytes -= _size(oldest, dropped)


def _size(question: str, vectors: TokenVectors) -> int:
    arrays = vectors.vectors.nbytes + vectors.ids.nbytes + vectors.offsets.nbytes
    return arrays + 4 * len(question) + _OVERHEAD


@dataclass(frozen=True)
class RememberingEncoder:
    """The token encoder with the vectors of known questions at hand; the rest are encoded in one pass."""

    encoder: TokenEncoder
    known: QuestionVectors
    salt: str

    @property
    def dim(self) -> int:
        """Components of a vector."""
        return self.encoder.dim

    @property
    def max_tokens(self) -> int:
        """Tokens of a text that get a vector."""
        return self.encoder.max_tokens

    @property
    def fingerprint(self) -> str:
        """Changes with anything that changes a vector."""
        return self.encoder.fingerprint

    def tokenize(self, texts: Sequence[str]) -> list[Tokens]:
        """Tokens of each text, not cut."""
        return self.encoder.tokenize(texts)

    def encode_passages(self, texts: Sequence[str]) -> list[TokenVectors]:
        """Token vectors of each passage."""
        return self.encoder.encode_passages(texts)

    def encode_queries(self, texts: Sequence[str]) -> list[TokenVectors]:
        """Token vectors of each question. Raises InputTooLong."""
        known = {text: self.known.get(self.salt, text) for text in texts}
        found = {text: vectors for text, vectors in known.items() if vectors is not None}
        missing = [text for text in known if text not in found]
        encoded = self.encoder.encode_queries(missing) if missing else []
        for text, vectors in zip(missing, encoded, strict=True):
            self.known.put(self.salt, text, vectors)
            found[text] = vectors
        return [found[text] for text in texts]


@dataclass(frozen=True)
class QuestionNetworks:
    """The networks as the questions of one salt are read with them; each is loaded at its first use."""

    encoders: Callable[[], TokenEncoder]
    writers: Callable[[], NgramWriter]
    known: QuestionVectors
    salt: str

    def pinned(self, question: str) -> QuestionNetworks | None:
        """The same with this question's vectors held fast; None where they are not known."""
        vectors = self.known.get(self.salt, question)
        if vectors is None:
            return None
        held = QuestionVectors()
        held.put(self.salt, question, vectors)
        return replace(self, known=held)

    @property
    def encoder(self) -> Encoder:
        """The token encoder, which remembers questions."""
        return RememberingEncoder(self.encoders(), self.known, self.salt)

    @property
    def ngram_writer(self) -> NgramWriter:
        """The language model that writes n-grams."""
        return self.writers()
