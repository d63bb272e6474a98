"""How well written n-grams find held-out passages: MRR and hits, without and with the question's own."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from models.networks.ngram_writer import NgramWriter
from retrieval.ngrams import LanguageVocabulary, NgramIndex, search_ngrams
from training.data.lists import Asked, ListSet

_DEEPEST = 100


@dataclass(frozen=True, slots=True)
class NgramScores:
    """`mrr` and the share of `questions` with a right passage among the first 5 and 20."""

    mrr: float
    hits_5: float
    hits_20: float
    questions: int

    @classmethod
    def of(cls, places: Sequence[int | None]) -> NgramScores:
        """From the place (from 0) of each question's first right passage; None where none was found.

        >>> NgramScores.of([0, 9, None, None])
        NgramScores(mrr=0.275, hits_5=0.25, hits_20=0.5, questions=4)
        """
        found = [place for place in places if place is not None]
        return cls(
            sum(1 / (place + 1) for place in found) / len(places),
            sum(place < 5 for place in found) / len(places),
            sum(place < 20 for place in found) / len(places),
            len(places),
        )


def measure(
    writer: NgramWriter, data: ListSet, *, questions: int, query_keys: bool, beams: int = 15, seed: int = 0
) -> NgramScores:
    """Searches the set's passages for a sample of its questions.

    Right are the passage that answers, others of its document, and those that say the answer as well.
    """
    asked = random.Random(seed).sample(data.asked, min(questions, len(data.asked)))
    with _indexed(writer, data) as (vocabulary, index):
        places = [_place(writer, vocabulary, index, one, query_keys, beams) for one in asked]
    return NgramScores.of(places)


def _place(
    writer: NgramWriter,
    vocabulary: LanguageVocabulary,
    index: NgramIndex,
    asked: Asked,
    query_keys: bool,
    beams: int,
) -> int | None:
    found = search_ngrams(
        writer.lm,
        vocabulary,
        [index],
        [0],
        asked.question,
        limit=_DEEPEST,
        beams=beams,
        query_keys=query_keys,
        examples=writer.examples,
    )
    right = {asked.right, *asked.barred}
    return next((at for at, number in enumerate(found.hits.numbers.tolist()) if number in right), None)


@contextmanager
def _indexed(writer: NgramWriter, data: ListSet) -> Iterator[tuple[LanguageVocabulary, NgramIndex]]:
    vocabulary = LanguageVocabulary(writer.lm)
    with tempfile.TemporaryDirectory() as directory:
        NgramIndex.build(Path(directory), vocabulary.tokenize(data.passages), vocabulary_size=vocabulary.size)
        yield vocabulary, NgramIndex.open(Path(directory))
