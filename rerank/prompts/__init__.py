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
LISTWISE = ("first", "first-mistral", "letters")


@dataclass(frozen=True, slots=True)
class ListwisePrompt:
    """FIRST's prompt. `answer` is the beginning of the reply, given to the model; `system` may be empty.

    `neutral` is asked in place of a question to see what the letters are given whatever it is.
    """

    system: str
    head: str
    passage: str
    tail: str
    answer: str
    neutral: str


@dataclass(frozen=True, slots=True)
class LikelihoodPrompt:
    """Query likelihood's prompt: `before` + passage + `after`, then `question` is scored."""

    before: str
    after: str
    question: str


@dataclass(frozen=True, slots=True)
class AttentionPrompt:
    """ICR's prompt: `head`, the passages between `label` and `after`, then `question`, or `neutral` in it."""

    head: str
    label: str
    after: str
    question: str
    neutral: str


@dataclass(frozen=True, slots=True)
class _Placeholders:
    """What a part of a prompt must name, and what it may name besides."""

    needed: frozenset[str]
    allowed: frozenset[str] = frozenset()


_PLACEHOLDERS: Mapping[type, Mapping[str, _Placeholders]] = {
    ListwisePrompt: {
        "head": _Placeholders(frozenset(), frozenset({"num", "query"})),
        "passage": _Placeholders(frozenset({"letter", "text"})),
        "tail": _Placeholders(frozenset({"query"}), frozenset({"num"})),
    },
    LikelihoodPrompt: {"question": _Placeholders(frozenset({"query"}))},
    AttentionPrompt: {
        "label": _Placeholders(frozenset({"number"})),
        "question": _Placeholders(frozenset({"query"})),
    },
}

PromptT = TypeVar("PromptT", ListwisePrompt, LikelihoodPrompt, AttentionPrompt)


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
        _check_placeholders(path.name, name, text, _PLACEHOLDERS[kind].get(name, _Placeholders(frozenset())))
    return kind(**parts)


def _check_placeholders(prompt: str, part: str, text: str, wanted: _Placeholders) -> None:
    try:
        found = {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}
    except ValueError as error:
        raise InvalidPrompt(prompt, f"{part}: {error}") from error
    if not wanted.needed <= found <= wanted.needed | wanted.allowed:
        expected = ", ".join(f"{{{name}}}" for name in sorted(wanted.needed)) or "no placeholder"
        allowed = ", ".join(f"{{{name}}}" for name in sorted(wanted.allowed))
        besides = f" and may have {allowed}" if allowed else ""
        raise InvalidPrompt(
            prompt, f"{part} must have {expected}{besides}; it has {sorted(found) or 'none'}."
        )


def listwise_prompt(name: str) -> ListwisePrompt:
    """The listwise prompt `name`: one of a published checkpoint, or "letters", that of our own adapters.

    Raises InvalidPrompt for another name.
    """
    if name not in LISTWISE:
        raise InvalidPrompt(name, f"it is none of {', '.join(LISTWISE)}.")
    return read_prompt(ListwisePrompt, _HERE / f"{name}.toml")


def likelihood_prompt() -> LikelihoodPrompt:
    """The prompt of query likelihood."""
    return read_prompt(LikelihoodPrompt, _HERE / "likelihood.toml")


def attention_prompt() -> AttentionPrompt:
    """The prompt of ICR."""
    return read_prompt(AttentionPrompt, _HERE / "icr.toml")


__all__ = [
    "LISTWISE",
    "AttentionPrompt",
    "LikelihoodPrompt",
    "ListwisePrompt",
    "attention_prompt",
    "likelihood_prompt",
    "listwise_prompt",
    "read_prompt",
]
