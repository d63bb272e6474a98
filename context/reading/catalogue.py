"""The reading modes by name: ways to read a question over cached passages, one file per method."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal, TypeAlias

from context.reading.base import ModeSettings, Task
from context.reading.methods.ape import ape
from context.reading.methods.cacheblend import cacheblend
from context.reading.methods.epic import epic
from context.reading.methods.guard import guard
from context.reading.methods.naive import naive
from context.reading.methods.sequential import sequential
from context.reading.methods.structured import structured
from context.reading.methods.superposition import path_saliency, superposition
from context.writing.generation import ReadPrompt

Mode: TypeAlias = Literal[
    "ape", "naive", "structured", "guard", "superposition", "epic", "cacheblend", "sequential"
]

MODES: Mapping[Mode, Callable[[Task], ReadPrompt]] = {
    "ape": ape,
    "naive": naive,
    "structured": structured,
    "guard": guard,
    "superposition": superposition,
    "epic": epic,
    "cacheblend": cacheblend,
    "sequential": sequential,
}

IN_SEQUENCE = frozenset[Mode]({"sequential", "epic", "cacheblend"})
"""Modes in which the passages' lengths add up; in the others only the longest counts."""

CALIBRATED = frozenset[Mode]({"ape", "guard"})
"""Modes whose T and S are the model's own unless something else is asked for."""

DEFAULT_MODE: Mode = "superposition"
"""What "auto" means (docs/adr/0007-context-modes.md)."""

__all__ = [
    "CALIBRATED",
    "DEFAULT_MODE",
    "IN_SEQUENCE",
    "MODES",
    "Mode",
    "ModeSettings",
    "Task",
    "path_saliency",
]
