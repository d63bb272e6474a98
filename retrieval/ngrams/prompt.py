"""The prompt that makes a language model write passages for a question."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from models.networks.language_model import LanguageModel
from retrieval.ngrams.language_tree import LanguageTree, Prefix
from retrieval.ngrams.words import openers
from retrieval.types import Bits

_EXAMPLES = (
    (
        "Which river flows through Vienna?",
        "Vienna lies on the Danube, which leaves the Alps behind there and turns east towards Hungary.",
    ),
    (
        "How is paper made from wood?",
        "Wood pulp is cooked and bleached, then spread on a moving screen, pressed and dried into sheets.",
    ),
)
_SHOTS = "".join(f"Question: {question}\nPassage: {passage}\n\n" for question, passage in _EXAMPLES)
_MOST_QUESTION_TOKENS = 256


@dataclass(frozen=True, slots=True)
class Writer:
    """Computed once per language model: the encoded beginning, and the tokens that may open n-grams."""

    prefix: Prefix
    openers: Bits


_writers: WeakKeyDictionary[LanguageModel, Writer] = WeakKeyDictionary()


def writer(lm: LanguageModel, *, examples: bool = True) -> Writer:
    """The writer of a language model; made at the first call and kept as long as the model.

    A model that was trained to write n-grams needs no `examples`.
    """
    found = _writers.get(lm)
    if found is None:
        found = Writer(Prefix(lm, _beginning(lm, examples=examples)), openers(lm))
        _writers[lm] = found
    return found


def read_question(
    lm: LanguageModel, question: str, *, most_depth: int, examples: bool = True
) -> LanguageTree:
    """The tree whose root stands where a passage that answers the question would begin."""
    return LanguageTree(lm, writer(lm, examples=examples).prefix, _asked(lm, question), most_depth=most_depth)


def question_ids(lm: LanguageModel, question: str) -> list[int]:
    """The whole prompt of a model that was trained to write n-grams."""
    return [*_beginning(lm, examples=False), *_asked(lm, question)]


def _beginning(lm: LanguageModel, *, examples: bool) -> list[int]:
    start: Sequence[int] = lm.tokenizer("").input_ids
    return [*start, *lm.encode(f"{_SHOTS if examples else ''}Question:")]


def _asked(lm: LanguageModel, question: str) -> list[int]:
    return [*lm.encode(f" {question}")[:_MOST_QUESTION_TOKENS], *lm.encode("\nPassage:")]
