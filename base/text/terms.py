"""Text to terms: words in lower case, no English stop words, Snowball stems; Chinese, Japanese and Korean
by characters and pairs of them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import Stemmer

NAME = "english-snowball-cjk12"
"""Names this analysis in an index; terms of different analyses never match."""

STOP_WORDS = frozenset(Path(__file__).with_name("stop_words.txt").read_text("utf-8").split())
"""English words that stand in nearly every passage (Lucene's short list)."""

_CJK = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"
# Python counts the vowel signs of Indic and South-East Asian scripts as no letters; they do not end a word.
_SIGNS = (
    "\u0300-\u036f\u0591-\u05c7\u064b-\u065f\u0900-\u0963\u0966-\u0e3a\u0e40-\u0e4e\u0e80-\u109f\u1780-\u17d3"
)
_LETTER = rf"(?:(?![{_CJK}])[^\W_]|[{_SIGNS}])"
_WORD = re.compile(rf"(?P<cjk>[{_CJK}]+)|{_LETTER}+(?:['’]{_LETTER}+)*")


def terms_of(text: str) -> list[str]:
    """The terms of a text, in order; compatibility forms (full width, ligatures) count as the plain ones.

    >>> terms_of("The fox's running dogs: 3.11")
    ['fox', 'run', 'dog', '3', '11']
    >>> terms_of("東京都")
    ['東', '東京', '京', '京都', '都']
    """
    return [_stem(word) for word in _words(text) if word not in STOP_WORDS]


def _words(text: str) -> Iterator[str]:
    for found in _WORD.finditer(unicodedata.normalize("NFKC", text).lower()):
        word = found[0]
        if found["cjk"]:
            for at in range(len(word)):
                yield word[at]
                if at + 1 < len(word):
                    yield word[at : at + 2]
        else:
            yield word.replace("’", "'").removesuffix("'s").replace("'", "")


@lru_cache(maxsize=1 << 17)
def _stem(word: str) -> str:
    # A stemmer of its own for each new word: one object must not be used by several threads.
    stem: str = Stemmer.Stemmer("english").stemWord(word)
    return stem
