"""What the search knows of a text's relevance, as a part of every word's score.

The search has compared the tokens of the question with those of each passage. A sentence's similarity to
the question is the mean, over the question's tokens, of the cosine to its nearest token in the sentence
(MaxSim: Khattab and Zaharia 2020, arXiv 2004.12832, equation 3). A text's is the same over all its tokens.
Neither costs a call of a model where an index lends the vectors.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from base.text.sentences import sentences
from base.text.words import Spans
from compress.base import Floats, TokenSimilarities


@dataclass(frozen=True, slots=True)
class Relevance:
    """The similarity of each text (t,), and of each text's sentences: starts (s,) and values (s,)."""

    texts: Floats
    starts: tuple[Floats, ...]
    sentences: tuple[Floats, ...]

    @classmethod
    def of(cls, texts: Sequence[str], found: Sequence[TokenSimilarities]) -> Relevance:
        """Compares the question with the texts and with their sentences."""
        parts = [_sentences(text, one) for text, one in zip(texts, found, strict=True)]
        whole = [float(one.values.max(axis=1).mean()) if one.values.size else 0.0 for one in found]
        return cls(
            np.array(whole), tuple(starts for starts, _ in parts), tuple(values for _, values in parts)
        )

    def add(
        self, scores: Sequence[Floats], spans: Sequence[Spans], *, text_weight: float, sentence_weight: float
    ) -> list[Floats]:
        """The words' scores with the similarities of their text and sentence, each below that of the best."""
        best_text = self.texts.max(initial=0.0)
        best_sentence = max((values.max(initial=0.0) for values in self.sentences), default=0.0)
        return [
            score
            + text_weight * (whole - best_text)
            + sentence_weight * (of_words(span, starts, values) - best_sentence)
            for score, span, whole, starts, values in zip(
                scores, spans, self.texts.tolist(), self.starts, self.sentences, strict=True
            )
        ]


def of_words(spans: Spans, starts: Floats, values: Floats) -> Floats:
    """For each word (n, 2) the value of the sentence that it begins in; 0 without sentences."""
    if not len(starts):
        return np.zeros(len(spans))
    found: Floats = values[np.maximum(np.searchsorted(starts, spans[:, 0], side="right") - 1, 0)]
    return found


def _sentences(text: str, found: TokenSimilarities) -> tuple[Floats, Floats]:
    """Where the sentences of a text begin, and their similarities; 0 where a sentence has no token.

    A token counts for the sentence that it begins in.
    """
    starts = np.array([one.start for one in sentences(text)], dtype=np.float64)
    values = np.zeros(len(starts))
    if not len(starts) or not found.values.size:
        return starts, values
    owners = np.maximum(np.searchsorted(starts, found.offsets[:, 0], side="right") - 1, 0)
    order = np.argsort(owners, kind="stable")
    present, first = np.unique(owners[order], return_index=True)
    values[present] = np.maximum.reduceat(found.values[:, order], first, axis=1).mean(axis=0)
    return starts, values
