"""Options of the methods that make a follow-up a question of its own before it is searched."""

from __future__ import annotations

from typing import Annotated, ClassVar

from msgspec import Meta

from excerpta.types.methods import MethodOptions


class RewriteMethod(MethodOptions, frozen=True, kw_only=True):
    """Base: the last `turns` questions of the conversation and their answers are read."""

    turns: Annotated[int, Meta(ge=1, le=20, description="Earlier questions that are read.")] = 4


class Rule(RewriteMethod, frozen=True, kw_only=True, tag="rule"):
    """Puts names of the last question for a pronoun, and a fragment in the last question's place for it."""


class Model(RewriteMethod, frozen=True, kw_only=True, tag="language-model"):
    """The language model writes the question; the rule's is taken where the model's has other words."""

    paper: ClassVar[str] = "Vakulenko et al. 2021 (question rewriting), arXiv 2004.14652"

    max_tokens: Annotated[int, Meta(ge=8, le=200, description="Tokens of the question at most.")] = 48
