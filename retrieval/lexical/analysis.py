"""Text to terms: lower-cased words, English no stop words, Snowball stems; CJK as pairs of characters."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

import Stemmer

STOP_WORDS = frozenset(
    [
        "a",
        "an",
        "and",
        "are",
        "as",
        "at",
        "be",
        "but",
        "by",
        "for",
        "if",
        "in",
        "into",
        "is",
        "it",
        "no",
        "not",
        "of",
        "on",
        "or",
        "such",
        "that",
        "the",
        "their",
        "then",
        "there",
        "these",
        "they",
        "this",
        "to",
        "was",
        "will",
        "with",
    ]
)
"""Lucene's English stop words."""

_CJK = "぀-ヿ㐀-䶿一-鿿가-힯豈-﫿"
_WORD = re.compile(rf"[{_CJK}]+|(?:(?![{_CJK}])[^\W_])+(?:['’](?:(?![{_CJK}])[^\W_])+)*")
_FIRST_CJK = re.compile(rf"[{_CJK}]")


def terms_of(text: str) -> list[str]:
    """The terms of a text, in order.

    >>> terms_of("The fox's running dogs: 3.11")
    ['fox', 'run', 'dog', '3', '11']
    >>> terms_of("東京都")
    ['東京', '京都']
    """
    return [stem(word) for word in _words(text.lower()) if word not in STOP_WORDS]


def _words(text: str) -> Iterator[str]:
    for found in _WORD.finditer(text):
        word = found[0]
        if not _FIRST_CJK.match(word):
            yield word.replace("’", "'").removesuffix("'s").replace("'", "")
        elif len(word) == 1:
            yield word
        else:
            yield from (word[at : at + 2] for at in range(len(word) - 1))


@lru_cache(maxsize=200_000)
def stem(word: str) -> str:
    """The Snowball English stem of a lower-case word."""
    stemmed: str = Stemmer.Stemmer("english").stemWord(word)
    return stemmed
