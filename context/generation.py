"""One answer being written: a token a step, with the text it adds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from transformers import DynamicCache

from context.attention import ApeCall
from context.detokenizer import Detokenizer
from context.sampling import choose, closing_tokens
from models.language_model import LanguageModel


@dataclass(frozen=True, slots=True)
class TokenUsage:
    """Tokens of one answer: passages read (and how many of those came from the store), question, answer.

    The shared prefix is counted nowhere: it is read once, when the engine starts.
    """

    context_tokens: int
    cached_tokens: int
    question_tokens: int
    generated_tokens: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Writing:
    """How tokens are chosen and when to stop.

    `temperature` 0 takes the likeliest token; `no_repeat_ngram` forbids the answer to repeat any run
    of so many of its own tokens (0 allows it), and says nothing about words of the passages.
    """

    max_tokens: int
    temperature: float = 0.0
    seed: int | None = None
    no_repeat_ngram: int = 0


class Generation:
    """An answer after its prompt was read. Steps of several answers may take turns on one device.

    `finish_reason` is None while it is being written, "stop" when the model ended it, "length" at
    `max_tokens`.
    """

    def __init__(
        self,
        lm: LanguageModel,
        cache: DynamicCache,
        logits: torch.Tensor,
        *,
        position: int,
        ape: ApeCall | None,
        writing: Writing,
        prompt_usage: TokenUsage,
    ) -> None:
        self._lm = lm
        self._cache: DynamicCache | None = cache
        self._logits: torch.Tensor | None = logits
        self._position = position
        self._ape = ape
        self._writing = writing
        self._prompt_usage = prompt_usage
        self._ids: list[int] = []
        self._text = Detokenizer(lm.decode)
        self._draw = torch.Generator()
        if writing.seed is None:
            self._draw.seed()
        else:
            self._draw.manual_seed(writing.seed)
        self.finish_reason: Literal["stop", "length"] | None = None

    @property
    def usage(self) -> TokenUsage:
        """Tokens read and written so far."""
        read = self._prompt_usage
        return TokenUsage(read.context_tokens, read.cached_tokens, read.question_tokens, len(self._ids))

    def step(self) -> str | None:
        """Writes one token and returns its text, "" while a character is incomplete; None at the end."""
        if self.finish_reason is not None or self._cache is None:
            return None
        token = self._choose(self._next_logits(self._cache))
        if token in self._lm.eos_ids:
            self._finish("stop")
            return None
        self._ids.append(token)
        text = self._text.feed(token)
        if len(self._ids) == self._writing.max_tokens:
            self._finish("length")
        return text

    def close(self) -> None:
        """Lets go of everything read and written; later steps return None."""
        self._cache = self._logits = self._ape = None

    @torch.inference_mode()
    def _next_logits(self, cache: DynamicCache) -> torch.Tensor:
        if self._logits is not None:
            logits, self._logits = self._logits, None
            return logits
        extra = {} if self._ape is None else {"ape": self._ape}
        logits = read(self._lm, self._ids[-1:], self._position, cache, **extra)
        self._position += 1
        return logits

    def _choose(self, logits: torch.Tensor) -> int:
        forbidden = closing_tokens(self._ids, self._writing.no_repeat_ngram)
        if forbidden:
            logits = logits.clone()
            logits[sorted(forbidden)] = float("-inf")
        return choose(logits, temperature=self._writing.temperature, draw=self._draw)

    def _finish(self, reason: Literal["stop", "length"]) -> None:
        self.finish_reason = reason
        self.close()


@torch.inference_mode()
def read(
    lm: LanguageModel, ids: list[int], position: int, cache: DynamicCache, *, ape: ApeCall | None = None
) -> torch.Tensor:
    """Reads tokens from `position` on into `cache` and returns the logits (vocabulary,) behind the last."""
    positions = torch.arange(position, position + len(ids), device=lm.device)[None]
    extra = {} if ape is None else {"ape": ape}
    output = lm.model(
        input_ids=torch.tensor([ids], device=lm.device),
        position_ids=positions,
        past_key_values=cache,
        use_cache=True,
        logits_to_keep=1,
        **extra,
    )
    logits: torch.Tensor = output.logits[0, -1]
    return logits
