"""Headers of more than one row: groups of columns above their names, and units below them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from retrieval.corpus.loaders.tabular.kinds import Kind, kind_of
from retrieval.corpus.loaders.tabular.rows import Row

_SPELLED = """
% ‰ ° °c °f degc degf k mm cm dm m km in ft mi mg g kg t lb lbs oz ml cl dl l m2 m3 m² m³ cm2 cm3 cm² cm³
km2 km² ha s sec min h hr hrs ms mv kv ma kw mw gw wh kwh mwh gwh kj mj hz khz mhz ghz pa hpa
kpa mpa bar mbar nm kn rpm db ppm ppb mol mmol kb mb gb tb pcs pc pieces stk stück st count persons
people € $ £ ¥ eur usd gbp chf jpy cny sek nok dkk pln czk huf inr aud cad teur keur meur k€ t€ m€ tsd mio
"""
_UNITS = frozenset(_SPELLED.split())
_BRACKETS = re.compile(r"[(\[]\s*(.+?)\s*[)\]]")
_PARTS = re.compile(r"\s*[/*·.]\s*|\s+per\s+|\s+")
_YEAR = re.compile(r"(?:1[89]|20)\d\d")
_LONGEST_UNIT = 16
# What stands in the first column of a row of units.
_LABELS = frozenset(
    ["unit", "units", "uom", "einheit", "einheiten", "unité", "unités", "unidad", "name", "-"]
)


def is_group(above: Row, names: Row) -> bool:
    """Whether a row names groups of columns, whose names repeat below it, or are left to it where blank.

    >>> is_group(Row(1, ["item", "q1", "", "q2", ""]), Row(2, ["", "units", "eur", "units", "eur"]))
    True
    >>> is_group(Row(1, ["Prices", "2024"]), Row(2, ["sku", "price"]))
    False
    """
    texts = names.texts()
    if len(above.texts()) < 2 or above.extent > names.extent or len(texts) < 2:
        return False
    if any(kind_of(text) is Kind.NUMBER and not _YEAR.fullmatch(text) for text in texts):
        return False
    groups = [above.cell(at) for at in range(names.extent) if names.cell(at)]
    if all(groups) and len(set(groups)) == len(groups):
        # Each column has a name of its own.
        return False
    if any(kind_of(text) in (Kind.DATE, Kind.ADDRESS) for text in above.texts()):
        return False
    blank = [at for at in range(names.extent) if not names.cell(at)]
    if len(set(texts)) == len(texts) and not blank:
        return False
    filled = with_groups(above, names)
    joined = [(filled.cell(at), names.cell(at)) for at in range(names.extent)]
    return len(set(joined)) == len(joined) and all(any(one) for one in joined)


def with_groups(above: Row, names: Row) -> Row:
    """The row of groups, where each stands over all of its columns: from its own to before the next."""
    cells: list[str] = []
    for at in range(names.extent):
        goes_on = at and names.cell(at) and names.cell(at - 1)
        cells.append(above.cell(at) or (cells[-1] if goes_on else ""))
    return replace(above, cells=cells, values=())


def is_units(row: Row, below: Sequence[Row]) -> bool:
    """Whether a row says in which units the numbers below it are.

    >>> is_units(Row(2, ["", "EUR", "pcs"]), [Row(3, ["Bolt", "1.25", "3"])])
    True
    """
    units = [at for at in range(row.extent) if _is_unit(row.cell(at))]
    others = [at for at in range(row.extent) if row.cell(at) and at not in units]
    if not units or not below or any(at or row.cell(at).lower() not in _LABELS for at in others):
        return False
    numbers = 0
    for at in units:
        kinds = [kind_of(one.cell(at), one.value(at)) for one in below]
        known = [kind for kind in kinds if kind is not Kind.BLANK]
        if known and sum(kind is Kind.NUMBER for kind in known) * 2 <= len(known):
            return False
        numbers += bool(known)
    return numbers > 0


def without_label(row: Row) -> Row:
    """A row of units without the word that says so in its first column; other rows as they are."""
    others = row.texts()[1:]
    is_labelled = row.cell(0).lower() in _LABELS and bool(others) and all(map(_is_unit, others))
    return replace(row, cells=["", *row.cells[1:]], values=()) if is_labelled else row


def _is_unit(text: str) -> bool:
    bracketed = _BRACKETS.fullmatch(text)
    words = bracketed[1] if bracketed else text
    if not words or len(words) > _LONGEST_UNIT:
        return False
    parts = [part.rstrip("²³⁻¹23-") or part for part in _PARTS.split(words.lower()) if part]
    whole = words.lower() in _UNITS
    return whole or (bool(parts) and all(part in _UNITS for part in parts))
