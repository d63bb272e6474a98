"""Stems of English words (Snowball), so that "running" and "runs" count as one word."""

from __future__ import annotations

import threading
from functools import lru_cache

import Stemmer


class _Stemmers(threading.local):
    """A stemmer a thread: one must not be used by several."""

    def __init__(self) -> None:
        self.english = Stemmer.Stemmer("english", 0)


_STEMMERS = _Stemmers()


@lru_cache(maxsize=1 << 17)
def stem(word: str) -> str:
    """The stem of a word in small letters. Cached; for any thread.

    >>> stem("running"), stem("runs")
    ('run', 'run')
    """
    found: str = _STEMMERS.english.stemWord(word)
    return found
