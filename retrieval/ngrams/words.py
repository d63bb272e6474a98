"""Finds word beginnings: the tokens that may open an n-gram, and the words of a question."""

from __future__ import annotations

import numpy as np

from base.text.stop_words import english
from base.text.words import plain_words
from models.errors import UnsupportedModel
from models.networks.language_model import LanguageModel
from retrieval.types import Bits

_SPACE_MARKS = ("Ġ", "▁", " ")
_LONGEST_PHRASE = 3

_STOP_WORDS = english().common


def openers(lm: LanguageModel) -> Bits:
    """A bit a token (V,): whether it begins a word that can open an n-gram.

    Left out are punctuation, stop words, and tokens that continue a word: a wrong first token is never
    undone, and an untrained model spends its beams on " The". Raises UnsupportedModel for a tokenizer
    that does not mark where words begin.
    """
    pieces = lm.tokenizer.convert_ids_to_tokens(list(range(len(lm.tokenizer))))
    bits = np.zeros(lm.vocabulary_size, np.bool_)
    for token, piece in enumerate(pieces[: lm.vocabulary_size]):
        if piece is not None and piece.startswith(_SPACE_MARKS):
            # A piece spells characters beyond ASCII in bytes; only the decoded word tells what it is.
            word = lm.decode([token]).strip().lower()
            bits[token] = word[:1].isalnum() and word not in _STOP_WORDS
    if not bits.any():
        raise UnsupportedModel(lm.name, "its tokenizer does not mark where words begin")
    return bits


def phrases(question: str) -> list[str]:
    """The question's runs of one to three words, as written, in lower case and with a capital.

    Runs of stop words alone are left out.

    >>> phrases("Who is Rollo?")
    ['Who is Rollo', 'who is rollo', 'is Rollo', 'is rollo', 'Is Rollo', 'Rollo', 'rollo']
    """
    words = plain_words(question)
    found: dict[str, None] = {}
    for first in range(len(words)):
        for last in range(first, min(first + _LONGEST_PHRASE, len(words))):
            phrase = question[words[first][0] : words[last][1]]
            spoken = [question[start:end].lower() for start, end in words[first : last + 1]]
            if not _STOP_WORDS.issuperset(spoken):
                found.update(dict.fromkeys((phrase, phrase.lower(), phrase[:1].upper() + phrase[1:])))
    return list(found)
