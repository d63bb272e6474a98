"""The input of a rewriter, its interface, and the conversation as it reads it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeAlias, TypeVar

from excerpta.types.rewrite import RewriteMethod

O_contra = TypeVar("O_contra", bound=RewriteMethod, contravariant=True)

LONGEST_FOLLOW_UP = 300
"""Characters of a message that may be a follow-up; a longer one has words enough of its own."""

_MARK = re.compile(r"\s?\[\d{1,3}\]")


@dataclass(frozen=True, slots=True)
class Turn:
    """One message of a conversation: what the user asked, or what was answered."""

    speaker: Literal["user", "assistant"]
    text: str


@dataclass(frozen=True, slots=True)
class Exchange:
    """A question with its answer, which is empty where there was none."""

    question: str
    answer: str


def exchanges(turns: Sequence[Turn], most: int) -> list[Exchange]:
    """The last `most` questions with their answers, without the marks of citations.

    >>> exchanges([Turn("user", "Who?"), Turn("assistant", "Ada [1]."), Turn("user", "When?")], 4)
    [Exchange(question='Who?', answer='Ada.'), Exchange(question='When?', answer='')]
    """
    found: list[Exchange] = []
    for turn in turns:
        text = plain(turn.text)
        if turn.speaker == "user":
            found.append(Exchange(text, ""))
        elif found and not found[-1].answer:
            found[-1] = Exchange(found[-1].question, text)
    return [one for one in found if one.question][-most:]


def plain(text: str) -> str:
    """A message on one line, without the marks of its citations."""
    return " ".join(_MARK.sub("", text).split())


class Rewriter(Protocol[O_contra]):
    """Makes a follow-up a question of its own."""

    def rewrite(self, conversation: Sequence[Turn], question: str, options: O_contra) -> str:
        """The question that can be understood without the conversation; one that already can is unchanged."""
        ...


AnyRewriter: TypeAlias = Rewriter[Any]
