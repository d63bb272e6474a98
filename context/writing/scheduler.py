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

from context.writing.drafting import Drafter
from context.writing.generation import Generation, TokenUsage
from context.writing.transcript import FinishReason, Transcript
from models.attention.batch import FrozenPart
from models.attention.step import rows_to_write, writing_call
from models.networks.language_model import LanguageModel

_log = logging.getLogger(__name__)


class Listener(Protocol):
    """Receives the pieces of an answer on the scheduler's thread. It must not block."""

    def began(self, row: Row) -> None:
        """Called once, before all other calls, when the prompt has been read."""

    def said(self, text: str) -> None:
        """The next piece of the answer, never empty."""

    def ended(self, error: Exception | None) -> None:
        """Called last: the row has ended, by itself, by `cancel` or by this error."""


class Row:
    """One of the answers that are being generated. Only `cancel` is safe on every thread."""

    def __init__(
        self,
        transcript: Transcript,
        position: int,
        read: TokenUsage,
        listener: Listener,
        gone: threading.Event,
        drafter: Drafter | None = None,
    ) -> None:
        self.transcript = transcript
        self.frozen = FrozenPart()
        self.position = position
        self.listener = listener
        self._read = read
        self.drafter = drafter
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
        """Whether the answer was cancelled."""
        return self._gone.is_set()

    def cancel(self) -> None:
        """Removes the row at the next step."""
        self._gone.set()

    def draft(self) -> list[int]:
        """Drafted tokens that may follow the next one."""
        if self.drafter is None:
            return []
        return self.drafter.draft(self.transcript.ids, self.transcript.left - 1)

    def write(self, logits: torch.Tensor, draft: Sequence[int] = ()) -> tuple[int, bool]:
        """Writes the tokens that logits (1 + draft, vocabulary) call for, as far as they follow the draft.

        Each is chosen as if it came alone, so a draft changes nothing but the number of passes. Returns
        how many tokens of the draft were right, and whether more may follow.
        """
        for at, row in enumerate(logits):
            token = self.transcript.choose(row)
            text = self.transcript.add(token)
            if text:
                self.listener.said(text)
            if self.finish_reason is not None:
                return at, False
            if at == len(draft) or token != draft[at]:
                break
        if self.drafter is not None:
            self.drafter.learn(len(draft), at)
        return at, True


class Scheduler:
    """Writes answers on one device. `join` and `step` belong to the device's thread.

    An error in one answer ends only that answer. If a pass over all fails, each is tried alone, and those
    that fail alone end with their error. Up to `drafts` tokens are drafted from the passages while at most
    `drafting_rows` answers are being generated: with more rows, a pass is expensive enough without drafts.
    """

    def __init__(self, lm: LanguageModel, *, drafts: int = 0, drafting_rows: int = 2) -> None:
        self._lm = lm
        self._drafts, self._drafting_rows = drafts, drafting_rows
        self._own = rows_to_write(lm.device)
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
        """Adds an answer, emits its first token at once, and generates the others in later steps.

        The row leaves at the step after `gone` is set, or the row's `cancel` called.
        """
        usage = generation.usage
        prompt, transcript = generation.hand_over()
        drafter = Drafter(prompt.source, self._drafts) if self._drafts else None
        row = Row(transcript, prompt.position, usage, listener, gone or threading.Event(), drafter)
        listener.began(row)
        if self._tried(row, prompt.logits[None], [])[1]:
            row.frozen, beginning = prompt.beginning()
            self._own.add(beginning)
            self._rows.append(row)
        return row

    @torch.inference_mode()
    def step(self) -> bool:
        """Generates one token of every answer, or more by drafts; returns whether any answer is left.

        Never raises: an error ends the affected answers and is passed to their listeners.
        """
        try:
            self._step()
        except Exception as error:
            _log.exception("a step failed; %d answers end with it", len(self._rows))
            rows, self._rows, self._own = self._rows, [], rows_to_write(self._lm.device)
            for row in rows:
                _tell(row, error)
        return bool(self._rows)

    def _step(self) -> None:
        for at in reversed(range(len(self._rows))):
            if self._rows[at].cancelled:
                self._leave(at, None)
        if self._rows:
            self.steps += 1
            drafting = len(self._rows) <= self._drafting_rows
            drafts = [row.draft() if drafting else [] for row in self._rows]
            for at, logits in reversed(list(enumerate(self._logits(drafts)))):
                if isinstance(logits, Exception):
                    self._leave(at, logits)
                    continue
                row, draft = self._rows[at], drafts[at]
                followed, goes_on = self._tried(row, logits[: 1 + len(draft)], draft)
                self._own.lengths[at] += 1 + followed
                row.position += 1 + followed
                if not goes_on:
                    self._drop(at)

    def _logits(self, drafts: Sequence[Sequence[int]]) -> Sequence[torch.Tensor | Exception]:
        """The logits for each answer's last token and draft, or the error of an answer that failed."""
        try:
            return list(self._forward(slice(0, len(self._rows)), drafts))
        except Exception as error:
            if len(self._rows) == 1:
                return [error]
            count = len(self._rows)
            _log.warning("a step over %d answers failed; each is tried alone", count, exc_info=True)
        return [self._alone(at, draft) for at, draft in enumerate(drafts)]

    def _alone(self, at: int, draft: Sequence[int]) -> torch.Tensor | Exception:
        try:
            logits: torch.Tensor = self._forward(slice(at, at + 1), [draft])[0]
        except Exception as error:
            return error
        return logits

    def _forward(self, rows: slice, drafts: Sequence[Sequence[int]]) -> torch.Tensor:
        """Logits (rows, queries, vocabulary) behind the last tokens and their drafts; their keys are kept."""
        members = self._rows[rows]
        queries = 1 + max(map(len, drafts))
        ids = [
            [row.transcript.ids[-1], *draft, *[0] * (queries - 1 - len(draft))]
            for row, draft in zip(members, drafts, strict=True)
        ]
        positions = torch.tensor([[row.position] for row in members]) + torch.arange(queries)
        call = writing_call(self._own, rows, [row.frozen for row in members], queries)
        return self._lm.step(torch.tensor(ids), positions, call)

    def _tried(self, row: Row, logits: torch.Tensor, draft: Sequence[int]) -> tuple[int, bool]:
        """The result of `Row.write`. If the row has ended, its listener has been notified."""
        error: Exception | None = None
        before = len(row.transcript.ids)
        try:
            followed, goes_on = row.write(logits, draft)
            if goes_on:
                return followed, True
        except Exception as raised:
            error = raised
        finally:
            self.tokens += len(row.transcript.ids) - before
        _tell(row, error)
        return 0, False

    def _leave(self, at: int, error: Exception | None) -> None:
        row = self._rows[at]
        self._drop(at)
        _tell(row, error)

    def _drop(self, at: int) -> None:
        """Releases all that a row holds. The last row moves to its place, as in the keys."""
        self._own.remove(at)
        self._rows[at] = self._rows[-1]
        self._rows.pop()


def _tell(row: Row, error: Exception | None) -> None:
    """Ignores errors of a listener that has gone: they must not affect the other answers."""
    try:
        row.listener.ended(error)
    except Exception:
        _log.warning("the listener of an answer could not be notified of its end", exc_info=True)
