"""Whether a question leans on the one before it, and by which word: pronouns and fragments of English."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, TypeAlias

from base.text.stop_words import english
from base.text.terms import terms_of

Lean: TypeAlias = Literal["pronoun", "fragment"]

PERSONS = frozenset(["he", "him", "his", "she", "her", "hers"])
_THINGS = frozenset(["it", "its", "they", "them", "their", "theirs", "itself", "themselves"])
_POINTING = frozenset(["this", "that", "these", "those", "there"])
_POSSESSIVE = frozenset(["its", "his", "her", "their", "whose"])
_BE = [
    "is",
    "are",
    "was",
    "were",
    "be",
    "been",
    "has",
    "have",
    "had",
    "do",
    "does",
    "did",
    "will",
    "would",
    "can",
    "could",
    "may",
    "might",
]
_BEFORE_THING = frozenset(
    [
        "of",
        "in",
        "on",
        "at",
        "to",
        "from",
        "by",
        "with",
        "for",
        "about",
        "against",
        "after",
        "before",
        "between",
        "during",
        "into",
        "like",
        "over",
        "since",
        "than",
        "under",
        "until",
        "within",
    ]
)

_WORD = re.compile(r"[\w’'-]+")
_OPENER = re.compile(
    r"^\s*(?:(?:and|but|or|so|then|also|ok(?:ay)?|(?:what|how)\s+about|what\s+of)\b[\s,:]*){1,2}",
    re.IGNORECASE,
)
_INSTEAD = re.compile(r"^\s*(?:and\s+)?(?:(?:what|how)\s+about|what\s+of)\b", re.IGNORECASE)
_NAME = re.compile(
    r"[A-Z0-9][\w’'.&-]*[\w’'](?:\s+(?:(?:of|the|and|de|van|von|du|la)\s+){0,2}[A-Z0-9][\w’'.&-]*[\w’'])*|\b[A-Z]\b"
)
_EXPLETIVE = re.compile(
    r"\bit\s+(?:takes?|possible|necessary|true|costs?)\b|\b(?:is|was)\s+it\s+(?:possible|necessary|true|that)\b"
    r"|\bit\s+(?:is|was)\s+(?:possible|necessary|true|that)\b|\b(?:does|did|will)\s+it\s+(?:take|cost)\s+to\b",
    re.IGNORECASE,
)
_FEW = 1
"""A question with no more content words than this, and no name, says nothing by itself."""


@dataclass(frozen=True, slots=True)
class Pronoun:
    """A pronoun of a question that stands for something said before: characters `start` to `end`."""

    start: int
    end: int
    word: str

    @property
    def possessive(self) -> bool:
        """Whether it says whose something is."""
        return self.word in _POSSESSIVE


def names(text: str) -> list[str]:
    """The names in a text, each once: runs of words with a capital or a digit, without asking words.

    One word alone that opens the text is none: its capital proves nothing.

    >>> names("What did the Bank of England pay Ada Lovelace in 1843?")
    ['Bank of England', 'Ada Lovelace', '1843']
    """
    small = english().asking | english().answering | english().common
    found: list[str] = []
    for match in _NAME.finditer(text):
        words = match[0].split()
        if match.start() == 0 and len(words) == 1 and words[0][1:].islower():
            continue
        while words and words[0].casefold() in small:
            words.pop(0)
        name = " ".join(words).removesuffix("'s").removesuffix("’s").rstrip(".")
        if name and name not in found:
            found.append(name)
    return found


def is_number(name: str) -> bool:
    """Whether a name is a number or a year."""
    return name[:1].isdigit() and not any(char.isalpha() for char in name)


def content(text: str) -> list[str]:
    """The words of a question that say what it is about, each once, in order.

    >>> content("how does the brotherhood make its decisions?")
    ['brotherhood', 'make', 'decisions']
    """
    small = english().asking | english().common | _POINTING | _THINGS | PERSONS
    words = [word for word in _WORD.findall(text) if word.casefold() not in small and terms_of(word)]
    return list(dict.fromkeys(words))


def replaces(question: str) -> bool:
    """Whether a fragment is offered in place of something: "What about spain?"."""
    return _INSTEAD.match(question) is not None


def without_opener(question: str) -> str:
    """The question without "and", "what about" and the like in front."""
    return _OPENER.sub("", question, count=1).strip()


def lean(question: str) -> Lean | None:
    """How a question leans on the one before it; None for one that stands alone.

    >>> lean("When was she born?"), lean("And in 1990?"), lean("Who founded the Bank of England?")
    ('pronoun', 'fragment', None)
    """
    if pronouns(question):
        return "pronoun"
    rest = without_opener(question)
    opened = rest != question.strip()
    if opened and not _asks(rest):
        return "fragment"
    said = content(rest)
    if len(said) <= _FEW and not names(rest):
        return "fragment"
    return None


def pronouns(question: str) -> list[Pronoun]:
    """The pronouns that nothing in the question itself explains."""
    found = [Pronoun(one.start(), one.end(), one[0].casefold()) for one in _WORD.finditer(question)]
    words = [one.word for one in found]
    taken = [span.span() for span in _EXPLETIVE.finditer(question)]
    return [
        one
        for at, one in enumerate(found)
        if not any(start <= one.start < end for start, end in taken) and _open(question, words, at, one)
    ]


def _open(question: str, words: list[str], at: int, one: Pronoun) -> bool:
    before = words[at - 1] if at else ""
    after = words[at + 1] if at + 1 < len(words) else ""
    if one.word in _POINTING:
        return _points(one.word, before, after)
    if one.word not in _THINGS and one.word not in PERSONS:
        return False
    if all(is_number(name) for name in names(question[: one.start])):
        return True
    # "What did NASA say about its budget?" explains itself; "Which scholar of Yale went to it?" does not.
    return one.word in ("it", "them") and before in _BEFORE_THING


def _points(word: str, before: str, after: str) -> bool:
    """Whether "this", "that", "there" points back, rather than at the noun or the clause behind it."""
    if word == "there":
        return before not in _BE and after not in _BE
    if word == "that":
        return (
            (not after and bool(before))
            or before in ("after", "before", "since", "like", "of")
            or (not before and after in _BE)
        )
    return not after or after in _BE


def _asks(text: str) -> bool:
    """Whether a text is a question with a verb, and not a part of one."""
    words = [word.casefold() for word in _WORD.findall(text)]
    if not words:
        return False
    opens = words[0] in ("who", "what", "when", "where", "which", "why", "how", "whose", "whom", *_BE)
    return opens and len(content(text)) > _FEW
