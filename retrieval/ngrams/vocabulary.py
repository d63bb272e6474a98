"""A language model's token ids as the vocabulary of the n-gram index."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from functools import cached_property
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from base.text.folding import Origins, fold_with_origins
from models.networks.language_model import LanguageModel
from retrieval.types import Int32, Tokens

_NORMALISATIONS = ("folded-1", "single-spaced-1")
"""How texts are prepared, the current way first; indexes keep the way that they were made in."""
_LAST_SPACE = 0x3000
_SPACES = np.array([code for code in range(_LAST_SPACE + 1) if chr(code).isspace()], np.uint32)
_Codes: TypeAlias = NDArray[np.uint32]


class LanguageVocabulary:
    """Tokenises passages the way the language model writes words in running text.

    Texts are folded: characters are plain ones, and those that nobody sees are gone. Every run of white
    space counts as one space, and one space is put before the text: a word has the same id at the start of
    a line as in the middle of a sentence. Offsets are those of the given text, without the space before a
    word.
    """

    def __init__(self, lm: LanguageModel, normalisation: str = _NORMALISATIONS[0]) -> None:
        self._lm = lm
        self._normalisation = normalisation

    def named(self, fingerprint: str) -> LanguageVocabulary:
        """The vocabulary with this fingerprint, if earlier versions prepared texts so; else this one.

        Indexes of earlier versions stay as they are, and are added to in the same way.
        """
        if fingerprint == self.fingerprint:
            return self
        others = (LanguageVocabulary(self._lm, one) for one in _NORMALISATIONS)
        return next((one for one in others if one.fingerprint == fingerprint), self)

    @property
    def size(self) -> int:
        """Number of token ids."""
        return self._lm.vocabulary_size

    @cached_property
    def fingerprint(self) -> str:
        """Changes with the tokenizer or the way texts are prepared for it, not with the model's weights."""
        settings = json.loads(self._lm.tokenizer.backend_tokenizer.to_str())
        for name in ("truncation", "padding"):
            # Other callers set these on the shared tokenizer; they do not change the ids.
            settings.pop(name, None)
        text = json.dumps([self._normalisation, self.size, settings], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def tokenize(self, texts: Sequence[str]) -> list[Tokens]:
        """Token ids (n,) and character offsets (n, 2) of each text; nothing for white space alone."""
        folded = [self._folded(text) for text in texts]
        prepared = [_single_spaced(text) for text, _ in folded]
        tokenized = self._lm.tokenize([text for text, _, _ in prepared])
        return [
            Tokens(tokens.ids, _unfolded(_original_offsets(tokens.offsets, codes, origin), origins))
            for tokens, (_, codes, origin), (_, origins) in zip(tokenized, prepared, folded, strict=True)
        ]

    def _folded(self, text: str) -> tuple[str, Origins | None]:
        return fold_with_origins(text) if self._normalisation == "folded-1" else (text, None)


def _single_spaced(text: str) -> tuple[str, _Codes, Int32]:
    """The text with a space before it and runs of white space as one; its code points; where each was."""
    if not text or text.isspace():
        return "", np.zeros(0, np.uint32), np.zeros(0, np.int32)
    codes = np.frombuffer(f" {text}".encode("utf-32-le", "surrogatepass"), np.uint32)
    space = np.isin(codes, _SPACES)
    kept = np.flatnonzero(~(space & np.roll(space, 1)) | (np.arange(len(codes)) == 0))
    codes = np.where(space, np.uint32(32), codes)[kept]
    return codes.tobytes().decode("utf-32-le", "surrogatepass"), codes, (kept - 1).astype(np.int32)


def _original_offsets(offsets: Int32, codes: _Codes, origin: Int32) -> Int32:
    """Offsets in the single-spaced text as offsets in the original, past the space before a word."""
    if len(offsets) == 0:
        return offsets
    start, end = offsets[:, 0], np.maximum(offsets[:, 1], 1)
    start = start + ((codes[np.minimum(start, len(codes) - 1)] == 32) & (end - start > 1))
    begins = origin[np.minimum(start, len(codes) - 1)]
    result: Int32 = np.maximum(np.stack([begins, origin[end - 1] + 1], axis=1), 0).astype(np.int32)
    return result


def _unfolded(offsets: Int32, origins: Origins | None) -> Int32:
    """Offsets in the folded text as offsets in the original."""
    if origins is None or len(offsets) == 0:
        return offsets
    places = np.array(origins, np.int32)
    start, end = offsets[:, 0], offsets[:, 1]
    begins = places[np.minimum(start, len(places) - 1), 0]
    ends = np.where(end > start, places[np.maximum(end, 1) - 1, 1], begins)
    return np.stack([begins, ends], axis=1)
