"""The request for one answer: question, passages, options."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from api.query import plan as plans
from context import ContextPassage, FilledPrompt, Held

_CHARACTERS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerRequest:
    """A question and the passages to answer it from.

    With `explain`, the answer's notes have the attention of the question. `modules` come before the passages.
    `held` is what earlier stages have read of them.
    """

    question: str
    passages: Sequence[ContextPassage]
    context: plans.Context
    options: plans.Answer
    explain: bool = False
    modules: FilledPrompt | None = None
    held: Held = field(default_factory=Held)

    @property
    def tokens(self) -> int:
        """An upper estimate of the tokens read and written."""
        read = [one.text for one in self.passages] + ([self.modules.text] if self.modules else [])
        return self.options.max_tokens + sum(map(tokens_of, read))


def tokens_of(text: str) -> int:
    """An upper estimate of a text's tokens. An exact count would need the device.

    >>> tokens_of("No dogs.")
    3
    """
    return -(-len(text) // _CHARACTERS)


def tokens_asked(plan: plans.Plan, passage_tokens: int, modules: FilledPrompt | None = None) -> int:
    """The most tokens that an answer by this plan reads and writes; 0 without an answer.

    `passage_tokens` is the size of a passage. `modules` come before the passages.
    """
    if plan.answer is None:
        return 0
    whole = plan.context.passages * passage_tokens
    read = whole if plan.compress is None else min(plan.compress.target_tokens, whole)
    return read + plan.answer.max_tokens + (tokens_of(modules.text) if modules else 0)
