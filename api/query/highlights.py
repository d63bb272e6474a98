"""Highlights: the words of a hit that match the question."""

from __future__ import annotations

from collections.abc import Iterator
from operator import itemgetter

from excerpta.types import Highlight

from api.query.candidates import Candidate
from api.query.evidence import question_terms
from base.text.terms import asked_terms, placed_terms
from retrieval.retrievers import SimilarPart

WORDS = "words"
SIMILAR = 0.5
"""The least cosine at which two tokens count as alike: the nearest tokens of a passage that does not answer
the question are almost never so near."""


def highlights_of(candidate: Candidate, query: str) -> list[Highlight]:
    """The question's words in the passage, in any of their forms and spellings, and the words like them.

    The latter come from retrievers that compare parts of the question with parts of the passage.
    """
    content = set(question_terms(query))
    asked, passage = asked_terms(query), candidate.passage
    words = [one for one in asked.words if one[0] in content]
    texts = {term: query[start:end] for term, start, end in reversed([*words, *asked.spellings])}
    spans, spellings = placed_terms(passage.text)
    found = _same(sorted([*spans, *spellings], key=itemgetter(1)), texts, passage.start)
    taken = {at for one in found for at in range(*one.at)}
    places = [(start, end) for _, start, end in spans]
    alike: dict[tuple[int, int], Highlight] = {}
    for one in _alike(candidate, query, words, places):
        if not taken.intersection(range(*one.at)) and _closer(one, alike.get(one.at)):
            alike[one.at] = one
    return sorted([*found, *_apart(alike)], key=lambda one: one.start)


def _same(spans: list[tuple[str, int, int]], asked: dict[str, str], base: int) -> list[Highlight]:
    """The words with a term of the question; characters that overlap are one span (as in Chinese)."""
    merged: list[tuple[int, int, str]] = []
    for term, start, end in spans:
        if term not in asked:
            continue
        if merged and start < merged[-1][1]:
            first, last, _ = merged[-1]
            longest = max(merged[-1][2], asked[term], key=len)
            merged[-1] = first, max(last, end), longest
        else:
            merged.append((start, end, asked[term]))
    return [
        Highlight(start=base + start, end=base + end, at=(start, end), by=WORDS, query=word)
        for start, end, word in merged
    ]


def _alike(
    candidate: Candidate, query: str, words: list[tuple[str, int, int]], places: list[tuple[int, int]]
) -> Iterator[Highlight]:
    """Whole words for the parts of words that a retriever found alike."""
    found, base = candidate.found, candidate.passage.start
    for name, read in found.reads.items():
        for match in found.source.snapshot.explain(name, read, found.evidence.get(name), candidate.number):
            if not isinstance(match, SimilarPart) or match.similarity < SIMILAR:
                continue
            word = _around([(start, end) for _, start, end in words], *match.query)
            place = _around(places, match.start - base, match.end - base)
            if word is not None and place is not None:
                yield Highlight(
                    start=base + place[0],
                    end=base + place[1],
                    at=place,
                    by=name,
                    query=query[slice(*word)],
                    similarity=round(match.similarity, 4),
                )


def _around(spans: list[tuple[int, int]], start: int, end: int) -> tuple[int, int] | None:
    """The span that has the characters in it."""
    return next((one for one in spans if one[0] <= start and end <= one[1]), None)


def _closer(one: Highlight, other: Highlight | None) -> bool:
    return other is None or (one.similarity or 0.0) > (other.similarity or 0.0)


def _apart(alike: dict[tuple[int, int], Highlight]) -> Iterator[Highlight]:
    """Those that overlap none before them."""
    last = -1
    for (start, end), one in sorted(alike.items()):
        if start >= last:
            last = end
            yield one
