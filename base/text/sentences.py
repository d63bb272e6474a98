"""Where sentences end, in a whole text and in one that is still being written.

Rules and no model. A missed end makes a quote or a passage a little longer, a wrong one tears "Dr. Smith"
apart, so it errs on the side of not cutting.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from base.text.abbreviations import Ahead, Verdict, judge, word_before

# Each part matches wherever its first character stands, so that a search never goes back: linear time.
_CANDIDATE = re.compile(
    r"(?P<stop>[.!?…]++)"
    r"(?P<closers>[\"'”’“‘»«›‹)\]}」』*_`¹²³⁰⁴-⁹†‡]*+(?:\[\d{1,3}\])*+(?:[ \u00a0\u202f]»)?)"
    r"(?P<gap>\s*+)"
    r"|(?P<wide>[。！？｡．।॥؟۔]++)(?P<wide_closers>[\"'”’»›)\]}」』】）〉》]*+)(?P<wide_gap>\s*+)"
    r"|(?P<line>[\r\n]\s*+)"
)
_NEWLINE = r"(?>\r\n|\n|\r)"
_BLANK_LINE = re.compile(rf"{_NEWLINE}[^\S\r\n]*(?:[\r\n]|\Z)")
_BLOCK = re.compile(r"[-*+•‣][ \t]|--?[A-Za-z]|\d{1,3}[.)][ \t]|[|>#]|```|~~~")
_MAYBE_BLOCK = re.compile(r"--?|[*+•‣]|`{1,2}|~{1,2}|\d{1,3}[.)]?")
_MAYBE_NOTE = re.compile(r"\[\d{0,3}")
_AHEAD = re.compile(
    r"(?P<marks>(?:[\"'“”‘’„‚«»‹›(\[{*_`¿¡—–§#-][ \u00a0\u202f]?){0,6}+)(?P<word>[^\W_]{0,32}+)"
)
_DASH = re.compile(r"[—–-]+\s")


@dataclass(frozen=True, slots=True)
class Sentence:
    """A half-open span without whitespace at its ends; `ends_paragraph` if a blank line follows."""

    start: int
    end: int
    ends_paragraph: bool


@dataclass(frozen=True, slots=True)
class End:
    """The end of a sentence: its last character before the stop, behind the stop, behind the white space."""

    body: int
    stop: int
    gap: int


def sentences(text: str, start: int = 0, end: int | None = None) -> Iterator[Sentence]:
    """The sentences of `text[start:end]`, in order; together they cover all but whitespace.

    Blank lines, list items, table rows and quoted lines always end one. In linear time.

    >>> text = 'Dr. Smith paid $3.50. "Why?" he asked. It is so.'
    >>> [text[s.start : s.end] for s in sentences(text)]
    ['Dr. Smith paid $3.50.', '"Why?" he asked.', 'It is so.']
    """
    limit = len(text) if end is None else end
    while start < limit:
        _, found = next_end(text, start, final=True, limit=limit)
        stop, behind = (found.stop, found.gap) if found else (_before_space(text, start, limit), limit)
        begin = _behind_space(text, start, stop)
        if begin < stop:
            yield Sentence(begin, stop, ends_paragraph(text, stop, limit))
        start = behind


def next_end(
    text: str, start: int, *, final: bool, scanned: int = 0, limit: int | None = None
) -> tuple[int, End | None]:
    """The first end of the sentence that begins at `start`, and up to where the text is certain to hold none.

    Unless the text is `final`, an end that the coming text could undo (a small letter after "etc. ",
    a digit after "3.") is not returned yet, and the certain part ends before it. Given back as `scanned`
    with the longer text, that part is not searched again. Nothing from `limit` on is read.

    >>> next_end("It is 3.5. Is it? ", 0, final=True)[1]
    End(body=9, stop=10, gap=11)
    """
    limit = len(text) if limit is None else limit
    position = max(start, scanned)
    while found := _CANDIDATE.search(text, position, limit):
        verdict = _judge(text, start, found, limit, final=final)
        if verdict != "no":
            certain = _before_space(text, start, found.start())
            return certain, _end(found, certain) if verdict == "end" else None
        position = found.end()
    return limit if final else _before_space(text, start, limit), None


def _end(found: re.Match[str], body: int) -> End:
    if found["line"] is not None:
        return End(body, body, found.end())
    group = "wide_closers" if found["stop"] is None else "closers"
    stop = found.end(group)
    return End(stop if found[group] else body, stop, found.end())


def _judge(text: str, start: int, found: re.Match[str], limit: int, *, final: bool) -> Verdict:
    open_end = found.end() == limit
    if open_end and not final:
        return "wait"
    if open_end or found["wide"] is not None:
        return "end"
    if found["line"] is not None:
        return _judge_break(text, found.start(), found.end(), limit, final=final)
    if not found["gap"]:
        note = _MAYBE_NOTE.fullmatch(text, found.end(), limit) if limit - found.end() <= 4 else None
        return "wait" if note and not final else "no"
    verdict = _judge_break(text, found.start("gap"), found.end(), limit, final=final)
    return _judge_words(text, start, found, limit, final=final) if verdict == "no" else verdict


def _judge_break(text: str, start: int, end: int, limit: int, *, final: bool) -> Verdict:
    """Of the white space from `start` to `end`: does it hold a blank line, or a list item's beginning?

    Other line breaks end no sentence; the line is only wrapped.
    """
    breaks = len(re.findall(_NEWLINE, text[start:end]))
    if breaks != 1:
        return "end" if breaks else "no"
    if not final and _MAYBE_BLOCK.fullmatch(text, end, min(end + 8, limit)):
        return "wait"
    return "end" if _BLOCK.match(text, end, limit) else "no"


def _judge_words(text: str, start: int, found: re.Match[str], limit: int, *, final: bool) -> Verdict:
    ahead = _look_ahead(text, found.end(), limit, final=final)
    if ahead.goes_on:
        return "no"
    if not ahead.word and not ahead.whole:
        return "wait"
    before = word_before(text, start, found.start()) if found["stop"] == "." else None
    return judge(before, ahead) if before else "end"


def _look_ahead(text: str, at: int, limit: int, *, final: bool) -> Ahead:
    """What follows quotes, brackets and dashes at `at`."""
    found = _AHEAD.match(text, at, limit)
    marks, word, end = (found["marks"], found["word"], found.end()) if found else ("", "", at)
    goes_on = word[:1].islower() and (not marks or _DASH.fullmatch(marks) is not None)
    return Ahead(word, text[end : min(end + 1, limit)], goes_on, final or end < limit)


def _before_space(text: str, start: int, end: int) -> int:
    while end > start and text[end - 1].isspace():
        end -= 1
    return end


def _behind_space(text: str, start: int, end: int) -> int:
    while start < end and text[start].isspace():
        start += 1
    return start


def ends_paragraph(text: str, position: int, limit: int) -> bool:
    """Whether a blank line follows at the position, or nothing before `limit`.

    >>> ends_paragraph("One. Two.\\n\\nThree.", 9, 17), ends_paragraph("One. Two.", 4, 9)
    (True, False)
    """
    return (
        position == limit or _BLANK_LINE.match(text, _end_of_line(text, position, limit), limit) is not None
    )


def _end_of_line(text: str, position: int, limit: int) -> int:
    while position < limit and text[position].isspace() and text[position] not in "\r\n":
        position += 1
    return position
