"""A language model whose tokens are characters and whose logits are functions of the passages."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest

_PASSAGE = re.compile(r"^\[([A-T])\] (.*)$", re.MULTILINE)


@dataclass(frozen=True)
class CharTokens:
    ids: np.ndarray
    offsets: np.ndarray


@dataclass
class CharacterModel:
    """Relevance decides everything: the letters' logits, and the likelihood of any continuation."""

    relevance: Callable[[str], float] = len
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
        return np.array([self.relevance(passages[chr(token)]) for token in token_ids], np.float64)

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
