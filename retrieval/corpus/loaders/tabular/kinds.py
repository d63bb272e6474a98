"""What kind of thing a cell of a table is: a number, a date, a code, words."""

from __future__ import annotations

import re
from enum import Enum

from retrieval.corpus.loaders.tabular.numerals import number_form
from retrieval.documents import Scalar


class Kind(Enum):
    """The kinds of cells."""

    BLANK = "blank"
    NUMBER = "number"
    TRUTH = "truth value"
    DATE = "date"
    TIME = "time"
    ADDRESS = "address"
    CODE = "code"
    WORDS = "words"


_MISSING = frozenset(
    (
        "",
        "-",
        "–",
        "—",
        ".",
        "..",
        "...",
        "?",
        "n/a",
        "na",
        "#n/a",
        "nan",
        "n.a.",
        "k.a.",
        "null",
        "none",
        "nil",
        "unknown",
        "missing",
        "tbd",
    )
)
_DATE = re.compile(
    r"(?:\d{4}[-/.]\d{1,2}(?:[-/.]\d{1,2})?|\d{1,2}[-/.]\d{1,2}[-/.](?:\d{4}|\d{2})|\d{1,2}\.\d{1,2}\.)"
    r"(?:[T ]\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?)?"
)
_TIME = re.compile(r"\d{1,3}:\d{2}(?::\d{2}(?:[.,]\d+)?)?(?: ?[ap]\.?m\.?)?", re.IGNORECASE)
_ADDRESS = re.compile(r"(?:https?://|www\.)\S+|[^@\s]+@[^@\s]+\.[^@\s]+")
_CODE = re.compile(r"(?=[^\W\d_]*[-_/.:#]*\d|\d)[^\W_]+(?:[-_/.:#][^\W_]+)*")
_LETTERS = re.compile(r"[^\W\d_]+")
_DIGITS = re.compile(r"\d+")


def is_missing(text: str) -> bool:
    """Whether a cell says that there is no value, as `-` and `n/a` do.

    >>> [is_missing(text) for text in ("", " - ", "N/A", "0")]
    [True, True, True, False]
    """
    return text.strip().lower() in _MISSING


def kind_of(text: str, value: Scalar = None) -> Kind:
    """The kind of a cell, by its value where that has a kind, else by what is written.

    >>> [kind_of(text).value for text in ("12,50", "2024-05-01", "8:30", "PPR-9087", "Check valve", "n/a")]
    ['number', 'date', 'time', 'code', 'words', 'blank']
    """
    text = text.strip(' "\t')
    if isinstance(value, bool) or text.lower() in ("true", "false"):
        return Kind.TRUTH
    if isinstance(value, (int, float)):
        return Kind.NUMBER
    if is_missing(text):
        return Kind.BLANK
    # A date such as 01.05.2024 comes before a number with points in it.
    for pattern, kind in ((_DATE, Kind.DATE), (_TIME, Kind.TIME), (_ADDRESS, Kind.ADDRESS)):
        if pattern.fullmatch(text) and not (kind is Kind.DATE and number_form(text) is not None):
            return kind
    if number_form(text) is not None:
        return Kind.NUMBER
    return Kind.CODE if _CODE.fullmatch(text) else Kind.WORDS


def shape(text: str) -> str:
    """How a code is built: runs of letters as A, runs of digits as 9.

    >>> shape("PPR-9087"), shape("W1")
    ('A-9', 'A9')
    """
    return _DIGITS.sub("9", _LETTERS.sub("A", text.strip()))
