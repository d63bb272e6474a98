"""Generative retrieval: a language model writes n-grams of the passages that answer a question."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from base.text.folding import fold
from base.text.variants import variants
from models.networks.language_model import LanguageModel
from retrieval.errors import IndexMismatch
from retrieval.ngrams.beam import generate
from retrieval.ngrams.corpus import NgramCorpus
from retrieval.ngrams.errors import InvalidNgramOption
from retrieval.ngrams.index import NgramIndex
from retrieval.ngrams.prompt import read_question, writer
from retrieval.ngrams.question import question_ngrams
from retrieval.ngrams.ranking import RankedPassage, rank_passages
from retrieval.ngrams.words import phrases
from retrieval.types import Bits, Hits, Passage, Vocabulary

QUERY_PROBABILITY = 0.05
"""How probable a phrase of the question is in a passage that answers it.

An untrained model writes passages that hardly repeat the question: its own probabilities of these
phrases rank clearly worse than one constant for all.
"""
_MOST_CHARACTERS = 1000
_MOST_KEY_TOKENS = 32


@dataclass(frozen=True, slots=True)
class NgramMatch:
    """An n-gram found in a passage: its text, what it adds to the score, and its characters, half-open.

    `start` and `end` are -1 where the n-gram lies outside the citable text.
    """

    text: str
    weight: float
    start: int
    end: int

    def row(self, query: str, passage: Passage) -> tuple[str, float, int, int]:
        """The n-gram, its weight and its characters."""
        return self.text, round(self.weight, 4), self.start, self.end


@dataclass(frozen=True, slots=True)
class NgramHits:
    """Passages with the n-grams that found them."""

    hits: Hits
    _matches: Mapping[int, tuple[NgramMatch, ...]] = field(default_factory=dict)

    def matches(self, number: int) -> list[NgramMatch]:
        """The n-grams of a hit, heaviest first; their weights add up to its score. Empty for others."""
        return list(self._matches.get(number, ()))


def search_ngrams(
    lm: LanguageModel,
    vocabulary: Vocabulary,
    indexes: Sequence[NgramIndex],
    bases: Sequence[int],
    query: str,
    *,
    limit: int,
    beams: int = 15,
    length: int = 10,
    query_keys: bool = True,
    examples: bool = True,
    allowed: Sequence[Bits | None] | None = None,
) -> NgramHits:
    """The `limit` passages whose n-grams best match those that the model generates.

    The model writes up to `beams` n-grams of `length` tokens that occur in an allowed passage.
    `query_keys` adds the question's runs of one to three words, and its identifiers and numbers as they may
    be written otherwise, all equally probable; with `beams` = 0 there are only these, and no model call.
    `examples` are in the prompt unless the model was trained to write n-grams.
    `bases` and `allowed` have one entry a segment: the number of its first passage, and a bit a passage.
    Only the first 1,000 characters of the query are read. A collection of a few hundred tokens finds
    little: counts are smoothed, so every n-gram is frequent there and weighs little.

    Raises InvalidNgramOption, IndexMismatch for an index of another vocabulary, and InputTooLong when
    `length` does not fit the model. SEAL, Bevilacqua
    et al. 2022.
    """
    _check(limit, beams, length)
    for index in indexes:
        if index.vocabulary_size != vocabulary.size:
            raise IndexMismatch("vocabulary size", str(index.vocabulary_size), str(vocabulary.size))
    corpus = NgramCorpus(indexes, bases, allowed)
    question = " ".join(fold(query).split())[:_MOST_CHARACTERS]
    if limit == 0 or not question or not corpus.exists(corpus.root):
        return _as_hits(lm, corpus, [])
    keys = _query_keys(vocabulary, question) if query_keys else []
    ngrams = question_ngrams(corpus, keys, QUERY_PROBABILITY)
    if beams > 0:
        tree = read_question(lm, question, most_depth=length, examples=examples)
        openers = writer(lm, examples=examples).openers
        ngrams += generate(tree, corpus, beams=beams, length=length, openers=openers)
    return _as_hits(lm, corpus, rank_passages(corpus, ngrams, limit=limit))


def _query_keys(vocabulary: Vocabulary, question: str) -> list[tuple[int, ...]]:
    """Token ids of the question's phrases and of its identifiers' variants, written as in a passage."""
    written = [*phrases(question), *variants(question)]
    keys = [tuple(tokens.ids.tolist()) for tokens in vocabulary.tokenize(written)]
    return [ids for ids in keys if len(ids) <= _MOST_KEY_TOKENS]


def _check(limit: int, beams: int, length: int) -> None:
    for option, value, least in (("limit", limit, 0), ("beams", beams, 0), ("length", length, 1)):
        if value < least:
            raise InvalidNgramOption(option, value, f"at least {least}")


def _as_hits(lm: LanguageModel, corpus: NgramCorpus, ranked: Sequence[RankedPassage]) -> NgramHits:
    hits = Hits(
        np.array([passage.number for passage in ranked], np.int64),
        np.array([passage.score for passage in ranked], np.float32),
    )
    written = {placed.key.ids for passage in ranked for placed in passage.placed}
    texts = {ids: lm.decode(ids).strip() for ids in written}
    matches = {
        passage.number: tuple(
            NgramMatch(
                texts[placed.key.ids],
                placed.weight,
                *corpus.span(passage.number, placed.at, len(placed.key.ids)),
            )
            for placed in sorted(passage.placed, key=lambda placed: -placed.weight)
        )
        for passage in ranked
    }
    return NgramHits(hits, matches)
