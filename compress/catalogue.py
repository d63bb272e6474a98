"""The compressors by name; the first is the default."""

from __future__ import annotations

from collections.abc import Collection

from excerpta.types.compress import CompressMethod

from base.methods import Catalogue
from compress.base import AnyScorer
from compress.methods import clusters, evaluator_heads, lexical, perplexity, token_classifier

CATALOGUE: Catalogue[CompressMethod, AnyScorer] = Catalogue(
    "compress",
    CompressMethod,
    lexical.METHOD,
    token_classifier.METHOD,
    evaluator_heads.METHOD,
    perplexity.METHOD,
    clusters.METHOD,
)


def without_question(available: Collection[str]) -> str:
    """The name of the first network trained to read no question that is available; else of the default.

    Share of 60 questions (squad2-dev, eval half, five passages of one article each) whose answer survives at
    33% and 50% of the tokens: lexical .93 and .98, the trained classifier .43 and .60, random words .25 and
    .35 (`python -m benchmarks compress --data DATA/squad2-dev`). SQuAD's questions share words with their
    passages, which helps the lexical one; without a question it has nothing to go by.
    """
    blind = (one for one in CATALOGUE.values() if not one.options.reads_question and one.needs - {"lm"})
    return next((one.name for one in blind if one.needs.issubset(available)), CATALOGUE.default)
