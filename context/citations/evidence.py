"""Finds the sentences of the passages that support a sentence of the answer.

The measure is words, not a model: the share of the sentence's content words, weighted by how rare they are
in the passages, that a quote of one or two sentences also has. Numbers, names and a negation must match in
any case, because readers check them first.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice, pairwise

from base.text.sentences import sentences
from base.text.stems import stem
from base.text.stop_words import english
from base.text.words import facts
from context.citations.plain import identifier, joined, plain, plain_number, says_fall

THRESHOLD = 0.62
"""The least share of a sentence's weight that its quote must have."""

_UNSEEN = 2.0
"""How many times the weight of the rarest word a word has that no passage has."""

_LONGER_QUOTE = 0.08
"""How much more a quote of two sentences must carry than a quote of one."""

_ABOUT_QUESTION = 0.6
"""The least share of the question's words in the sentence that its quote, with its title, must have."""

_QUOTED = re.compile(r"[\"“`‘]([\w.]+)[\"”`’]")
_CLAUSES = re.compile(r";\s|,?\s(?:and|but|while|whereas)\s")
_MOST_JOINTS = 8
"""How many places are tried at which a sentence may fall into two clauses."""

_NUMBER = re.compile(r"-?\d")
_WIDE = re.compile(r"[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_NEGATED_WORDS = 3
"""How many words after a negation are read as negated."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_NEGATIONS = _words("not no never none nor cannot without neither nothing")
_COMMON = english().answering

_OPPOSITES = tuple(
    (_words(one), _words(other))
    for one, other in (
        ("above over more exceeds exceeding", "below under less fewer"),
        ("before earlier", "after later"),
        ("maximum most highest", "minimum least lowest"),
        ("first", "last"),
        ("true", "false"),
        ("always", "sometimes rarely"),
        ("increases increased rises", "decreases decreased falls"),
        ("allowed permitted", "forbidden prohibited"),
        ("opens open", "closes closed"),
        ("all every", "some"),
    )
)


@dataclass(frozen=True, slots=True, order=True)
class Quote:
    """Characters `start` to `end` of `passages[passage]`."""

    passage: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class _Said:
    """A text's words as written, its content words, and those of them right behind a negation.

    Each number stands among the words a second time, with the word before it: "above 2000". `joined` are
    names and numbers that the text has in several words, each in one and with its content words.
    """

    words: frozenset[str]
    terms: frozenset[str]
    negated: frozenset[str]
    joined: frozenset[tuple[str, frozenset[str]]] = frozenset()

    def __or__(self, other: _Said) -> _Said:
        return _Said(
            self.words | other.words,
            self.terms | other.terms,
            self.negated | other.negated,
            self.joined | other.joined,
        )

    @property
    def known(self) -> frozenset[str]:
        """The content words, and names and numbers in one word."""
        return self.terms | {word for word, _ in self.joined}


@dataclass(frozen=True, slots=True)
class _Claim:
    """What a sentence says, and what of it its quote must have; names may stand in the title instead."""

    said: _Said
    names: frozenset[str]
    numbers: frozenset[str]
    quoted: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Window:
    """One or two neighbouring sentences of a passage; `known` has the words of its title too.

    `numbers` are those of the sentences, with groups that spaces part in one.
    """

    quote: Quote
    sentences: int
    said: _Said
    known: frozenset[str]
    numbers: frozenset[str]


class Support:
    """The sentences of the given passages, ready to be searched for what carries a claim.

    `titles` belong to the passages, in order. What a sentence takes from the `question` must be most of
    what its quote is about, and of two equal quotes the one nearer to the question is taken.
    """

    def __init__(self, passages: Sequence[str], *, titles: Sequence[str] = (), question: str = "") -> None:
        spans_of = [[(sentence.start, sentence.end) for sentence in sentences(text)] for text in passages]
        known = [self._read(title).known for title in [*titles, *[""] * len(passages)][: len(passages)]]
        self._question = self._read(question).terms
        self._windows: list[_Window] = []
        counts: Counter[str] = Counter()
        self._names: set[str] = set()
        for number, (text, spans) in enumerate(zip(passages, spans_of, strict=True)):
            said = [self._read(text[start:end]) for start, end in spans]
            for at, (start, end) in enumerate(spans):
                counts.update(said[at].terms)
                self._names |= self._capitalised(text[start:end])
                for more in range(min(2, len(spans) - at)):
                    quote = Quote(number, start, spans[at + more][1])
                    both = said[at] | said[at + more]
                    numbers = frozenset(filter(_NUMBER.match, both.known))
                    self._windows.append(_Window(quote, more + 1, both, both.known | known[number], numbers))
        self._total = sum(map(len, spans_of))
        self._counts = counts

    def quotes(self, sentence: str) -> tuple[Quote, ...]:
        """The quotes that support a sentence: one, or one for each of two clauses; none if unsupported."""
        if whole := self._quote(sentence):
            return (whole,)
        for joint in islice(_CLAUSES.finditer(sentence), _MOST_JOINTS):
            first = self._quote(sentence[: joint.start()])
            second = first and self._quote(sentence[joint.end() :])
            if first and second:
                return (first, second) if first != second else (first,)
        return ()

    def _quote(self, text: str) -> Quote | None:
        claim = self._claim(text)
        weight = sum(map(self._weight, claim.said.terms))
        if not weight:
            return None
        carrying = [
            (-share, -len(window.known & self._question), *_place(window))
            for window in self._granting(claim)
            if _proves(claim, window)
            and self._about_the_question(claim, window)
            and (share := self._share(claim, window, weight)) >= THRESHOLD
        ]
        return min(carrying)[-1] if carrying else None

    def _granting(self, claim: _Claim) -> Iterator[_Window]:
        """The windows, each with what it says otherwise: "PPR-9087" for "PPR 9087", "-5" for "fell by 5"."""
        parts = dict(claim.said.joined)
        names, falling = frozenset(parts), claim.numbers if says_fall(claim.said.words) else frozenset()
        for window in self._windows:
            granted = {one for one in falling if f"-{one}" in window.numbers}
            if not names.isdisjoint(window.known):
                granted.update(*(parts[name] for name in names & window.known))
            if granted:
                known, numbers = window.known | granted, window.numbers | granted
                yield replace(window, known=known, numbers=numbers)
            else:
                yield window

    def _share(self, claim: _Claim, window: _Window, weight: float) -> float:
        carried = sum(map(self._weight, claim.said.terms & window.known)) / weight
        return round(carried - _LONGER_QUOTE * (window.sentences - 1), 9)

    def _about_the_question(self, claim: _Claim, window: _Window) -> bool:
        asked = claim.said.terms & self._question
        weight = sum(map(self._weight, asked))
        return sum(map(self._weight, asked & window.known)) >= _ABOUT_QUESTION * weight

    def _weight(self, term: str) -> float:
        """Rare words weigh more; a word absent from all passages weighs most."""
        if not self._counts[term]:
            return _UNSEEN * math.log1p(self._total)
        return math.log1p(self._total / self._counts[term])

    def _claim(self, sentence: str) -> _Claim:
        said = self._read(sentence)
        numbers = frozenset(term for term in said.terms if _NUMBER.match(term))
        names = self._capitalised(sentence) | self._opening_name(sentence)
        quoted = frozenset(word.casefold() for word in _QUOTED.findall(sentence))
        return _Claim(said, frozenset(names & said.terms) - numbers, numbers, quoted)

    def _read(self, text: str) -> _Said:
        text = plain(text)
        words = [word.casefold() for word in facts(text)]
        terms: set[str] = set()
        negated: set[str] = set()
        reach = 0
        for word in words:
            if word in _NEGATIONS or word.replace("’", "'").endswith("n't"):
                reach = _NEGATED_WORDS
                continue
            found = self._term(word)
            terms.update(found)
            if reach:
                negated.update(found)
                reach -= 1
        bounds = [
            f"{word} {self._term(number)[0]}" for word, number in pairwise(words) if _NUMBER.match(number)
        ]
        pieces = frozenset(
            (one.word, frozenset(term for part in one.parts for term in self._term(part)))
            for one in joined(text)
        )
        return _Said(frozenset([*words, *bounds]), frozenset(terms), frozenset(negated), pieces)

    def _term(self, word: str) -> list[str]:
        folded = word.casefold().replace("’", "'")
        if _NUMBER.match(folded):
            return [plain_number(folded)]
        if _WIDE.search(folded):  # written without spaces: pairs of characters stand for words
            return [folded[at : at + 2] for at in range(max(1, len(folded) - 1))]
        folded = identifier(folded.removesuffix("'s"))
        return [] if folded in _COMMON or len(folded) < 2 else [stem(folded)]

    def _capitalised(self, sentence: str) -> set[str]:
        """Names inside a sentence: words with a capital, a digit, an underscore or a dot in them."""
        names: set[str] = set()
        for at, word in enumerate(facts(plain(sentence))):
            if (at and word[0].isupper()) or any(c.isupper() or c in "_." or c.isdigit() for c in word[1:]):
                names.update(self._term(word))
        return names

    def _opening_name(self, sentence: str) -> set[str]:
        """The first word, if the passages have it as a name or lack it. Its capital proves nothing."""
        first = next(iter(facts(plain(sentence))), "")
        if not first[:1].isupper() or first.endswith("ly"):
            return set()
        return {term for term in self._term(first) if term in self._names or not self._counts[term]}


def _proves(claim: _Claim, window: _Window) -> bool:
    """Whether names and numbers are there, and neither denies what the other says."""
    said, quoted = claim.said, window.said
    if not claim.names <= window.known:
        return False
    if not claim.numbers <= window.numbers:
        return False
    if not claim.quoted <= quoted.words:
        return False
    if any(_opposed(said.words, quoted.words, tail) for tail in ("", *(f" {n}" for n in claim.numbers))):
        return False
    if said.negated and not said.negated & quoted.negated:
        return False
    return not (said.terms - said.negated) & quoted.negated


def _opposed(said: frozenset[str], quoted: frozenset[str], tail: str) -> bool:
    """Whether one says "above" and the other only "below"; with " 5" as `tail`, "above 5" and "below 5"."""
    return any(
        any(word + tail in said for word in one)
        and any(word + tail in quoted for word in other)
        and not any(word + tail in quoted for word in one)
        for pair in _OPPOSITES
        for one, other in (pair, pair[::-1])
    )


def _place(window: _Window) -> tuple[int, Quote]:
    return window.sentences, window.quote
