"""Notes about how a prompt was read, for the trace."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingNotes:
    """How a prompt was read. Lists of numbers have one a passage, and are empty where none were taken.

    `read` names the passages that the answer can see, by their place. `entropy` is that of the last query
    row's attention, in nats, mean over heads and layers; `shares` the part of that attention that each
    passage has. `saliency` is the mean log p of the question's tokens after each passage.
    """

    method: str = ""
    temperature: float = 1.0
    scale: float = 1.0
    bias: float = 0.0
    read: tuple[int, ...] = ()
    entropy: float | None = None
    shares: tuple[float, ...] = ()
    saliency: tuple[float, ...] = ()
