"""Headers, footers and page numbers, which stand on most pages."""

from __future__ import annotations

import re
from collections import defaultdict

from retrieval.corpus.loaders.printed.aligned import levelled, table_at
from retrieval.corpus.loaders.printed.columns import Row

_EDGE = 2  # rows at the top and at the bottom of a page
_LEAST_PAGES = 3
_PAGE_LETTERS = 8  # "Page 3 of 9" has six
_NUMBERS = re.compile(r"[0-9]+")


_Key = tuple[str, int]


def without_running(pages: list[list[Row]]) -> list[list[Row]]:
    """Pages with a running header or footer only where it comes first, and without page numbers.

    It runs if at least three pages, and half of those with text, have it at the same height. Its numbers are
    the same on all pages or count with them: other numbers, such as a total on each page, are text. The names
    of the columns of a table that goes on over pages stay on each.
    """
    seen: dict[_Key, dict[int, list[int]]] = defaultdict(dict)
    for page, rows in enumerate(pages):
        for at in _edges(rows):
            seen[_key(rows[at])][page] = [int(number[-9:]) for number in _NUMBERS.findall(_text(rows[at]))]
    least = max(_LEAST_PAGES, sum(1 for rows in pages if rows) / 2)
    running = {key for key, on in seen.items() if len(on) >= least and _runs(on)}
    once: set[_Key] = set()
    return [_kept(rows, running, once) for rows in pages]


def _runs(on: dict[int, list[int]]) -> bool:
    numbers = list(on.values())
    if all(other == numbers[0] for other in numbers):
        return True
    return any(len({found[at] - page for page, found in on.items()}) == 1 for at in range(len(numbers[0])))


def _kept(rows: list[Row], running: set[_Key], once: set[_Key]) -> list[Row]:
    left_out = set()
    for at in _edges(rows):
        key = _key(rows[at])
        if key in running and (key in once or _is_page_number(key[0])) and not _names_columns(rows, at):
            left_out.add(at)
        once.add(key)
    return [row for at, row in enumerate(rows) if at not in left_out]


def _is_page_number(text: str) -> bool:
    return "#" in text and sum(one.isalpha() for one in text) <= _PAGE_LETTERS


def _names_columns(rows: list[Row], at: int) -> bool:
    found = table_at(levelled(rows[at:]), 0)
    return found is not None and bool(found[1].names)


def _edges(rows: list[Row]) -> set[int]:
    """A page of few rows has no edges apart from its text, but its first and its last row."""
    depth = _EDGE if len(rows) > 2 * _EDGE else 1
    return (
        {at for at in range(len(rows)) if at < depth or at >= len(rows) - depth} if len(rows) > 1 else set()
    )


def _key(row: Row) -> _Key:
    return _NUMBERS.sub("#", _text(row)).casefold(), round(row[0].baseline / 4)


def _text(row: Row) -> str:
    return " ".join(line.text for line in row)
