"""A language model over words that knows which word follows which: it writes n-grams in no time."""

import re
from types import SimpleNamespace

import numpy as np
import torch

from retrieval.types import Tokens

_UNKNOWN = "?"
_IN_QUESTION = 8.0  # added to the logits of the question's first word, less to those of the others
_SMOOTHING = 1e-4


class WordModel:
    """Bigrams of `texts`, with the first words of a prompt more probable. As vocabulary it indexes the same words.

    It takes the calls of n-gram retrieval: those of `models.LanguageModel` and of its network.
    """

    name = "words"
    fingerprint = "words"
    device = torch.device("cpu")
    dtype = torch.float32
    max_positions = 1 << 20
    full_attention = True

    def __init__(self, texts):
        split = [_words(text) for text in texts]
        self.words = [_UNKNOWN, *sorted({word for words in split for word, _ in words} - {_UNKNOWN})]
        self._ids = {word: at for at, word in enumerate(self.words)}
        counts = np.full((self.size, self.size), _SMOOTHING)
        for words in split:
            ids = [self._ids[word] for word, _ in words]
            np.add.at(counts, (ids[:-1], ids[1:]), 1)
        self._logits = torch.tensor(np.log(counts), dtype=torch.float32)
        self.calls = 0
        pieces = [f" {word}" if word.isalnum() else word for word in self.words]
        self.tokenizer = _Tokenizer(pieces)

    @property
    def size(self):
        return len(self.words)

    vocabulary_size = size

    def named(self, fingerprint):
        return self

    def tokenize(self, texts):
        return [
            Tokens(
                np.array([self._ids.get(word, 0) for word, _ in words], np.int32),
                np.array([span for _, span in words], np.int32).reshape(-1, 2),
            )
            for words in map(_words, texts)
        ]

    def encode(self, text):
        return [self._ids.get(word, 0) for word, _ in _words(text)]

    def decode(self, ids):
        return " ".join(self.words[one] for one in ids)

    def model(self, *, input_ids, logits_to_keep, attention_mask=None, **_):
        """The network's call: without a mask it reads a prompt, whose words it remembers."""
        self.calls += 1
        if attention_mask is None:
            self._asked = torch.zeros(self.size)
            self._asked[input_ids[0]] = torch.linspace(_IN_QUESTION, 0, input_ids.shape[1])
        logits = self._logits[input_ids[0]] + self._asked
        return SimpleNamespace(logits=logits[None, -logits_to_keep:])


class _Tokenizer:
    def __init__(self, pieces):
        self._pieces = pieces

    def __len__(self):
        return len(self._pieces)

    def __call__(self, text):
        return SimpleNamespace(input_ids=[])

    def convert_ids_to_tokens(self, ids):
        return [self._pieces[one] for one in ids]


def _words(text):
    return [(one[0].lower(), one.span()) for one in re.finditer(r"\w+|[^\w\s]", text)]
