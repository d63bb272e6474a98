"""Text to terms: words in lower case, no English stop words, Snowball stems; Chinese, Japanese and Korean
by characters and pairs of them; and the other spellings of identifiers and numbers."""

from __future__ import annotations

from itertools import accumulate
from typing import NamedTuple

from base.text import dates, spellings
from base.text.chunks import CHUNKS, FIRST_IDEOGRAPH, Chunk, read_chunk
from base.text.digits import Groups, ungrouped
from base.text.folding import Origins, fold, fold_with_origins
from base.text.spellings import Spelling
from base.text.stems import stem
from base.text.stop_words import english

NAME = "english-snowball-cjk12-identifiers"
"""Names this analysis in an index; terms of different analyses never match."""

_STOP_WORDS = english().short
_BEFORE_UNIT = (" ", " °", "°")


class Analysis(NamedTuple):
    """What a text is found by: its words in order, and other spellings of identifiers and numbers.

    Spellings are no words: they make a text no longer.
    """

    words: list[str]
    spellings: list[str]


class PlacedTerms(NamedTuple):
    """Words in order, and other spellings, each with its characters in the text, half-open."""

    words: list[Spelling]
    spellings: list[Spelling]


class _View(NamedTuple):
    """A text as it is searched: in `small` letters, in those it was `written` in, and its groups of digits.

    `origins` lead back to the text, applied from the first to the last.
    """

    small: str
    written: str
    groups: Groups
    origins: tuple[Origins, ...] = ()


def terms_of(text: str) -> list[str]:
    """The words of a text, in order; compatibility forms (full width, ligatures) count as the plain ones.

    >>> terms_of("The fox's running dogs: 3.11, 1,000")
    ['fox', 'run', 'dog', '3', '11', '1000']
    >>> terms_of("東京都")
    ['東', '東京', '京', '京都', '都']
    """
    return _read(_view(text))[0]


def analysed(text: str) -> Analysis:
    """The words of a text, and the other spellings that it is found by.

    >>> analysed("Check valve PPR-9087")
    Analysis(words=['check', 'valv', 'ppr', '9087'], spellings=['ppr9087'])
    """
    words, spelled = _read(_view(text))
    return Analysis(words, [term for term, _, _ in spelled])


def term_spans(text: str) -> list[Spelling]:
    """The words of a text as `terms_of` has them, each with its characters in `text`, half-open.

    Where a character of the text is several plain ones, such as a ligature, the span has it whole.

    >>> text = "The ﬁne fox's 東京"
    >>> [(term, text[start:end]) for term, start, end in term_spans(text)]
    [('fine', 'ﬁne'), ('fox', "fox's"), ('東', '東'), ('東京', '東京'), ('京', '京')]
    """
    return placed_terms(text).words


def placed_terms(text: str) -> PlacedTerms:
    """What `analysed` has, each term with its characters in `text`.

    >>> placed_terms("Ask for PPR-9087").spellings
    [('ppr9087', 8, 16)]
    """
    view = _placed_view(text)
    placed = _placed(view)
    return PlacedTerms(_in_text(placed.words, view), _in_text(placed.spellings, view))


def asked_terms(text: str) -> PlacedTerms:
    """The words of a question, and whatever its neighbouring words may be the parts of.

    >>> asked_terms("ppr 9087").spellings
    [('ppr9087', 0, 8)]
    """
    view = _placed_view(text)
    words = _placed(view).words
    found = [
        *spellings.of_question(_written(view.small), view.small),
        *dates.in_numbers(view.small),
        *_over_chunks(view),
    ]
    known = {term for term, _, _ in words}
    spelled = {stem(one): (start, end) for one, start, end in reversed(found)}
    others = [(term, *span) for term, span in spelled.items() if term not in known]
    return PlacedTerms(_in_text(words, view), _in_text(others, view))


def _placed(view: _View) -> PlacedTerms:
    spans: list[tuple[int, int]] = []
    words, spelled = _read(view, spans)
    return PlacedTerms([(term, *span) for term, span in zip(words, spans, strict=True)], spelled)


def _read(view: _View, spans: list[tuple[int, int]] | None = None) -> tuple[list[str], list[Spelling]]:
    """The terms of a text's words, and its other spellings; `spans` takes the characters of the words."""
    parts = CHUNKS.split(view.small)
    ends = list(accumulate(map(len, parts)))
    words: list[str] = []
    spelled: list[Spelling] = []
    for at in range(1, len(parts), 2):
        chunk = parts[at]
        if chunk < FIRST_IDEOGRAPH and chunk.isalpha():
            if chunk not in _STOP_WORDS:
                words.append(stem(chunk))
                if spans is not None:
                    spans.append((ends[at - 1], ends[at]))
        elif not (chunk == "000" and _ends_number(parts, at)):
            read, start = read_chunk(chunk), ends[at - 1]
            words += [term for term, _, _ in read.terms]
            if spans is not None:
                spans += ((start + first, start + last) for _, first, last in read.terms)
            if read.spellings:
                spelled += [(term, start + first, start + last) for term, first, last in read.spellings]
            if chunk[0].isdecimal() or chunk[-1].isdecimal():
                spelled += _beside(read, parts, at, start)
    others = [*view.groups, *_over_chunks(view)]
    return words, spelled + [(stem(one), start, end) for one, start, end in others]


def _ends_number(parts: list[str], at: int) -> bool:
    """Whether a chunk is a group of the number before it, as in 1 000."""
    return at > 1 and parts[at - 1] == " " and parts[at - 2][-1].isdecimal()


def _beside(read: Chunk, parts: list[str], at: int, start: int) -> list[Spelling]:
    """A number in one word with the short word before it, and with the unit behind it: RTX 4090, 10 mm."""
    chunk, end = parts[at], start + len(parts[at])
    before = parts[at - 2] if at > 1 and parts[at - 1] == " " and chunk[0].isdecimal() else ""
    near = at + 2 < len(parts) and parts[at + 1] in _BEFORE_UNIT
    after = parts[at + 2] if near and chunk[-1].isdecimal() else ""
    short = spellings.is_short(before) and before not in _STOP_WORDS
    unit = bool(read.whole) and spellings.is_unit(after) and after not in _STOP_WORDS
    place, last = start - 1 - len(before), end + len(parts[at + 1]) + len(after)
    found: list[Spelling] = []
    if short:
        first, _, first_end = read.written[0]
        found.append((before + first, place, start + first_end))
        if len(read.written) > 1 and read.whole:
            found.append((before + read.whole, place, end))
    if unit:
        found.append((read.whole + after, start, last))
        if short:
            found.append((before + read.whole + after, place, last))
    return [(stem(one), first, past) for one, first, past in found]


def _over_chunks(view: _View) -> list[Spelling]:
    """Spellings that are no matter of one chunk."""
    return [
        *spellings.of_marks(view.small),
        *spellings.of_humps(view.written, _STOP_WORDS),
        *spellings.of_spaced_numbers(view.small),
        *dates.in_words(view.small),
    ]


def _written(small: str) -> list[Spelling]:
    """All words of a text that are not ideographs, as they are joined with others."""
    parts = CHUNKS.split(small)
    ends = list(accumulate(map(len, parts)))
    return [
        (word, ends[at - 1] + start, ends[at - 1] + end)
        for at in range(1, len(parts), 2)
        for word, start, end in read_chunk(parts[at]).written
    ]


def _view(text: str) -> _View:
    written, _, groups = ungrouped(fold(text))
    written = written.replace("İ", "i\u0307")
    return _View(written.lower(), written, groups)


def _placed_view(text: str) -> _View:
    folded, origins = fold_with_origins(text)
    plain, places, groups = ungrouped(folded)
    written = plain.replace("İ", "i\u0307")
    letters = None if written == plain else _letters(plain)
    maps = tuple(one for one in (letters, places, origins) if one is not None)
    return _View(written.lower(), written, groups, maps)


def _letters(text: str) -> Origins:
    return [(at, at + 1) for at, letter in enumerate(text) for _ in ("i\u0307" if letter == "İ" else letter)]


def _in_text(placed: list[Spelling], view: _View) -> list[Spelling]:
    """Places in the view as places in the text."""
    for origins in view.origins:
        placed = [(term, origins[start][0], origins[end - 1][1]) for term, start, end in placed]
    return placed
