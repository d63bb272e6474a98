"""Texts to token vectors, as XTR and ColBERT do: one unit vector for each token that the model counts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from base.errors import InputTooLong
from retrieval.tokens.vectors import unit
from retrieval.tokens.windows import Window, windows
from retrieval.types import Tokens, TokenVectors

if TYPE_CHECKING:
    from models import HiddenStates, TextNetwork

_OVERLAP = 32


class TokenEncoder:
    """Encodes passages and queries with one network; the two differ in the marker the network reads first.

    A passage longer than the network reads is encoded in overlapping windows, so that no token goes
    without a vector; a query is never cut.
    """

    def __init__(self, network: TextNetwork) -> None:
        self._network = network
        self._overlap = min(_OVERLAP, network.max_tokens // 4)
        self.dim = network.hidden_size
        self.max_tokens = network.max_tokens
        # The network's own fingerprint does not say how long texts are cut.
        self.fingerprint = f"{network.fingerprint}/unit/windows-{self.max_tokens}-{self._overlap}"

    def tokenize(self, texts: Sequence[str]) -> list[Tokens]:
        """Token ids and character offsets of each text, without special tokens, not truncated."""
        return [Tokens(text.ids, text.offsets) for text in self._network.tokenize(texts)]

    def encode_passages(self, texts: Sequence[str]) -> list[TokenVectors]:
        """Vectors (n, dim) of all tokens of each text. Raises InvalidVectors if one is zero or not finite."""
        states = self._network.hidden_states(texts, role="passage")
        return [
            self._encode_long(text) if state.truncated else _unit(state)
            for text, state in zip(texts, states, strict=True)
        ]

    def encode_queries(self, texts: Sequence[str]) -> list[TokenVectors]:
        """Vectors (n, dim) of each query's tokens. Raises InputTooLong rather than cut a question."""
        read = self._network.hidden_states(texts, role="query")
        for states, text in zip(read, texts, strict=True):
            if states.truncated:
                (tokens,) = self._network.tokenize([text])
                raise InputTooLong("the query", len(tokens), self.max_tokens)
        return [_unit(states) for states in read]

    def _encode_long(self, text: str) -> TokenVectors:
        (tokens,) = self._network.tokenize([text])
        pieces = windows(tokens.offsets, self.max_tokens, self._overlap)
        states = self._network.hidden_states(
            [text[piece.start : piece.end] for piece in pieces], role="passage"
        )
        kept = [_kept(_unit(state), piece) for state, piece in zip(states, pieces, strict=True)]
        return TokenVectors(
            np.concatenate([part.vectors for part in kept]),
            np.concatenate([part.ids for part in kept]),
            np.concatenate([part.offsets for part in kept]),
        )


def _unit(states: HiddenStates) -> TokenVectors:
    return TokenVectors(unit(states.vectors), states.ids, states.offsets)


def _kept(encoded: TokenVectors, window: Window) -> TokenVectors:
    """The tokens that count in this window, with offsets into the whole text."""
    own = (
        encoded.offsets[:, 0] >= 0
    )  # special tokens have no place in the text; those of the first window count
    offsets = np.where(own[:, None], encoded.offsets + np.int32(window.start), np.int32(-1))
    inside = (offsets[:, 0] >= window.keep_from) & (offsets[:, 0] < window.keep_to)
    counts = np.where(own, inside, window.start == 0)
    return TokenVectors(encoded.vectors[counts], encoded.ids[counts], offsets[counts])
