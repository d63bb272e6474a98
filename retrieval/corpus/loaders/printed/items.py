"""List items: lines that begin with a bullet, or with a number that others at the same place have too."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence

from retrieval.corpus.blocks import Item
from retrieval.corpus.loaders.printed.lines import Line

_BULLET = re.compile(r"([•‣◦▪▫■□●○∙❖➢➤✓\uf0b7\uf0a7\uf0d8\uf076\uf0fc])\s*(?=\S)")
_OTHER = re.compile(r"([-–—·]|\(?(?:\d{1,2}|[a-z]|[ivx]{2,4})[.)])\s+(?=\S)")
_SAME_PLACE = 2.0  # points


def item_lefts(rows: Sequence[Sequence[Line]]) -> frozenset[int]:
    """The rows that begin a list item, by number."""
    found = {at for at, row in enumerate(rows) if _BULLET.match(row[0].text)}
    places: dict[int, list[int]] = defaultdict(list)
    for at, row in enumerate(rows):
        if _OTHER.match(row[0].text):
            places[round(row[0].left / _SAME_PLACE)].append(at)
    for place, alike in places.items():
        if len(alike) + len(places.get(place + 1, ())) + len(places.get(place - 1, ())) > 1:
            found.update(alike)
    return frozenset(found)


def item_of(text: str) -> Item | None:
    """The item that a text is; bullets are `-`."""
    if bullet := _BULLET.match(text):
        return Item(text[bullet.end() :])
    if other := _OTHER.match(text):
        marker = "-" if len(other[1]) == 1 else other[1]
        return Item(text[other.end() :], marker)
    return None
