"""Text to token ids with character offsets: immutable, and so safe to use from every thread."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from models.errors import ModelCorrupt, ModelNotFound

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class TokenizedText:
    """One text's tokens without special ones: ids (n,) and character offsets (n, 2), half-open, int32."""

    ids: NDArray[np.int32]
    offsets: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.ids)


class TextTokenizer:
    """A tokenizer that reads every text as plain text.

    The names of control tokens ("[SEP]", "<|im_end|>") inside a text become ordinary tokens, so a
    document cannot end the turn it is quoted in. Nothing is truncated or padded. Lone surrogates,
    which no encoding can carry, count as U+FFFD; offsets stay those of the given text.
    """

    def __init__(self, tokenizer: Tokenizer) -> None:
        tokenizer.no_truncation()
        tokenizer.no_padding()
        tokenizer.encode_special_tokens = True
        self._tokenizer = tokenizer
        plain = tokenizer.encode("a", add_special_tokens=False).ids
        framed = tokenizer.encode("a", add_special_tokens=True).ids
        start = next((at for at in range(len(framed)) if framed[at : at + len(plain)] == plain), 0)
        self.prefix: tuple[int, ...] = tuple(framed[:start])
        self.suffix: tuple[int, ...] = tuple(framed[start + len(plain) :])

    @classmethod
    def load(cls, directory: Path) -> TextTokenizer:
        """Reads `tokenizer.json` of a model directory."""
        file = directory / "tokenizer.json"
        if not file.is_file():
            raise ModelNotFound("tokenizer.json", [str(directory)])
        try:
            return cls(Tokenizer.from_file(str(file)))
        except Exception as error:
            # The tokenizers library raises bare Exception for every unreadable file.
            raise ModelCorrupt(str(file), str(error)) from error

    @property
    def size(self) -> int:
        """Number of token ids, with the added ones."""
        return int(self._tokenizer.get_vocab_size(with_added_tokens=True))

    def token_id(self, token: str) -> int | None:
        """The id of one token by its exact name, control tokens too; None if there is no such token."""
        found = self._tokenizer.token_to_id(token)
        return None if found is None else int(found)

    def tokenize(self, texts: Sequence[str]) -> list[TokenizedText]:
        """Token ids and character offsets of each text, in order, without special tokens."""
        encodings = self._tokenizer.encode_batch(
            [encodable(text) for text in texts], add_special_tokens=False
        )
        return [
            TokenizedText(
                np.asarray(encoding.ids, np.int32), np.asarray(encoding.offsets, np.int32).reshape(-1, 2)
            )
            for encoding in encodings
        ]

    def encode(self, text: str) -> list[int]:
        """Token ids of one text, without special tokens."""
        return list(self._tokenizer.encode(encodable(text), add_special_tokens=False).ids)

    def decode(self, ids: Sequence[int]) -> str:
        """The text of token ids; control tokens are left out."""
        return str(self._tokenizer.decode([int(token) for token in ids], skip_special_tokens=True))


def encodable(text: str) -> str:
    """The text with U+FFFD for each lone surrogate, which no encoding can carry; the length stays."""
    return text if text.isascii() else _LONE_SURROGATE.sub("\ufffd", text)
