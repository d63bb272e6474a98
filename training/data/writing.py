"""What a writer of n-grams learns from: questions and sentences, each with spans of the right passage."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from base.text.sentences import sentences
from models.networks.language_model import LanguageModel
from retrieval.ngrams import LanguageVocabulary
from retrieval.ngrams.words import openers
from retrieval.types import Bits, Int32, Tokens
from training.data.lists import ListSet
from training.data.orders import endless
from training.data.spans import SpanChooser
from training.errors import InvalidTrainingData

_MOST_FRUITLESS = 1000
_SHORTEST_SENTENCE = 20
"""Characters of a sentence that stands for a question."""


@dataclass(frozen=True, slots=True)
class Written:
    """A question, or a sentence in its place, and the token ids of what should be written after it."""

    question: str
    spans: tuple[list[int], ...]


class WritingSet:
    """The passages and questions of one set, tokenised as n-gram indexes are."""

    def __init__(self, data: ListSet, lm: LanguageModel, *, spans: int, length: int) -> None:
        self.data = data
        self._spans, self._length = spans, length
        self._vocabulary = LanguageVocabulary(lm)
        self._passages = self._vocabulary.tokenize(data.passages)
        frequency = np.zeros(lm.vocabulary_size, np.int64)
        for tokens in self._passages:
            frequency[np.unique(tokens.ids)] += 1
        self._chooser = SpanChooser(openers(lm), kinds(lm), frequency, len(self._passages))

    def asked(self, number: int, rng: random.Random) -> Written:
        """A question of the set, with spans of the passage that answers it."""
        one = self.data.asked[number]
        text, tokens = self.data.passages[one.right].lower(), self._passages[one.right]
        answer = np.zeros(len(tokens.ids), np.bool_)
        for said in one.answers:
            answer |= _within(tokens, text.find(said), len(said))
        return self._written(one.question, tokens, answer, np.zeros_like(answer), rng)

    def sentence(self, rng: random.Random) -> Written | None:
        """A sentence of a random passage, with spans of its other sentences; None where it has no other."""
        at = rng.randrange(len(self._passages))
        text, tokens = self.data.passages[at], self._passages[at]
        found = [one for one in sentences(text) if one.end - one.start >= _SHORTEST_SENTENCE]
        if len(found) < 2:
            return None
        one = rng.choice(found)
        inside = _within(tokens, one.start, one.end - one.start)
        return self._written(text[one.start : one.end], tokens, np.zeros_like(inside), inside, rng)

    def _written(
        self, question: str, tokens: Tokens, answer: Bits, left_out: Bits, rng: random.Random
    ) -> Written:
        spans = self._chooser.choose(
            tokens.ids,
            self._vocabulary.tokenize([question])[0].ids,
            answer=answer,
            left_out=left_out,
            count=self._spans,
            length=self._length,
            rng=rng,
        )
        return Written(" ".join(question.split()), tuple(spans))


def kinds(lm: LanguageModel) -> Int32:
    """One number (V,) for all tokens that differ in capitals alone."""
    pieces = lm.tokenizer.convert_ids_to_tokens(list(range(len(lm.tokenizer))))
    first: dict[str, int] = {}
    found = np.arange(lm.vocabulary_size, dtype=np.int32)
    for token, piece in enumerate(pieces[: lm.vocabulary_size]):
        if piece is not None:
            found[token] = first.setdefault(piece.lower(), token)
    return found


def batches(
    sets: Sequence[WritingSet], *, size: int, sentences: float, rng: random.Random
) -> Iterator[list[Written]]:
    """Endless batches: sets take turns by the root of their size, each in random order of its questions.

    Raises InvalidTrainingData for passages without anything to write.
    """
    turns = [len(one.data.asked) ** 0.5 for one in sets]
    orders = [endless(len(one.data.asked), rng) for one in sets]
    batch: list[Written] = []
    fruitless = 0
    while True:
        at = rng.choices(range(len(sets)), turns)[0]
        by_sentence = rng.random() < sentences
        one = sets[at].sentence(rng) if by_sentence else sets[at].asked(next(orders[at]), rng)
        if one is not None and one.spans:
            batch.append(one)
            fruitless = 0
        elif (fruitless := fruitless + 1) == _MOST_FRUITLESS:
            raise InvalidTrainingData(
                sets[at].data.name, "its passages have no words that may open an n-gram"
            )
        if len(batch) == size:
            yield batch
            batch = []


def _within(tokens: Tokens, start: int, length: int) -> Bits:
    """Which tokens (n,) have characters of a place in the text; none where it begins before the text."""
    inside: Bits = (tokens.offsets[:, 0] < start + length) & (tokens.offsets[:, 1] > start)
    return inside if start >= 0 else np.zeros_like(inside)
