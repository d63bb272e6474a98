"""Compressors by name, and the rule behind `auto`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from compress.base import Compressed, Compressor
from compress.errors import UnknownCompressor
from compress.methods.lexical import LexicalCompressor
from compress.methods.token_classifier import Classifier, TokenClassifierCompressor

METHODS = ("auto", "token-classifier", "lexical")


class Tokenizer(Protocol):
    """The interface of the language model that the texts are shortened for."""

    def tokenize(self, texts: Sequence[str]) -> Sequence[Any]:
        """Each text's tokens, with their `ids`."""
        ...


class HasRoles(Protocol):
    """The interface of a profile."""

    @property
    def token_classifier(self) -> object | None:
        """The classifier's specification, None if the profile has none."""
        ...


class HasNetworks(Protocol):
    """The interface of `models.registry.Models`. Each network is loaded at its first use."""

    @property
    def profile(self) -> HasRoles:
        """The profile: what could be loaded."""
        ...

    @property
    def lm(self) -> Tokenizer:
        """The profile's language model."""
        ...

    @property
    def token_classifier(self) -> Classifier:
        """The profile's token classifier."""
        ...


class AutoCompressor:
    """Takes the better of two compressors for each call; `prefers_lexical` is the rule."""

    name = "auto"

    def __init__(self, lexical: Compressor, make_token_classifier: Callable[[], Compressor] | None) -> None:
        self._lexical = lexical
        self._make_token_classifier = make_token_classifier

    def compress(self, query: str, texts: Sequence[str], *, target_tokens: int) -> list[Compressed]:
        """Keeps the best of all texts; `sum(tokens_after) <= target_tokens`."""
        compressor = self._lexical
        if self._make_token_classifier is not None and not prefers_lexical(query):
            compressor = self._make_token_classifier()
        return compressor.compress(query, texts, target_tokens=target_tokens)


def prefers_lexical(query: str) -> bool:
    """Whether `auto` goes by the question's words: whenever there is a question.

    Share of 60 questions (squad2-dev, eval half, five passages of one article each) whose answer survives at
    33% and 50% of the tokens: lexical .93 and .98, the trained classifier .43 and .60, random words .25 and
    .35 (`python -m benchmarks.compress --data DATA/squad2-dev`). SQuAD's questions share words with their
    passages, which helps the lexical one; the gap is wide enough to bear that.
    """
    return bool(query.strip())


def make_compressor(method: str, models: HasNetworks) -> Compressor:
    """The compressor called `method`; tokens are counted by the profile's language model."""

    def count_tokens(texts: Sequence[str]) -> list[int]:
        return [len(tokens.ids) for tokens in models.lm.tokenize(texts)]

    def make_token_classifier() -> Compressor:
        return TokenClassifierCompressor(models.token_classifier, count_tokens)

    if method == "token-classifier":
        return make_token_classifier()
    if method == "lexical":
        return LexicalCompressor(count_tokens)
    if method == "auto":
        trained = models.profile.token_classifier is not None
        return AutoCompressor(LexicalCompressor(count_tokens), make_token_classifier if trained else None)
    raise UnknownCompressor(method, METHODS)
