"""Counts tokens as the language model that reads the shortened texts does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from compress.base import CountTokens


class Tokenizer(Protocol):
    """The interface of a language model."""

    def tokenize(self, texts: Sequence[str]) -> Sequence[Any]:
        """Each text's tokens, with their `ids`."""
        ...


class HasLanguageModel(Protocol):
    """The interface of `models.registry.Models`. The model is loaded at its first use."""

    @property
    def lm(self) -> Tokenizer:
        """The profile's language model."""
        ...


def counter(networks: HasLanguageModel) -> CountTokens:
    """Counts the tokens of texts by the profile's language model."""
    return lambda texts: [len(tokens.ids) for tokens in networks.lm.tokenize(texts)]
