"""Chunks: words that nothing but a sign parts, such as PPR-9087; each is read once, as they come again."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from base.text import dates
from base.text.spellings import Spelling, of_chunk, written_as_one
from base.text.stems import stem
from base.text.stop_words import english

_STOP_WORDS = english().short
_MOST_KEPT = 100

# Not those of base.text.words: stored indexes hang on these, and others need another name of the analysis.
_CJK = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"
# Python counts the vowel signs of Indic and South-East Asian scripts as no letters; they do not end a word.
_SIGNS = (
    "\u0300-\u036f\u0591-\u05c7\u064b-\u065f\u0900-\u0963\u0966-\u0e3a\u0e40-\u0e4e\u0e80-\u109f\u1780-\u17d3"
)
_LETTERS = rf"(?:[^\W_{_CJK}]+|[{_SIGNS}][^\W_{_CJK}]*)(?:[{_SIGNS}]+[^\W_{_CJK}]*)*"
_WORD = rf"{_LETTERS}(?:['’]{_LETTERS})*"
_JOINT = r"(?:[-\u2013-\u2015./@\u200c]|_+|(?<=\d)[,:٫](?=\d))"
CHUNKS = re.compile(rf"([a-z]+(?=[ ,;)])|[{_CJK}]+|{_WORD}(?:{_JOINT}{_WORD})*)")
"""Splits a text in small letters; the first branch is but the third's most frequent case."""
FIRST_IDEOGRAPH = "\u3040"

_WORDS = re.compile(rf"[{_CJK}]+|{_WORD}")
_IDEOGRAPHS = re.compile(f"[{_CJK}]")
_DIGIT = re.compile(r"\d")


class Chunk(NamedTuple):
    """The terms of a chunk's words and its other spellings, each with its characters in the chunk.

    `written` are its words as they are joined with others, stop words among them; `whole` is all in one.
    """

    terms: tuple[Spelling, ...]
    spellings: tuple[Spelling, ...]
    written: tuple[Spelling, ...]
    whole: str


def read_chunk(chunk: str) -> Chunk:
    """Reads a chunk in small letters."""
    return _kept(chunk) if len(chunk) <= _MOST_KEPT else _read(chunk)


def plain_words(text: str) -> list[str]:
    """The words of a text in small letters, stop words among them; ideographs, and pairs of them."""
    return [word for found in _WORDS.findall(text) for word, _, _ in _pieces(found)]


def _read(chunk: str) -> Chunk:
    written = _pieces(chunk)
    terms = tuple((stem(word), start, end) for word, start, end in written if word not in _STOP_WORDS)
    if _IDEOGRAPHS.match(chunk):
        return Chunk(terms, (), (), "")
    if len(written) == 1 and not _DIGIT.search(chunk):
        return Chunk(terms, (), tuple(written), "")
    others = [*of_chunk(written, chunk), *dates.in_numbers(chunk)]
    spelled = dict.fromkeys((stem(word), start, end) for word, start, end in others)
    return Chunk(terms, tuple(spelled), tuple(written), written_as_one(written, chunk))


_kept = lru_cache(maxsize=1 << 16)(_read)


def _pieces(chunk: str) -> list[Spelling]:
    if not _IDEOGRAPHS.match(chunk):
        return [(_word(one[0]), *one.span()) for one in _WORDS.finditer(chunk)]
    pieces: list[Spelling] = []
    for at in range(len(chunk)):
        pieces.append((chunk[at], at, at + 1))
        if at + 1 < len(chunk):
            pieces.append((chunk[at : at + 2], at, at + 2))
    return pieces


def _word(written: str) -> str:
    return written.replace("’", "'").removesuffix("'s").replace("'", "")
