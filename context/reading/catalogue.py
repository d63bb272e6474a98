"""The readings by name: ways to read a question over its passages. The first is the default."""

from __future__ import annotations

from excerpta.types.reading import ReadingMethod

from base.methods import Catalogue
from context.reading.base import AnyReading
from context.reading.methods import (
    ape,
    cacheblend,
    epic,
    guard,
    naive,
    sequential,
    structured,
    superposition,
)

CATALOGUE: Catalogue[ReadingMethod, AnyReading] = Catalogue(
    "context.reading",
    ReadingMethod,
    superposition.METHOD,
    ape.METHOD,
    naive.METHOD,
    structured.METHOD,
    guard.METHOD,
    epic.METHOD,
    cacheblend.METHOD,
    sequential.METHOD,
)
"""Why superposition comes first: docs/adr/0007-context-modes.md."""
