"""Where the words of a text stand: as compression keeps them, as a phrase is made of them, and as a claim
is checked by them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

Spans = NDArray[np.int32]


def _ranges(codes: Iterator[int]) -> str:
    """The code points as the inside of a regular expression's character class."""
    parts: list[list[int]] = []
    for code in codes:
        if parts and code == parts[-1][1] + 1:
            parts[-1][1] = code
        else:
            parts.append([code, code])
    return "".join(rf"\U{first:08x}-\U{last:08x}" for first, last in parts)


# Marks belong to the letter before them ("é" in two code points, Hindi vowel signs); `\w` leaves them out.
_MARKS = _ranges(code for code in range(0x300, 0x1F000) if unicodedata.category(chr(code))[0] == "M")
# Scripts written without spaces: each character is a word of its own.
_SINGLE = r"\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003134f"
_IDEOGRAPH = re.compile(f"[{_SINGLE}]")
_LETTERS = rf"(?:[^\W{_SINGLE}][{_MARKS}\u200c\u200d]*)+"
_JOINT = r"(?:['’.@/\\+\-]|(?<=\d)[,:](?=\d))"
_PICTURE = rf"\S[{_MARKS}\U0001f3fb-\U0001f3ff]*"

_WORD = re.compile(
    rf"""
    [A-Za-z][A-Za-z0-9+.-]{{1,15}}://[^\s<>"]*[^\s<>"'.,;:!?)\]}}]     # a URL, without what ends the sentence
  | (?:(?<!\S)(?:--?|[~.]{{0,2}}/)|[$€£¥₹#@])?                         # --flag, ./path, $5, #12, @name
    {_LETTERS} (?:{_JOINT}{_LETTERS})*                                 # 10.0.0.21, state-of-the-art, a_b
    (?:(?<=\d)[%°‰]|\+\+|(?<=\b[CF])\#)?                               # 5%, C++, F#
  | [\U0001f1e6-\U0001f1ff]{{2}}                                       # a flag
  | {_PICTURE} (?:\u200d{_PICTURE})*                                   # one sign, or one emoji of many parts
    """,
    re.VERBOSE,
)

# Letters and digits of any script in one run; ideographs too, as nothing parts them but a dictionary.
_RUN = rf"(?:\w[{_MARKS}\u200c\u200d]*)+"
_PLAIN = re.compile(rf"{_RUN}(?:[-'’.]{_RUN})*")
# A claim stands or falls by its numbers, so they are apart from the words around them: "5-year" is two facts.
_FACT = re.compile(rf"(?:(?<![^\s(\[{{\"'=:;,<>|])-)?\d+(?:[.,:/-]\d+)*%?|(?!\d){_RUN}(?:[.’'-]{_RUN})*")


def words(text: str) -> Spans:
    """Half-open character spans (n, 2) of the words of `text`, in order; whitespace is in none.

    Numbers, URLs, paths and identifiers stay in one piece, so that none is ever kept in part.

    >>> text = "It costs $0.215 at https://a.org/x_y."
    >>> [text[start:end] for start, end in words(text)]
    ['It', 'costs', '$0.215', 'at', 'https://a.org/x_y', '.']
    """
    return np.array([match.span() for match in _WORD.finditer(text)], dtype=np.int32).reshape(-1, 2)


def plain_words(text: str) -> list[tuple[int, int]]:
    """Half-open spans of words as a phrase is made of them: no signs but those inside a word.

    >>> text = "Who's #1 at state-of-the-art C++?"
    >>> [text[start:end] for start, end in plain_words(text)]
    ["Who's", '1', 'at', 'state-of-the-art', 'C']
    """
    return [match.span() for match in _PLAIN.finditer(text)]


def facts(text: str) -> list[str]:
    """The words and the numbers of a text as a claim is checked by them; a minus belongs to its number.

    >>> facts("In 1843, 2,000 5-year bonds rose 3.5% (-2% in 1844-1845).")
    ['In', '1843', '2,000', '5', 'year', 'bonds', 'rose', '3.5%', '-2%', 'in', '1844-1845']
    """
    found: list[str] = _FACT.findall(text)
    return found


def is_ideograph(char: str) -> bool:
    """Whether the character is a word of its own, as in Chinese and Japanese."""
    return _IDEOGRAPH.match(char) is not None
