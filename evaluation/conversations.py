"""Conversations made from the questions of data sets: follow-ups whose stand-alone question is known.

Two questions of one article become two turns. What the second one shares with the first, or with its answer,
is replaced by a pronoun or left out. So the passage that answers the follow-up is known from the judgments.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import msgspec

from evaluation.beir import judgments, rows, split_file

KINDS = ("name", "answer", "third", "ellipsis", "shift")
"""`name`: a name of the first question is a pronoun in the second. `answer`: the first answer is. `third`: as
`name`, with a turn between. `ellipsis`: only what differs is asked. `shift`: the second is about another
article and stands alone."""

_NAME = re.compile(r"\b[A-Z][\w’'-]*(?:\s+(?:(?:of|the|de|van|von)\s+)?[A-Z0-9][\w’'-]*)*")
_OPENING = re.compile(r"^(?:\s*\w+)")
_LONGEST_ANSWER = 5
_VERBS = "did does do was is were are has had have can will would"
_FOLLOWING = (
    rf"(?=[?.,]|$|\s+(?:in|on|at|to|from|by|with|after|before|during|for|{_VERBS.replace(' ', '|')})\b)"
)
"""What may follow a name that is no part of a longer one."""
_PERSON = re.compile(r"\b(he|she|his|her|him)\b", re.IGNORECASE)
_FEMALE = re.compile(r"\b(she|her)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Conversation:
    """Earlier turns as (speaker, text), the follow-up, the question that it stands for, the documents."""

    id: str
    kind: str
    turns: tuple[tuple[str, str], ...]
    follow_up: str
    alone: str
    relevant: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Asked:
    """A question with its first answer and its passage."""

    id: str
    text: str
    answer: str
    passage: str
    article: str
    about: str


def make(
    folders: Sequence[Path], count: int = 60, *, split: str | None = None, seed: int = 0
) -> list[Conversation]:
    """`count` conversations, as many of each kind, from the sets' judged questions; reproducible."""
    asked = [one for folder in folders for one in _questions(folder, split)]
    made: list[Conversation] = []
    for number, kind in enumerate(KINDS):
        wanted = count // len(KINDS) + (number < count % len(KINDS))
        found = list(_of_kind(kind, asked, random.Random(f"{seed} {kind}")))
        made += found[:wanted]
    return made


def write(conversations: Iterable[Conversation], path: Path) -> None:
    """Writes one JSON object a line."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"".join(msgspec.json.encode(asdict(one)) + b"\n" for one in conversations))


def read(path: Path) -> list[Conversation]:
    """What `write` has written."""
    return [msgspec.convert(row, Conversation) for row in rows(path)]


def _questions(folder: Path, split: str | None) -> Iterator[_Asked]:
    about = {
        query: [document for document, grade in grades.items() if grade > 0]
        for query, grades in judgments(split_file(folder, split)).items()
    }
    texts: dict[str, dict[str, Any]] = {row["_id"]: row for row in rows(folder / "corpus.jsonl")}
    for row in rows(folder / "queries.jsonl"):
        documents = [one for one in about.get(row["_id"], []) if one in texts]
        if documents and row.get("answers"):
            passage = texts[documents[0]]
            yield _Asked(
                id=f"{folder.name}/{row['_id']}",
                text=row["text"].strip(),
                answer=min(row["answers"], key=len),
                passage=f"{folder.name}/{documents[0]}",
                article=f"{folder.name}/{passage['title']}",
                about=passage["text"],
            )


def _of_kind(kind: str, asked: Sequence[_Asked], chance: random.Random) -> Iterator[Conversation]:
    """Conversations of one kind, at most two of an article."""
    articles: dict[str, list[_Asked]] = {}
    for one in asked:
        articles.setdefault(one.article, []).append(one)
    names = sorted(articles)
    # Round after round over the articles, so that no article gives most of them.
    waiting = {name: _pairs(kind, articles[name], chance) for name in names}
    chance.shuffle(names)
    for _ in range(2):
        for at, name in enumerate(names):
            other = chance.choice(articles[names[at - 1]])
            if (made := next(_made(kind, waiting[name], articles[name], other), None)) is not None:
                yield made


def _pairs(kind: str, asked: Sequence[_Asked], chance: random.Random) -> Iterator[tuple[_Asked, _Asked]]:
    pairs = [pair for both in combinations(asked, 2) for pair in (both, both[::-1])]
    chance.shuffle(pairs)
    return iter(pairs)


def _made(
    kind: str, pairs: Iterator[tuple[_Asked, _Asked]], article: Sequence[_Asked], other: _Asked
) -> Iterator[Conversation]:
    for first, second in pairs:
        if kind == "shift":
            if _NAME.search(_OPENING.sub("", second.text)):
                yield _conversation(kind, [other], second, second.text)
        elif kind == "ellipsis":
            if (left := _what_differs(first.text, second.text)) is not None:
                yield _conversation(kind, [first], second, f"And {left}?")
        elif kind == "answer":
            short = len(first.answer.split()) <= _LONGEST_ANSWER and first.answer[:1].isupper()
            if short and (asks := _without(first.answer, second)) is not None:
                yield _conversation(kind, [first], second, asks)
        elif (asks := _without(_shared_name(first, second), second)) is not None:
            between = [one for one in article if one not in (first, second)]
            middle = [
                (one, asks_too) for one in between if (asks_too := _without(_shared_name(first, one), one))
            ]
            if kind == "third" and middle:
                one, text = middle[0]
                turns = [first, _Asked(one.id, text, one.answer, one.passage, one.article, one.about)]
                yield _conversation(kind, turns, second, asks)
            elif kind == "name":
                yield _conversation(kind, [first], second, asks)


def _conversation(kind: str, before: Sequence[_Asked], last: _Asked, follow_up: str) -> Conversation:
    turns = [turn for one in before for turn in (("user", one.text), ("assistant", f"{one.answer}."))]
    return Conversation(f"{kind}/{last.id}", kind, tuple(turns), follow_up, last.text, (last.passage,))


def _shared_name(first: _Asked, second: _Asked) -> str:
    """The longest name that both questions have; empty for none."""
    names = _NAME.findall(_OPENING.sub("", first.text))
    shared = [name for name in names if re.search(rf"\b{re.escape(name)}\b", _OPENING.sub("", second.text))]
    return max(shared, key=len, default="").removesuffix("'s").removesuffix("’s")


def _without(name: str, asked: _Asked) -> str | None:
    """The question with a pronoun in place of the name; None if the name is not in it, or nothing is left."""
    if not name:
        return None
    person = len(_PERSON.findall(asked.about)) >= 2 and len(name.split()) <= 3
    female = len(_FEMALE.findall(asked.about)) * 2 > len(_PERSON.findall(asked.about))
    whose, whom = (("her", "she") if female else ("his", "he")) if person else ("its", "it")
    start = rf"(?<![\w-])(?:the\s+)?{re.escape(name)}"
    text, count = re.subn(rf"{start}(?:'s|’s)", whose, asked.text, flags=re.IGNORECASE)
    subject = rf"(?<=\bdid ){start}(?![\w’'-])|(?<=\bdoes ){start}(?![\w’'-])"
    text, more = re.subn(rf"{subject}|{start}{_FOLLOWING}", whom, text, flags=re.IGNORECASE)
    if not count + more or re.search(rf"\b{re.escape(name)}\b", text, re.IGNORECASE):
        return None
    if re.search(rf"[A-Z]\w+ (?:{whose}|{whom})\b|\b(?:and|or) (?:{whom})\b", text):
        return None
    return text[:1].upper() + text[1:] if len(text.split()) > 3 else None


def _what_differs(first: str, second: str) -> str | None:
    """The end of the second question, where both begin with the same four words or more."""
    one, other = first.rstrip("? ").split(), second.rstrip("? ").split()
    same = next(
        (at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other))
    )
    left = other[same:]
    if same < 4 or not left or len(left) > 4 or not 1 <= len(one) - same <= 5:
        return None
    return " ".join(left)
