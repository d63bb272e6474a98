"""Several answers written at once: each step is one forward pass over the last token of every answer.

Answers join and leave between steps. What an answer read stays as it was read; what it writes grows in
a row of its own. Batches of different sizes round differently, so an answer in company may differ from
the same answer alone where two tokens are almost equally likely.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

import torch

from context.batched_attention import BatchCall, FrozenPart
from context.generation import Generation, ReadPrompt, TokenUsage
from context.growing_keys import GrowingKeys
from context.transcript import FinishReason, Transcript
from models.language_model import LanguageModel

_COPIED_TOKENS = 256
"""Own keys of a prompt up to so many tokens are copied to the growing rows; longer ones stay apart,
because every row of the batch is padded to the longest."""

_log = logging.getLogger(__name__)


class Listener(Protocol):
    """Hears what is written, on the scheduler's thread; it must not wait."""

    def began(self, row: Row) -> None:
        """The prompt has been read; this is said once and first."""

    def said(self, text: str) -> None:
        """The next piece of the answer, never empty."""

    def ended(self, error: Exception | None) -> None:
        """The answer's last word: the row has left, by itself, by `cancel` or by this error."""


class Row:
    """One answer among those that are being written. `cancel` is for every thread, the rest is not."""

    def __init__(
        self,
        transcript: Transcript,
        frozen: FrozenPart,
        position: int,
        read: TokenUsage,
        listener: Listener,
        gone: threading.Event,
    ) -> None:
        self.transcript = transcript
        self.frozen = frozen
        self.position = position
        self.listener = listener
        self._read = read
        self._gone = gone

    @property
    def usage(self) -> TokenUsage:
        """Tokens read and written so far."""
        return replace(self._read, generated_tokens=len(self.transcript.ids))

    @property
    def finish_reason(self) -> FinishReason | None:
        """Why the answer ended; None while it is being written, and where it was cut short."""
        return self.transcript.finish_reason

    @property
    def cancelled(self) -> bool:
        """Whether nobody wants it any more."""
        return self._gone.is_set()

    def cancel(self) -> None:
        """Has the row leave at the next step."""
        self._gone.set()

    def write(self, logits: torch.Tensor) -> bool:
        """Writes the token that these logits (vocabulary,) call for; returns whether more may follow."""
        text = self.transcript.add(self.transcript.choose(logits))
        if text:
            self.listener.said(text)
        return self.finish_reason is None


class Scheduler:
    """Writes answers on one device. `join` and `step` belong to the device's thread.

    An error in one answer ends that answer. Where a pass over all fails, each is tried alone, and those
    that fail alone end with what went wrong.
    """

    def __init__(self, lm: LanguageModel) -> None:
        self._lm = lm
        self._own = GrowingKeys()
        self._rows: list[Row] = []
        self.steps = 0
        self.tokens = 0

    def __len__(self) -> int:
        """How many answers are being written."""
        return len(self._rows)

    @property
    def nbytes(self) -> int:
        """Bytes of the keys and values that answers grow in."""
        return self._own.nbytes

    @torch.inference_mode()
    def join(self, generation: Generation, listener: Listener, gone: threading.Event | None = None) -> Row:
        """Takes the answer over, says its first token at once, and writes the others in later steps.

        The row leaves at the step after `gone` is set, or the row's `cancel` called.
        """
        usage = generation.usage
        prompt, transcript = generation.hand_over()
        frozen, beginning = _split(prompt)
        row = Row(transcript, frozen, prompt.position, usage, listener, gone or threading.Event())
        listener.began(row)
        if self._tried(row, prompt.logits):
            self._own.add(beginning)
            self._rows.append(row)
        return row

    @torch.inference_mode()
    def step(self) -> bool:
        """Writes one token of every answer; returns whether there is anything left to write."""
        for at in reversed(range(len(self._rows))):
            if self._rows[at].cancelled:
                self._leave(at, None)
        if self._rows:
            self.steps += 1
            for at, logits in reversed(list(enumerate(self._logits()))):
                if isinstance(logits, Exception):
                    self._leave(at, logits)
                    continue
                self._own.lengths[at] += 1
                self._rows[at].position += 1
                if not self._tried(self._rows[at], logits):
                    self._drop(at)
        return bool(self._rows)

    def close(self) -> None:
        """Ends every answer."""
        for at in reversed(range(len(self._rows))):
            self._leave(at, None)

    def _logits(self) -> Sequence[torch.Tensor | Exception]:
        """What each answer's last token calls for, or why there is no telling."""
        try:
            return list(self._forward(slice(0, len(self._rows))))
        except Exception as error:
            if len(self._rows) == 1:
                return [error]
            _log.warning("a step over %d answers failed; each is tried alone", len(self._rows), exc_info=True)
        return [self._alone(at) for at in range(len(self._rows))]

    def _alone(self, at: int) -> torch.Tensor | Exception:
        try:
            logits: torch.Tensor = self._forward(slice(at, at + 1))[0]
        except Exception as error:
            return error
        return logits

    def _forward(self, rows: slice) -> torch.Tensor:
        """Logits (rows, vocabulary) behind the last tokens, whose keys are written."""
        members, device = self._rows[rows], self._lm.device
        output = self._lm.model(
            input_ids=torch.tensor([[row.transcript.ids[-1]] for row in members], device=device),
            position_ids=torch.tensor([[row.position] for row in members], device=device),
            use_cache=False,
            ape=BatchCall(self._own, rows, [row.frozen for row in members]),
        )
        logits: torch.Tensor = output.logits[:, -1]
        return logits

    def _tried(self, row: Row, logits: torch.Tensor) -> bool:
        """Whether the row goes on after its next token; if not, it has been told."""
        error: Exception | None = None
        try:
            self.tokens += 1
            if row.write(logits):
                return True
        except Exception as raised:
            error = raised
        _tell(row, error)
        return False

    def _leave(self, at: int, error: Exception | None) -> None:
        row = self._rows[at]
        self._drop(at)
        _tell(row, error)

    def _drop(self, at: int) -> None:
        """Lets go of all that a row holds; the last row moves to its place, as in its keys."""
        self._own.remove(at)
        self._rows[at] = self._rows[-1]
        self._rows.pop()


def _split(prompt: ReadPrompt) -> tuple[FrozenPart, list[tuple[torch.Tensor, torch.Tensor]]]:
    """What stays as it was read, and what the row begins with."""
    layers = [(layer.keys, layer.values) for layer in prompt.cache.layers]
    if layers[0][0].shape[2] <= _COPIED_TOKENS:
        return FrozenPart(prompt.ape), layers
    return FrozenPart(prompt.ape, tuple(layers)), [
        (keys[:, :, :0], values[:, :, :0]) for keys, values in layers
    ]


def _tell(row: Row, error: Exception | None) -> None:
    """Nobody may be listening any more, and that is no concern of the other answers."""
    try:
        row.listener.ended(error)
    except Exception:
        _log.warning("the end of an answer could not be told", exc_info=True)
