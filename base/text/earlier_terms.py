"""Terms as versions before 28 November 2026 made them; indexes that they wrote are searched by these."""

from __future__ import annotations

import unicodedata

from base.text.chunks import plain_words
from base.text.stems import stem
from base.text.stop_words import english

NAME = "english-snowball-cjk12"
"""Names this analysis in an index."""

_STOP_WORDS = english().short


def terms_of(text: str) -> list[str]:
    """The terms of a text, in order: of identifiers and numbers only the parts.

    >>> terms_of("PPR-9087 costs 1,000")
    ['ppr', '9087', 'cost', '1', '000']
    """
    folded = unicodedata.normalize("NFKC", text).lower()
    return [stem(word) for word in plain_words(folded) if word not in _STOP_WORDS]
