"""The input of a reading, the parts of a prompt; and the traits of a reading that the engine needs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeAlias, TypeVar

import torch
from excerpta.types.reading import ReadingMethod
from transformers import DynamicCache

from context.defaults import EngineDefaults
from context.notes import ReadingNotes
from context.writing.generation import ReadPrompt, TokenUsage
from models.attention.blocks import Block
from models.attention.calls import ApeCall
from models.attention.rotation import Rotation
from models.attention.watch import AttentionWatch
from models.networks.language_model import LanguageModel

Lead: TypeAlias = Callable[[], Sequence[Block]]
"""Reads or finds the blocks of the lead after each passage."""

O = TypeVar("O", bound=ReadingMethod)  # noqa: E741


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Task:
    """A prompt: token ids of prefix, passages and tail, blocks of the first two, and the model's T and S.

    The tail begins after the last passage and ends where the answer begins. `asked` are the question's own
    tokens in it. `blocks` is empty if the reading takes none. `rotation` is created at its first use. So are
    the blocks of `lead`: the tail's first tokens, before the last one that the question follows, after each
    passage. `lead` is None if those blocks depend on more than the passage. `saliency` gives the mean log p
    of the question's tokens after each passage alone.
    """

    method: str
    lm: LanguageModel
    prefix_ids: Sequence[int]
    texts: Sequence[Sequence[int]]
    tail: Sequence[int]
    asked: range
    prefix: Block
    blocks: Sequence[Block]
    usage: TokenUsage
    defaults: EngineDefaults
    statistics: bool
    rotation: Callable[[], Rotation]
    saliency: Callable[[], Sequence[float]]
    lead: Lead | None = None

    @property
    def ids(self) -> list[int]:
        """The whole prompt in sequence."""
        return [*self.prefix_ids, *(token for text in self.texts for token in text), *self.tail]

    def watch(self, sizes: Sequence[int] = ()) -> AttentionWatch | None:
        """A recorder of attention statistics, if they were requested."""
        return AttentionWatch(sizes) if self.statistics else None

    def done(
        self,
        cache: DynamicCache,
        logits: torch.Tensor,
        position: int,
        *,
        ape: ApeCall | None = None,
        watch: AttentionWatch | None = None,
        read: Sequence[int] | None = None,
        saliency: Sequence[float] = (),
    ) -> ReadPrompt:
        """The prompt as read, for the answer to continue. `read` are the visible passages, all by default."""
        policy = ape or ApeCall()
        shares = [] if watch is None else watch.shares
        seen = range(len(self.texts)) if read is None else read
        notes = ReadingNotes(
            method=self.method,
            temperature=policy.temperature,
            scale=policy.scale,
            bias=policy.bias,
            read=tuple(seen),
            entropy=None if watch is None else watch.entropy,
            shares=tuple(dict(zip(seen, shares, strict=True)).get(at, 0.0) for at in range(len(self.texts)))
            if shares
            else (),
            saliency=tuple(saliency),
        )
        return ReadPrompt(cache, logits, position, ape, self.usage, notes, self.texts)


@dataclass(frozen=True, slots=True)
class Reading(Generic[O]):
    """One way to read a question over its passages: the product of a method of the catalogue.

    `in_sequence`: the passages' lengths add up; side by side only the longest counts. `blocks`: it reads
    cached blocks of the passages. `leads`: it reads the lead after each passage, so that warming a passage
    caches its lead as well.
    """

    read: Callable[[Task, O], ReadPrompt]
    in_sequence: bool = False
    blocks: bool = True
    leads: bool = False


AnyReading: TypeAlias = Reading[Any]
