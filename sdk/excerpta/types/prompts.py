"""Prompts: named modules before the passages, each encoded once and cached."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, field

from excerpta.types.base import Name, Reply, Request

ParameterName = Annotated[
    str, Meta(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,63}$", description="Letters, digits, _")
]


class PromptModule(Request, omit_defaults=False):
    """A text with a name: instructions, examples. Modules follow each other as they are, without a space.

    `{name}` in the text is a parameter, of at most `parameters[name]` tokens; `{{` and `}}` are braces.
    """

    name: Name
    text: Annotated[str, Meta(min_length=1, max_length=20_000)]
    parameters: Annotated[dict[ParameterName, Annotated[int, Meta(ge=1, le=1024)]], Meta(max_length=16)] = (
        field(default_factory=dict)
    )


class PromptSettings(Request, omit_defaults=False):
    """The modules of a prompt, in order."""

    modules: Annotated[list[PromptModule], Meta(min_length=1, max_length=32)]


class PromptReply(Reply):
    """One prompt."""

    name: str
    modules: list[PromptModule]
    created_at: str
    updated_at: str


class PromptList(Reply):
    """All prompts, by name."""

    prompts: list[PromptReply]


class PromptUse(Request):
    """The prompt of an answer: its `modules` (all if none is named) and their arguments.

    A parameter without a value is empty.
    """

    name: Name
    modules: Annotated[list[Name], Meta(min_length=1, max_length=32)] | None = None
    parameters: Annotated[
        dict[ParameterName, Annotated[str, Meta(max_length=10_000)]], Meta(max_length=64)
    ] = field(default_factory=dict)
