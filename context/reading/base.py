"""The input of a reading mode: the parts of a prompt, and its settings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from transformers import DynamicCache

from context.notes import ReadingNotes
from context.writing.generation import ReadPrompt, TokenUsage
from models.attention.blocks import Block
from models.attention.calls import ApeCall
from models.attention.rotation import Rotation
from models.attention.watch import AttentionWatch
from models.networks.language_model import LanguageModel


@dataclass(frozen=True, slots=True, kw_only=True)
class ModeSettings:
    """The settings of all modes. Each mode's file documents the ones it uses, and the meaning of None."""

    temperature: float = 1.0
    scale: float = 1.0
    bias: float = 0.0
    keep: int | None = None
    recompute_tokens: int = 16
    recompute_share: float = 0.15


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Task:
    """A prompt: token ids of prefix, passages and tail, blocks of the first two, and the settings.

    The tail begins after the last passage and ends where the answer begins. `asked` are the question's own
    tokens in it. `blocks` is empty if the mode reads none. `rotation` is created at its first use. So are the
    blocks of `lead`: the tail's first tokens, before the last one that the question follows, after each
    passage. `lead` is None if those blocks depend on more than the passage.
    """

    mode: str
    lm: LanguageModel
    prefix_ids: Sequence[int]
    texts: Sequence[Sequence[int]]
    tail: Sequence[int]
    asked: range
    prefix: Block
    blocks: Sequence[Block]
    usage: TokenUsage
    settings: ModeSettings
    statistics: bool
    rotation: Callable[[], Rotation]
    lead: Callable[[], Sequence[Block]] | None = None

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
            mode=self.mode,
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
