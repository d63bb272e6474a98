"""Which sentences of the passages carry a sentence of the answer.

Judged by words, not by asking a model: the share of the sentence's content words, weighted by how rare
they are in the passages, that a quote of one or two sentences has too. Whatever a reader would check
first must be there in any case: numbers, names and a negation.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import Stemmer

from context.sentences import split_sentences

THRESHOLD = 0.55
"""The least share of a sentence's weight that its quote must have."""

_SECOND_QUOTE = 0.3
"""The least share that a second quote must have, which brings a number or name that the first lacks."""

_LONGER_QUOTE = 0.08
"""How much more a quote of two sentences must carry than a quote of one."""

_WORD = re.compile(r"\d+(?:[.,:/-]\d+)*%?|[^\W\d]\w*(?:[.’'-]\w+)*")
_NUMBER = re.compile(r"\d")
_WIDE = re.compile(r"[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_NEGATED_WORDS = 3
"""How many words after a negation are read as negated."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_NEGATIONS = _words("not no never none nor cannot without neither nothing")
_COMMON = _words(
    "a about above according after all also although an and any are as at be because been before "
    "being below between both but by can could did do does doing during each either else etc even "
    "few for from further had has have having he her here hers him his how however i if in into is "
    "it its itself just may me might more most must my of off on once one only or other our out over "
    "own per same shall she should since so some such than that the their theirs them then there "
    "therefore these they this those though through thus to too under until up upon us very was we "
    "were what when where whether which while who whom whose why will with within would yes yet you "
    "your additionally furthermore moreover finally instead document documents passage passages text "
    "provided based answer question states stated mentions says context"
)


@dataclass(frozen=True, slots=True)
class Quote:
    """Characters `start` to `end` of `passages[passage]`."""

    passage: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class _Said:
    """Content words of a text, and those of them that stand right behind a negation."""

    terms: frozenset[str]
    negated: frozenset[str]

    def __or__(self, other: _Said) -> _Said:
        return _Said(self.terms | other.terms, self.negated | other.negated)


@dataclass(frozen=True, slots=True)
class _Claim:
    """What a sentence says, and what of it its quotes must have; numbers in the text itself."""

    said: _Said
    names: frozenset[str]
    numbers: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Window:
    """One or two neighbouring sentences of a passage; `known` has the words of its title too."""

    quote: Quote
    sentences: int
    said: _Said
    known: frozenset[str]


class Support:
    """The sentences of the given passages, ready to be searched for what carries a claim.

    `titles` belong to the passages, in order. Names that the `question` brought up need no proof, and
    of two equal quotes the one that has more of the question is taken. Not for use from several threads.
    """

    def __init__(self, passages: Sequence[str], *, titles: Sequence[str] = (), question: str = "") -> None:
        self._stem = Stemmer.Stemmer("english").stemWord
        sentences = [split_sentences(text) for text in passages]
        known = [self._read(title).terms for title in [*titles, *[""] * len(passages)][: len(passages)]]
        self._question = self._read(question).terms
        self._windows: list[_Window] = []
        counts: Counter[str] = Counter()
        self._names: set[str] = set()
        for number, (text, spans) in enumerate(zip(passages, sentences, strict=True)):
            said = [self._read(text[start:end]) for start, end in spans]
            for at, (start, end) in enumerate(spans):
                counts.update(said[at].terms)
                self._names |= self._capitalised(text[start:end])
                for more in range(min(2, len(spans) - at)):
                    quote = Quote(number, start, spans[at + more][1])
                    both = said[at] | said[at + more]
                    self._windows.append(_Window(quote, more + 1, both, both.terms | known[number]))
        self._total = sum(map(len, sentences))
        self._counts = counts

    def quotes(self, sentence: str) -> tuple[Quote, ...]:
        """The one or two quotes that carry a sentence, the better first; none if it is not supported."""
        claim = self._claim(sentence)
        weight = sum(map(self._weight, claim.said.terms))
        if not weight:
            return ()
        ranked = sorted(
            (
                (self._share(claim, window, weight), window)
                for window in self._windows
                if _agree(claim.said, window.said)
            ),
            key=lambda pair: (-pair[0], -len(pair[1].known & self._question), *_place(pair[1])),
        )
        passing = [(share, window) for share, window in ranked if share >= THRESHOLD]
        for _, window in passing:
            if _proves(claim, [window]):
                return (window.quote,)
        if passing:
            first = passing[0][1]
            for share, window in ranked:
                if share < _SECOND_QUOTE:
                    break
                if window.quote.passage != first.quote.passage and _proves(claim, [first, window]):
                    return (first.quote, window.quote)
        return ()

    def _share(self, claim: _Claim, window: _Window, weight: float) -> float:
        carried = sum(map(self._weight, claim.said.terms & window.known)) / weight
        return round(carried - _LONGER_QUOTE * (window.sentences - 1), 9)

    def _weight(self, term: str) -> float:
        """The rarer in the passages, the more it says; a word they lack altogether says most."""
        return math.log1p(self._total / (self._counts[term] or 0.5)) if self._total else 1.0

    def _claim(self, sentence: str) -> _Claim:
        said = self._read(sentence)
        numbers = frozenset(term for term in said.terms if _NUMBER.match(term))
        names = self._capitalised(sentence) | self._opening_name(sentence)
        return _Claim(said, frozenset(names & said.terms) - self._question - numbers, numbers)

    def _read(self, text: str) -> _Said:
        terms: set[str] = set()
        negated: set[str] = set()
        reach = 0
        for word in _WORD.findall(text):
            if word.casefold() in _NEGATIONS or word.casefold().replace("’", "'").endswith("n't"):
                reach = _NEGATED_WORDS
                continue
            found = self._term(word)
            terms.update(found)
            if reach:
                negated.update(found)
                reach -= 1
        return _Said(frozenset(terms), frozenset(negated))

    def _term(self, word: str) -> list[str]:
        folded = word.casefold().replace("’", "'")
        if _NUMBER.match(folded):
            return [folded.replace(",", "")]
        if _WIDE.search(folded):  # written without spaces: pairs of characters stand for words
            return [folded[at : at + 2] for at in range(max(1, len(folded) - 1))]
        folded = folded.removesuffix("'s")
        return [] if folded in _COMMON or len(folded) < 2 else [self._stem(folded)]

    def _capitalised(self, sentence: str) -> set[str]:
        """Names inside a sentence: words with a capital, a digit, an underscore or a dot in them."""
        names: set[str] = set()
        for at, found in enumerate(_WORD.finditer(sentence)):
            word = found[0]
            if (at and word[0].isupper()) or any(c.isupper() or c in "_." or c.isdigit() for c in word[1:]):
                names.update(self._term(word))
        return names

    def _opening_name(self, sentence: str) -> set[str]:
        """The first word, whose capital says nothing, if the passages have it as a name or not at all."""
        first = _WORD.search(sentence)
        if first is None or not first[0][0].isupper() or first[0].endswith("ly"):
            return set()
        return {term for term in self._term(first[0]) if term in self._names or not self._counts[term]}


def _agree(claim: _Said, quote: _Said) -> bool:
    """False where one denies what the other says."""
    if claim.negated and not claim.negated & quote.negated:
        return False
    return not (claim.terms - claim.negated) & quote.negated


def _proves(claim: _Claim, windows: Sequence[_Window]) -> bool:
    known = frozenset[str]().union(*(window.known for window in windows))
    said = frozenset[str]().union(*(window.said.terms for window in windows))
    return claim.names <= known and claim.numbers <= said


def _place(window: _Window) -> tuple[int, int, int]:
    return window.sentences, window.quote.passage, window.quote.start
