"""Texts to token vectors, as XTR and ColBERT do: one unit vector a token, none for special tokens."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from models import HiddenStates, TextNetwork
from models.errors import InputTooLong
from retrieval.errors import InvalidVectors
from retrieval.types import Tokens, TokenVectors

_LEAST_NORM = 1e-6


class TokenEncoder:
    """Encodes passages and queries with one network; the two differ in the marker the network reads first."""

    def __init__(self, network: TextNetwork) -> None:
        self._network = network
        self.dim = network.hidden_size
        self.max_tokens = network.max_tokens
        self.fingerprint = f"{network.fingerprint}/unit"

    def tokenize(self, texts: Sequence[str]) -> list[Tokens]:
        """Token ids and character offsets of each text, without special tokens, not truncated."""
        return [Tokens(text.ids, text.offsets) for text in self._network.tokenize(texts)]

    def encode_passages(self, texts: Sequence[str]) -> list[TokenVectors]:
        """Vectors (n, dim) of each text's tokens; tokens over `max_tokens` have none.

        Raises InvalidVectors when the network gives a vector that is not finite, or zero.
        """
        return [_unit(states) for states in self._network.hidden_states(texts, role="passage")]

    def encode_queries(self, texts: Sequence[str]) -> list[TokenVectors]:
        """Vectors (n, dim) of each query's tokens. Raises InputTooLong rather than cut a question."""
        states = self._network.hidden_states(texts, role="query")
        for state in states:
            if state.truncated:
                raise InputTooLong("the query", len(state) + state.truncated, self.max_tokens)
        return [_unit(state) for state in states]


def _unit(states: HiddenStates) -> TokenVectors:
    norms = np.linalg.norm(states.vectors, axis=1, keepdims=True)
    if not np.isfinite(norms).all() or (norms < _LEAST_NORM).any():
        raise InvalidVectors(
            "the encoder gave a vector that is zero or not finite; try it with dtype float32"
        )
    return TokenVectors((states.vectors / norms).astype(np.float32), states.ids, states.offsets)
