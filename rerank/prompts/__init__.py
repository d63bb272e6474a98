"""Prompts as data: TOML files beside this module, their placeholders checked when they are read."""

from __future__ import annotations

import string
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TypeVar

from rerank.errors import InvalidPrompt

_HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class ListwisePrompt:
    """FIRST's prompt in five parts. `answer` is the beginning of the reply, given to the model."""

    system: str
    head: str
    passage: str
    tail: str
    answer: str


@dataclass(frozen=True, slots=True)
class LikelihoodPrompt:
    """Query likelihood's prompt: `before` + passage + `after`, then `question` is scored."""

    before: str
    after: str
    question: str


_PLACEHOLDERS: Mapping[type, Mapping[str, frozenset[str]]] = {
    ListwisePrompt: {
        "head": frozenset({"num", "query"}),
        "passage": frozenset({"letter", "text"}),
        "tail": frozenset({"num", "query"}),
    },
    LikelihoodPrompt: {"question": frozenset({"query"})},
}

PromptT = TypeVar("PromptT", ListwisePrompt, LikelihoodPrompt)


def read_prompt(kind: type[PromptT], path: Path) -> PromptT:
    """Reads a prompt of `kind` from a TOML file; every part must have exactly its placeholders."""
    try:
        parts = tomllib.loads(path.read_text("utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise InvalidPrompt(path.name, str(error)) from error
    wanted = [field.name for field in fields(kind)]
    if sorted(parts) != sorted(wanted):
        raise InvalidPrompt(
            path.name, f"it must have the keys {', '.join(wanted)}; it has {', '.join(parts)}."
        )
    for name, text in parts.items():
        if not isinstance(text, str):
            raise InvalidPrompt(path.name, f"{name} must be a string.")
        _check_placeholders(path.name, name, text, _PLACEHOLDERS[kind].get(name, frozenset()))
    return kind(**parts)


def _check_placeholders(prompt: str, part: str, text: str, wanted: frozenset[str]) -> None:
    try:
        found = {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}
    except ValueError as error:
        raise InvalidPrompt(prompt, f"{part}: {error}") from error
    if found != wanted:
        expected = ", ".join(f"{{{name}}}" for name in sorted(wanted)) or "no placeholder"
        raise InvalidPrompt(prompt, f"{part} must have {expected}; it has {sorted(found) or 'none'}.")


def first_prompt() -> ListwisePrompt:
    """The prompt FIRST checkpoints are trained with."""
    return read_prompt(ListwisePrompt, _HERE / "first.toml")


def likelihood_prompt() -> LikelihoodPrompt:
    """The prompt of query likelihood."""
    return read_prompt(LikelihoodPrompt, _HERE / "likelihood.toml")


__all__ = ["LikelihoodPrompt", "ListwisePrompt", "first_prompt", "likelihood_prompt", "read_prompt"]
