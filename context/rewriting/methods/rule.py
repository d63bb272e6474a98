"""Rewrites a follow-up by the rule of names and fragments, without a model."""

from __future__ import annotations

from collections.abc import Sequence

from excerpta.types.rewrite import Rule

from base.methods import Method
from context.rewriting.base import AnyRewriter, Turn
from context.rewriting.rules import stand_alone


class RuleRewriter:
    """The rule as a rewriter."""

    def rewrite(self, conversation: Sequence[Turn], question: str, options: Rule) -> str:
        """The question with what it leaves out."""
        return stand_alone(conversation, question, options.turns)


METHOD: Method[Rule, AnyRewriter] = Method(
    Rule,
    lambda networks: RuleRewriter(),
    measured="97 % of the hits@5 of the stand-alone question, the follow-up itself 86 % "
    "(`benchmarks conversations --seed 23`)",
)
