"""One answer being written: a token a step, with the text it adds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from transformers import DynamicCache

from context.notes import ReadingNotes
from context.writing.transcript import FinishReason, Transcript, Writing
from models.attention.batch import FrozenPart
from models.attention.blocks import LayerKeyValues
from models.attention.calls import ApeCall
from models.attention.key_scratch import joined
from models.attention.row_keys import RowKeys
from models.attention.step import rows_to_write, writing_call
from models.attention.watch import AttentionWatch
from models.executor import breathe, piece
from models.networks.language_model import LanguageModel

_COPIED_TOKENS = 256


@dataclass(frozen=True, slots=True)
class TokenUsage:
    """Tokens of one answer: passages read (and how many of those came from the store), question, answer.

    The shared prefix is counted nowhere: it is read once, when the engine starts.
    """

    context_tokens: int
    cached_tokens: int
    question_tokens: int
    generated_tokens: int


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class ReadPrompt:
    """A prompt that was read, with all that generating an answer needs.

    `cache` holds what is the answer's own, `ape` what it reads besides; `logits` (vocabulary,) are those
    behind the prompt, and the next token stands at `position`. `notes` say how it was read, and `source`
    are the token ids of the passages.
    """

    cache: DynamicCache
    logits: torch.Tensor
    position: int
    ape: ApeCall | None
    usage: TokenUsage
    notes: ReadingNotes = field(default_factory=ReadingNotes)
    source: Sequence[Sequence[int]] = ()

    def beginning(self) -> tuple[FrozenPart, list[LayerKeyValues]]:
        """What stays as it was read, and the keys and values of each layer that the answer's row begins with.

        Those are the prompt's own and the prefix's, if they are not long: each row has its own copy, and rows
        that are written together are padded to the longest.
        """
        ape = None if self.ape is None else self.ape.for_writing()
        layers = [(layer.keys, layer.values) for layer in self.cache.layers]
        if layers[0][0].shape[2] > _COPIED_TOKENS:
            return FrozenPart(ape, tuple(layers)), [
                (keys[:, :, :0], values[:, :, :0]) for keys, values in layers
            ]
        if ape is not None and ape.prefix is not None:
            together = [joined(runs) for runs in zip(ape.prefix, layers, strict=True)]
            if together[0][0].shape[2] <= _COPIED_TOKENS:
                return FrozenPart(replace(ape, prefix=None)), together
        return FrozenPart(ape), layers


class Generation:
    """An answer after its prompt was read. Steps of several answers may take turns on one device.

    `finish_reason` is None while it is being written, "stop" when the model ended it, "length" at
    `max_tokens`. A `Scheduler` writes many at once, and takes a generation over by `hand_over`.
    """

    def __init__(self, lm: LanguageModel, prompt: ReadPrompt, writing: Writing) -> None:
        self._lm = lm
        self._prompt: ReadPrompt | None = prompt
        self._usage = prompt.usage
        self.notes = prompt.notes
        self._logits: torch.Tensor | None = prompt.logits
        self._position = prompt.position
        self._own: RowKeys | None = None
        self._frozen = FrozenPart()
        self._transcript = Transcript(lm.decode, lm.eos_ids, writing)

    @property
    def ids(self) -> list[int]:
        """The tokens written so far."""
        return self._transcript.ids

    @property
    def finish_reason(self) -> FinishReason | None:
        """Why the answer ended; None while it is being written."""
        return self._transcript.finish_reason

    @property
    def usage(self) -> TokenUsage:
        """Tokens read and written so far."""
        read = self._usage
        return TokenUsage(read.context_tokens, read.cached_tokens, read.question_tokens, len(self.ids))

    def step(self) -> str | None:
        """Writes one token and returns its text, "" while a character is incomplete; None at the end."""
        if self._prompt is None:
            return None
        text = self._transcript.add(self._transcript.choose(self._next_logits(self._prompt)))
        if self.finish_reason is not None:
            self.close()
        return text

    def hand_over(self) -> tuple[ReadPrompt, Transcript]:
        """Hands the prompt to another writer and ends this one. Raises ValueError after the first token."""
        if self._prompt is None or self.ids:
            raise ValueError("only an answer that has not begun can be handed over")
        prompt = self._prompt
        self.close()
        return prompt, self._transcript

    def close(self) -> None:
        """Releases all memory. Later steps return None."""
        self._prompt = self._logits = self._own = None
        self._frozen = FrozenPart()

    @torch.inference_mode()
    def _next_logits(self, prompt: ReadPrompt) -> torch.Tensor:
        if self._logits is not None:
            logits, self._logits = self._logits, None
            return logits
        if self._own is None:  # not before the first token has been said
            self._frozen, layers = prompt.beginning()
            self._own = rows_to_write(self._lm.device, 1)
            self._own.add(layers)
        call = writing_call(self._own, slice(0, 1), [self._frozen])
        logits = self._lm.step(torch.tensor([self.ids[-1:]]), torch.tensor([[self._position]]), call)
        self._own.lengths[0] += 1
        self._position += 1
        return logits[0, 0]


@torch.inference_mode()
def read(
    lm: LanguageModel,
    ids: list[int],
    position: int,
    cache: DynamicCache,
    *,
    ape: ApeCall | None = None,
    watch: AttentionWatch | None = None,
) -> torch.Tensor:
    """Reads tokens from `position` on into `cache` and returns the logits (vocabulary,) behind the last.

    `watch` notes what the last of them attends to. While other answers are being written on this thread,
    a long prompt is read in pieces, and those answers continue in between.
    """
    size = piece(len(ids))
    for start in range(0, len(ids) - size, size):
        _forward(lm.model.base_model, lm, ids[start : start + size], position + start, cache, ape=ape)
        breathe()
    done = range(0, len(ids), size)[-1]
    extra = {} if watch is None else {"watch": watch}
    output = _forward(lm.model, lm, ids[done:], position + done, cache, ape=ape, logits_to_keep=1, **extra)
    logits: torch.Tensor = output.logits[0, -1]
    return logits


def _forward(
    network: Any,
    lm: LanguageModel,
    ids: list[int],
    position: int,
    cache: DynamicCache,
    *,
    ape: ApeCall | None,
    **options: Any,
) -> Any:
    return network(
        input_ids=torch.tensor([ids], device=lm.device),
        position_ids=torch.arange(position, position + len(ids), device=lm.device)[None],
        past_key_values=cache,
        use_cache=True,
        **({} if ape is None else {"ape": ape}),
        **options,
    )
