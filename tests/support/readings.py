"""Answers started by a reading's name, with its options and those of writing in one call."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from excerpta.types.reading import ReadingMethod

from context import READINGS, ContextEngine, ContextPassage, Generation, Writing

_WRITING = {
    "max_tokens": "max_tokens",
    "sampling": "temperature",
    "seed": "seed",
    "no_repeat_ngram": "no_repeat_ngram",
}
_CALL = ("statistics", "salt", "modules")


def reading(method: str = "ape", **options: Any) -> ReadingMethod:
    """The options of a reading."""
    return READINGS.resolve({"method": method, **options})


def begin(
    engine: ContextEngine,
    question: str,
    passages: Sequence[ContextPassage],
    method: str = "ape",
    **options: Any,
) -> Generation:
    """An answer at its first token; `sampling` is the temperature of writing."""
    written = {name: options.pop(given) for given, name in _WRITING.items() if given in options}
    call = {name: options.pop(name) for name in _CALL if name in options}
    return engine.start(
        question,
        passages,
        reading(method, **options),
        writing=Writing(**{"max_tokens": 200} | written),
        **call,
    )
