"""The rule that makes a follow-up a question of its own, without a model: names and fragments.

A pronoun is replaced by the names of the question before it, or of its answer. A fragment ("And in 1990?")
takes the place of the like part of the question before it. What has neither stays as it is. Earlier questions
are rewritten first, so that a topic is kept over several turns.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from context.rewriting.base import LONGEST_FOLLOW_UP, Exchange, Turn, exchanges
from context.rewriting.follow_ups import (
    PERSONS,
    Pronoun,
    content,
    is_number,
    lean,
    names,
    pronouns,
    replaces,
    without_opener,
)

_MOST_ADDED = 8
"""Words that a question is given of those before it, at most."""

_SHORT_ANSWER = 6
"""Words of an answer that may be what the next question is about."""

_NUMBER = re.compile(r"\b\d[\d,.]*\b")
_PREPOSITION = re.compile(
    r"\b(?:in|on|at|for|by|with|without|within|from|to|after|before|during|since|until|between|under|over|above"
    r"|below|about)\b",
    re.IGNORECASE,
)
_SMALL = r"\b(?:the|an?|of|for|in|on|at|by|to|from|with|is|are|was|were)\s+"
_LAST_PART = re.compile(rf"{_SMALL}(?!.*{_SMALL})", re.IGNORECASE)
_ARTICLE = re.compile(r"^(?:the|an?)\s+", re.IGNORECASE)
_WHO = re.compile(r"\bwho(?:m|se)?\b", re.IGNORECASE)
_YES_OR_NO = re.compile(r"(?:yes|no|it|they|he|she)\b", re.IGNORECASE)
_NO_ANSWER = re.compile(r"\bdo(?:es)? not answer\b", re.IGNORECASE)


def stand_alone(conversation: Sequence[Turn], question: str, turns: int) -> str:
    """The question with what it leaves out, by the last `turns` questions and their answers.

    >>> before = [Turn("user", "Who founded the Bank of England?"), Turn("assistant", "William III [1].")]
    >>> stand_alone(before, "When was it founded?", 4)
    'When was Bank of England (William III) founded?'
    >>> stand_alone(before, "And the Bank of France?", 4)
    'Who founded the Bank of France?'
    """
    before: Exchange | None = None
    for one in exchanges(conversation, turns):
        before = Exchange(_alone(one.question, before), one.answer)
    return _alone(question, before)


def _alone(question: str, before: Exchange | None) -> str:
    if before is None or len(question) > LONGEST_FOLLOW_UP:
        return question
    leans = lean(question)
    if leans == "pronoun":
        return _named(question, before)
    return _completed(question, before) if leans == "fragment" else question


def _named(question: str, before: Exchange) -> str:
    """The question with names in place of its first pronoun."""
    first = pronouns(question)[0]
    meant, others = _referents(first, before)
    added = f" ({', '.join(others)})" if others else ""
    if not meant:
        return f"{question.rstrip('?. ')}{added}?"
    whose = "’s" if first.possessive else ""
    meant = f"in {meant}" if first.word == "there" else meant
    return f"{question[: first.start]}{meant}{whose}{added}{question[first.end :]}"


def _referents(pronoun: Pronoun, before: Exchange) -> tuple[str, list[str]]:
    """What a pronoun most likely stands for, and what it may stand for besides."""
    asked = [name for name in names(before.question) if not is_number(name)]
    said = _short(before.answer)
    answered = [said] if said and not is_number(said) else []
    who, person = bool(_WHO.search(before.question)), pronoun.word in PERSONS
    if not asked:
        words = content(before.question)[:_MOST_ADDED]
        if answered and said[:1].isupper() and (person or not who):
            return said, []
        return "", [*words, *answered]
    ranked = [*answered, *asked] if person and who else [*asked, *answered]
    return ranked[0], _few(ranked[1:])


def _few(texts: Sequence[str]) -> list[str]:
    """The first of them that have few words together."""
    kept: list[str] = []
    for text in texts:
        if sum(len(one.split()) for one in [*kept, text]) > _MOST_ADDED:
            break
        kept.append(text)
    return kept


def _short(answer: str) -> str:
    """An answer of few words, or the names at the beginning of a longer one; empty for a refusal."""
    if _NO_ANSWER.search(answer):
        return ""
    first = re.split(r"(?<=[.!?])\s", answer)[0].rstrip(".!? ")
    if _PREPOSITION.match(first) or _YES_OR_NO.match(first):
        return next((name for name in names(f"and {first}") if not is_number(name)), "")
    if len(first.split()) <= _SHORT_ANSWER:
        return first
    return next(iter(names(first)), "")


def _completed(question: str, before: Exchange) -> str:
    """The question before with the fragment in the place of what it is like, or behind it."""
    fragment, asked = without_opener(question).rstrip("?!. "), before.question.rstrip("?!. ")
    if not fragment:
        return before.question
    if not content(fragment) and not names(fragment):  # "Why?"
        said = _short(before.answer)
        return f"{asked}{f', {said}' if said else ''}, {fragment.lower()}?"
    if (replaced := _alike(asked, fragment)) is not None:
        return f"{replaced}?"
    new = _ARTICLE.sub("", fragment)
    # Behind "and" a capital opens no sentence, so it is that of a name.
    opened = fragment if fragment == question.rstrip("?!. ") else f"and {fragment}"
    named, naming = ([one for one in names(text) if not is_number(one)] for text in (asked, opened))
    instead = replaces(question) or naming == [new]
    if instead and len(named) == 1:
        return f"{asked.replace(named[0], new)}?"
    tail = None if _PREPOSITION.match(fragment) else _LAST_PART.search(asked)
    if tail and (instead or not any(name in asked[tail.end() :] for name in named)):
        return f"{asked[: tail.end()]}{new}?"
    return f"{asked}, {fragment}?"


def _alike(asked: str, fragment: str) -> str | None:
    """The question with the fragment for its last part with a preposition, or its last number."""
    number = bool(_NUMBER.search(fragment))
    if _PREPOSITION.match(fragment):
        for place in reversed(list(_PREPOSITION.finditer(asked))):
            part = asked[place.start() :]
            if bool(_NUMBER.search(part)) == number and bool(names(part)) == bool(names(fragment)):
                return f"{asked[: place.start()]}{fragment}"
        return None
    if _NUMBER.fullmatch(fragment) and (numbers := list(_NUMBER.finditer(asked))):
        return f"{asked[: numbers[-1].start()]}{fragment}{asked[numbers[-1].end() :]}"
    return None
