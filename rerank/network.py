"""What reranking needs of a causal language model; `models.networks.language_model.LanguageModel` has it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from models.errors import UnsupportedModel
from models.executor import breathe

_TEXTS_AT_ONCE = 32


class OffsetTokens(Protocol):
    """One text's token ids (n,) and their character offsets (n, 2)."""

    @property
    def ids(self) -> NDArray[np.integer[Any]]:
        """Token ids (n,)."""
        ...

    @property
    def offsets(self) -> NDArray[np.integer[Any]]:
        """Character offsets (n, 2), half-open."""
        ...


class Named(Protocol):
    """A network with a name."""

    @property
    def name(self) -> str:
        """The model's name, for messages."""
        ...


class LetterNetwork(Named, Protocol):
    """A causal language model that gives logits of single tokens."""

    @property
    def max_positions(self) -> int:
        """How many tokens it can read."""
        ...

    def encode(self, text: str) -> list[int]:
        """Ids of `text` without special tokens."""
        ...

    def tokenize(self, texts: Sequence[str]) -> Sequence[OffsetTokens]:
        """Ids and offsets of each text, without special tokens."""
        ...

    def chat(self, messages: Sequence[Mapping[str, str]], *, assistant_prefix: str = "") -> list[int]:
        """Ids of the chat, the answer opened with `assistant_prefix`."""
        ...

    def next_logits(self, prompt: Sequence[int], token_ids: Sequence[int]) -> NDArray[np.float64]:
        """Logits (len(token_ids),) of the next token, by one forward pass."""
        ...

    def branch_logits(
        self, prefix: Sequence[int], branches: Sequence[Sequence[int]], token_ids: Sequence[int]
    ) -> NDArray[np.float64]:
        """Logits (len(branches), len(token_ids)) after each branch of `prefix`, which is read once."""
        ...


class CausalNetwork(LetterNetwork, Protocol):
    """One that gives likelihoods of texts as well."""

    def log_likelihoods(
        self, prompts: Sequence[Sequence[int]], continuations: Sequence[Sequence[int]]
    ) -> Sequence[NDArray[np.float64]]:
        """Log-probability of each token of each continuation after its prompt."""
        ...


def cut_to_tokens(lm: LetterNetwork, texts: Sequence[str], limit: int) -> list[str]:
    """Each text up to the end of its token number `limit`."""
    cut: list[str] = []
    for start in range(0, len(texts), _TEXTS_AT_ONCE):
        breathe()
        some = texts[start : start + _TEXTS_AT_ONCE]
        for text, tokens in zip(some, lm.tokenize(some), strict=True):
            end = int(tokens.offsets[limit - 1][1]) if 0 < limit < len(tokens.ids) else 0
            cut.append(text if len(tokens.ids) <= limit else text[:end])
    return cut


def require_finite(network: Named, scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """The scores, unchanged. Raises if one is NaN or infinite: such scores must not decide an order."""
    if not np.isfinite(scores).all():
        raise UnsupportedModel(network.name, "it gave scores that are not finite. Load it in float32.")
    return scores
