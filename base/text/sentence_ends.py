"""Where the sentences of a text end, while the text is still being written."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, TypeAlias

# Either a stop with what closes after it, or a line break with the white space around it.
_CANDIDATE = re.compile(
    r"(?P<stop>[.!?…]+)(?P<closers>[\"'”’»)\]}*_`]*)(?P<gap>\s*)"
    r"|(?P<wide>[。！？｡．।॥؟۔]+)(?P<wide_closers>[”’»」』】）〉》]*)(?P<wide_gap>\s*)"
    r"|(?P<line>\s*\n\s*)"
)
_LAST_WORD = re.compile(r"[\w.’'-]*$")
_BLOCK = re.compile(r"(?:[-*+•‣>|#]|```|\d{1,3}[.)](?:\s|$))")
_MAYBE_BLOCK = re.compile(r"(?:`{1,2}|\d{1,3}[.)]?)\Z")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_ABBREVIATIONS = _words(
    "vs cf viz e.g i.e eg ie resp approx incl excl esp mr mrs ms dr prof st gen col capt sgt sen rep gov "
    "jan feb mar apr jun jul aug sep sept oct nov dec"
)
_NUMBERED = _words("no nos nr fig figs eq sec ch vol art p pp")
_Verdict: TypeAlias = Literal["end", "no", "wait"]
_DOTTED = re.compile(r"(?:[^\W\d_]\.)+[^\W\d_]")


@dataclass(frozen=True, slots=True)
class End:
    """The end of a sentence: its last character before the stop, behind the stop, behind the white space."""

    body: int
    stop: int
    gap: int


def next_end(text: str, start: int, *, final: bool) -> tuple[int, End | None]:
    """The first sentence end at or after `start`, and up to where the text is certain to hold none.

    Unless the text is `final`, an end that the coming text could undo (a small letter after "etc. ",
    a digit after "3.") is not given yet, and the certain part ends before it.

    >>> next_end("It is 3.5. Is it? ", 0, final=True)[1]
    End(body=9, stop=10, gap=11)
    """
    position = start
    while found := _CANDIDATE.search(text, position):
        verdict = _judge(text, start, found, final=final)
        if verdict == "wait":
            return found.start(), None
        if verdict == "end":
            return found.start(), _end(found)
        position = found.end()
    return len(text), None


def split_sentences(text: str) -> list[tuple[int, int]]:
    """Half-open spans of the sentences of a whole text, stops included, white space not.

    >>> text = "Dr. Ng paid. Why? So: - e.g. this"
    >>> [text[start:end] for start, end in split_sentences(text)]
    ['Dr. Ng paid.', 'Why?', 'So: - e.g. this']
    """
    spans: list[tuple[int, int]] = []
    start = 0
    while start < len(text):
        _, end = next_end(text, start, final=True)
        stop, behind = (end.stop, end.gap) if end else (len(text), len(text))
        begin = stop - len(text[start:stop].lstrip())
        last = start + len(text[start:stop].rstrip())
        if begin < last:
            spans.append((begin, last))
        start = behind
    return spans


def _end(found: re.Match[str]) -> End:
    if found["line"] is not None:
        return End(found.start(), found.start(), found.end())
    closers = found["closers"] or found["wide_closers"] or ""
    stop = found.end("closers") if found["stop"] is not None else found.end("wide_closers")
    return End(stop if closers else found.start(), stop, found.end())


def _judge(text: str, start: int, found: re.Match[str], *, final: bool) -> _Verdict:
    if found["line"] is not None:
        return _judge_line(text, found, final=final)
    gap = found["gap"] if found["stop"] is not None else found["wide_gap"]
    open_end = found.end() == len(text)
    if open_end and not final:
        return "wait"
    if open_end or found["wide"] is not None:
        return "end"
    if not gap:
        return "no"
    if gap.count("\n") > 1:
        return "end"
    if text[found.end()].islower():
        return "no"
    if found["stop"] != ".":
        return "end"
    return "no" if _abbreviates(text, start, found.start(), text[found.end()]) else "end"


def _judge_line(text: str, found: re.Match[str], *, final: bool) -> _Verdict:
    """A line break ends a sentence before a blank line or a list item; other lines are only wrapped."""
    line = found["line"]
    if line.count("\n") > 1:
        return "end"
    rest = text[found.end() : found.end() + 6]
    if not final and (not rest or _MAYBE_BLOCK.fullmatch(rest)):
        return "wait"
    return "end" if not rest or _BLOCK.match(rest) else "no"


def _abbreviates(text: str, start: int, stop: int, following: str) -> bool:
    """Whether the full stop at `stop` belongs to the word before it and ends no sentence."""
    found = _LAST_WORD.search(text, max(start, stop - 24), stop)
    word = found[0] if found else ""
    folded = word.lower().strip("'’-")
    if folded in _NUMBERED:
        return following.isdigit()
    if folded in _ABBREVIATIONS:
        return True
    opens = not text[start : stop - len(word)].strip(" \t")
    if word.isdigit():
        return opens and len(word) <= 3
    return (len(word) == 1 and word.isupper() and word != "I") or bool(_DOTTED.fullmatch(word))
