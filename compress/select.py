"""The selector: which words go first when room is short, whoever has scored them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from excerpta.types.compress import CompressMethod
from numpy.typing import NDArray

from compress.base import CountTokens, Floats, ScoredWords
from compress.budget import Ranked
from compress.percentile import percentile_rank
from compress.relevance import Relevance
from compress.structure.layout import layout_of
from compress.structure.protect import Protection
from compress.structure.units import units_of


def select(
    texts: Sequence[str],
    scored: Sequence[ScoredWords],
    relevance: Relevance | None,
    options: CompressMethod,
    count_tokens: CountTokens,
) -> list[Ranked]:
    """The words of the texts with the scores that decide, their units, and what is protected.

    A scorer's scores become ranks from 0 to 1, among the words of all texts or of each text alone. So the
    weights of the similarities mean the same for every method. Where similarities are known, words with a
    digit are the best of their sentence, no more: the numbers of passages that do not answer could take all
    the room. Without them, they go before the words of all texts.
    """
    spans = [words.spans for words in scored]
    tokens = _tokens(texts, scored, count_tokens)
    scores = _ranks(scored, tokens, each=options.threshold == "text")
    protection = Protection.of(options)
    marked = [protection.of_words(text, words.spans) for text, words in zip(texts, scored, strict=True)]
    if relevance is not None:
        scores = relevance.add(
            [np.where(marks.numbers, 1.0, score) for score, marks in zip(scores, marked, strict=True)],
            spans,
            text_weight=options.text_weight,
            sentence_weight=options.sentence_weight,
        )
    ranked = []
    for text, words, score, counts, marks in zip(texts, scored, scores, tokens, marked, strict=True):
        layout = layout_of(text, options.structure)
        units = units_of(words.spans, layout.wholes())
        protected = marks.named | marks.ends
        if relevance is None:
            protected |= marks.numbers
        ends = marks.ends & options.drop_consecutive
        ranked.append(Ranked(layout, words.spans, score, counts, units, protected, ends))
    return ranked


def texts_that_stay(scores: Floats, share: float) -> NDArray[np.bool_]:
    """LLMLingua-2's coarse step: which texts have a score in the upper `share` (0 to 1), ties kept."""
    if not len(scores):
        return np.zeros(0, dtype=bool)
    keep: NDArray[np.bool_] = scores >= np.percentile(scores, 100 * (1 - share))
    return keep


def _tokens(
    texts: Sequence[str], scored: Sequence[ScoredWords], count_tokens: CountTokens
) -> list[NDArray[np.int64]]:
    """The tokens of each word alone, one or more."""
    pieces = [
        text[start:end]
        for text, words in zip(texts, scored, strict=True)
        for start, end in words.spans.tolist()
    ]
    counts = np.maximum(np.array(count_tokens(pieces) if pieces else [], dtype=np.int64), 1)
    return np.split(counts, np.cumsum([len(words.scores) for words in scored])[:-1])


def _ranks(scored: Sequence[ScoredWords], tokens: Sequence[NDArray[np.int64]], *, each: bool) -> list[Floats]:
    if each:
        return [percentile_rank(words.scores, count) for words, count in zip(scored, tokens, strict=True)]
    together = percentile_rank(np.concatenate([words.scores for words in scored]), np.concatenate(tokens))
    return np.split(together, np.cumsum([len(words.scores) for words in scored])[:-1])
