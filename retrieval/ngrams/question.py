"""The question's own words as n-grams."""

from __future__ import annotations

import math
from collections.abc import Sequence

from retrieval.ngrams.beam import Ngram
from retrieval.ngrams.corpus import NgramCorpus


def question_ngrams(
    corpus: NgramCorpus, sequences: Sequence[tuple[int, ...]], probability: float
) -> list[Ngram]:
    """The token sequences that occur in an allowed passage, as n-grams; each once, in order.

    Each has the same `probability` of being in a passage that answers.
    """
    found = {ids: corpus.find(ids) for ids in dict.fromkeys(sequences) if ids}
    return [Ngram(ids, math.log(probability), rows) for ids, rows in found.items() if corpus.exists(rows)]
