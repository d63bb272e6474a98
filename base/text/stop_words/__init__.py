"""Function words of English, German, French and Spanish, in named sets: one copy for all packages.

A file a language says of each word which sets it is in, so that no two lists of the same words drift apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

_LANGUAGES = ("en", "de", "fr", "es")
_Words = frozenset[str]


@dataclass(frozen=True, slots=True)
class English:
    """English words that say little, by how little is asked of them.

    `short`: they stand in nearly every passage (Lucene's list); lexical indexes leave them out, so a
    change of it needs a new name of the analysis. `common`: `short` and more; they open too many
    n-grams to tell passages apart. `answering`: an answer may have them and its source not, for they
    claim nothing. `asking`: a question has them whatever it asks about.
    """

    short: _Words
    common: _Words
    answering: _Words
    asking: _Words


@cache
def english() -> English:
    """The English sets.

    >>> "the" in english().short, "which" in english().short, "which" in english().common
    (True, False, True)
    """
    sets = _read("en")
    return English(sets["short"], sets["common"], sets["answering"], sets["asking"])


@cache
def opening() -> _Words:
    """Words that open a sentence, in any of the languages: behind "Inc." a capital alone tells nothing.

    Shortened words have the apostrophe "’".
    """
    return frozenset[str]().union(*(_read(language)["opening"] for language in _LANGUAGES))


def _read(language: str) -> dict[str, _Words]:
    """The sets of a language by name, out of its file's lines "set set: word word"; a line may be wrapped."""
    sets: dict[str, set[str]] = {}
    names: list[str] = []
    for line in Path(__file__).with_name(f"{language}.txt").read_text("utf-8").splitlines():
        if line.startswith("#"):
            continue
        if not line.startswith(" "):
            head, _, line = line.partition(":")
            names = head.split()
        for name in names:
            sets.setdefault(name, set()).update(line.split())
    return {name: frozenset(words) for name, words in sets.items()}
