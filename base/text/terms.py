"""Text to terms: words in lower case, no English stop words, Snowball stems; Chinese, Japanese and Korean
by characters and pairs of them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from base.text.stems import stem
from base.text.stop_words import english

NAME = "english-snowball-cjk12"
"""Names this analysis in an index; terms of different analyses never match."""

_STOP_WORDS = english().short

# Not those of base.text.words: stored indexes hang on these, and other ones need another NAME.
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
    return [stem(word) for word in _words(text) if word not in _STOP_WORDS]


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
