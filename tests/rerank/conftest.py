"""A language model whose tokens are characters and whose logits are functions of the passages."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest

_QUESTION = re.compile(r"^Search Query: (.*)\.$", re.MULTILINE)
_PASSAGE = re.compile(r"^\[([A-T])\] (.*)$", re.MULTILINE)


@dataclass(frozen=True)
class CharTokens:
    ids: np.ndarray
    offsets: np.ndarray


@dataclass
class CharacterModel:
    """Relevance decides everything: the letters' logits, and the likelihood of any continuation.

    Logits of letters are `asked` of the question times relevance, and `bias` of the place.
    """

    relevance: Callable[[str], float] = len
    asked: Callable[[str], float] = lambda question: 1.0
    bias: Callable[[int], float] = lambda place: 0.0
    max_positions: int = 1_000_000
    name: str = "characters"
    prompts: list[str] = field(default_factory=list)

    def encode(self, text: str) -> list[int]:
        return [ord(char) for char in text]

    def tokenize(self, texts: Sequence[str]) -> list[CharTokens]:
        return [
            CharTokens(
                np.array(self.encode(text), np.int32),
                np.stack([np.arange(len(text)), np.arange(len(text)) + 1], axis=1).astype(np.int32),
            )
            for text in texts
        ]

    def chat(self, messages: Sequence[Mapping[str, str]], *, assistant_prefix: str = "") -> list[int]:
        turns = "".join(f"<{message['role']}>{message['content']}" for message in messages)
        return self.encode(f"{turns}<assistant>{assistant_prefix}")

    def next_logits(self, prompt: Sequence[int], token_ids: Sequence[int]) -> np.ndarray:
        text = "".join(map(chr, prompt))
        self.prompts.append(text)
        passages = dict(_PASSAGE.findall(text))
        found = _QUESTION.search(text)
        weight = self.asked(found[1] if found else "")
        logits = [
            weight * self.relevance(passages[chr(token)]) + self.bias(place)
            for place, token in enumerate(token_ids)
        ]
        return np.array(logits, np.float64)

    def branch_logits(
        self, prefix: Sequence[int], branches: Sequence[Sequence[int]], token_ids: Sequence[int]
    ) -> np.ndarray:
        return np.stack([self.next_logits([*prefix, *branch], token_ids) for branch in branches])

    def log_likelihoods(
        self, prompts: Sequence[Sequence[int]], continuations: Sequence[Sequence[int]]
    ) -> list[np.ndarray]:
        texts = ["".join(map(chr, prompt)) for prompt in prompts]
        self.prompts.extend(texts)
        found = [text.removeprefix("Passage: ").split("\n")[0] for text in texts]
        return [
            np.full(len(continuation), self.relevance(passage))
            for passage, continuation in zip(found, continuations, strict=True)
        ]


@pytest.fixture
def make_model():
    return CharacterModel
