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
    return [stem(word) for word, _, _ in _words(_folded(text)) if word not in _STOP_WORDS]


def term_spans(text: str) -> list[tuple[str, int, int]]:
    """The same terms, each with its characters in `text`, half-open.

    Where a character of the text is several plain ones, such as a ligature, the span has it whole.

    >>> text = "The ﬁne fox's 東京"
    >>> [(term, text[start:end]) for term, start, end in term_spans(text)]
    [('fine', 'ﬁne'), ('fox', "fox's"), ('東', '東'), ('東京', '東京'), ('京', '京')]
    """
    folded = _folded(text)
    origins = None if _keeps_places(text, folded) else _origins(text)
    found = []
    for word, start, end in _words(folded):
        if word not in _STOP_WORDS:
            if origins is not None:
                start, end = origins[start][0], origins[end - 1][1]
            found.append((stem(word), start, end))
    return found


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).lower()


def _keeps_places(text: str, folded: str) -> bool:
    """Whether each character of the folded text stands where it stood before."""
    return len(folded) == len(text) and unicodedata.is_normalized("NFKC", text)


def _origins(text: str) -> list[tuple[int, int]]:
    """For each character of the folded text the characters of the text that it was made of."""
    return [
        (start, end)
        for start, end in _pieces(text)
        for plain in unicodedata.normalize("NFKC", text[start:end])
        for _ in plain.lower()
    ]


def _pieces(text: str) -> Iterator[tuple[int, int]]:
    """The smallest spans that can be normalised one by one."""
    start = 0
    for at in range(1, len(text)):
        if text[at].isascii() or _stand_apart(text[start:at], text[at]):
            yield start, at
            start = at
    if text:
        yield start, len(text)


def _stand_apart(before: str, char: str) -> bool:
    first, second, both = (unicodedata.normalize("NFKC", one) for one in (before, char, before + char))
    return not unicodedata.combining(second[0]) and both == first + second


def _words(folded: str) -> Iterator[tuple[str, int, int]]:
    for found in _WORD.finditer(folded):
        word, (start, end) = found[0], found.span()
        if found["cjk"]:
            for at in range(len(word)):
                yield word[at], start + at, start + at + 1
                if at + 1 < len(word):
                    yield word[at : at + 2], start + at, start + at + 2
        else:
            yield word.replace("’", "'").removesuffix("'s").replace("'", ""), start, end
