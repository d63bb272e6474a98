"""The ways to rewrite a follow-up by name; the first is the default."""

from __future__ import annotations

from excerpta.types.rewrite import RewriteMethod

from base.methods import Catalogue
from context.rewriting.base import AnyRewriter
from context.rewriting.methods import language_model, rule

CATALOGUE: Catalogue[RewriteMethod, AnyRewriter] = Catalogue(
    "rewrite",
    RewriteMethod,
    rule.METHOD,
    language_model.METHOD,
)
