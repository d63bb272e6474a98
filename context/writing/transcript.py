"""The transcript of an answer: chooses tokens from logits, counts them, decodes them, and ends the answer."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import torch

from context.errors import InvalidContextOption
from context.writing.detokenizer import Detokenizer
from context.writing.sampling import choose, closing_tokens

FinishReason: TypeAlias = Literal["stop", "length"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Writing:
    """How tokens are chosen and when to stop.

    `temperature` 0 takes the likeliest token; `no_repeat_ngram` forbids the answer to repeat any run
    of so many of its own tokens (0 allows it), and says nothing about words of the passages. It stops the
    loops that small models fall into with greedy decoding. `echo` are tokens that a line of the prompt
    begins with: an answer does not begin with them, and ends where a line of it would, since a small model
    writes the prompt on there. Raises InvalidContextOption.
    """

    max_tokens: int
    temperature: float = 0.0
    top_p: float = 1.0
    seed: int | None = None
    no_repeat_ngram: int = 8
    echo: frozenset[int] = frozenset()

    def __post_init__(self) -> None:
        if self.max_tokens < 1:
            raise InvalidContextOption("max_tokens", self.max_tokens, "at least 1")
        if not 0 <= self.temperature <= 2:
            raise InvalidContextOption("temperature", self.temperature, "between 0 and 2")
        if not 0 <= self.top_p <= 1:
            raise InvalidContextOption("top_p", self.top_p, "between 0 and 1")


class Transcript:
    """The tokens written so far and their text.

    `finish_reason` is None while the answer is being generated, "stop" when the model ended it, "length" at
    `max_tokens`. Each answer has a separate random generator, so its seed gives the same answer in any batch.
    """

    def __init__(
        self, decode: Callable[[Sequence[int]], str], eos_ids: Collection[int], writing: Writing
    ) -> None:
        self.ids: list[int] = []
        self.finish_reason: FinishReason | None = None
        self._writing = writing
        self._eos_ids = eos_ids
        self._text = Detokenizer(decode)
        self._at_line_start = True
        self._draw = torch.Generator()
        if writing.seed is None:
            self._draw.seed()
        else:
            self._draw.manual_seed(writing.seed)

    @property
    def left(self) -> int:
        """How many tokens may still be written."""
        return self._writing.max_tokens - len(self.ids)

    def choose(self, logits: torch.Tensor) -> int:
        """The token that follows, of `logits` (vocabulary,)."""
        forbidden = closing_tokens(self.ids, self._writing.no_repeat_ngram)
        if not self.ids:
            forbidden = forbidden | self._writing.echo
        if forbidden:
            logits = logits.clone()
            logits[sorted(forbidden)] = float("-inf")
        writing = self._writing
        return choose(logits, temperature=writing.temperature, top_p=writing.top_p, draw=self._draw)

    def add(self, token: int) -> str | None:
        """Writes the token and returns its text, "" while a character is incomplete; None if it ends."""
        if token in self._eos_ids or (self._at_line_start and token in self._writing.echo):
            self.finish_reason = "stop"
            return None
        self.ids.append(token)
        if self.left == 0:
            self.finish_reason = "length"
        text = self._text.feed(token)
        if text:
            self._at_line_start = text.endswith("\n")
        return text
