"""Charts as tables: a row for each category, a column for each series, from the values stored in the file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from retrieval.corpus.blocks import Table
from retrieval.corpus.loaders.slides.names import q

_PERCENT = re.compile(r"0(?:\.(0+))?%")
_DATE = re.compile(r"[ymd]{1,4}[^ymd]{1,3}[ymd]{1,4}", re.IGNORECASE)
_QUOTED = re.compile(r"\"[^\"]*\"|\[[^\]]*\]|\\(?=.)")
_FIRST_DAY = datetime(1899, 12, 30)
_FIRST_DAY_1904 = datetime(1904, 1, 1)
_LAST_DAY = 2_958_465
_MOST_POINTS = 100_000


@dataclass(frozen=True, slots=True)
class _Series:
    name: str
    categories: Mapping[int, str]
    values: Mapping[int, str]


def chart_tables(root: Any) -> Iterator[Table]:
    """The tables of a chart, one for all series that have the same categories.

    Numbers are as exact as the file has them; shares and dates are written as the chart shows them.
    """
    chart = root.find(q("c:chart"))
    area = chart.find(q("c:plotArea")) if chart is not None else None
    if area is None:
        return
    since = root.find(q("c:date1904"))
    first = _FIRST_DAY_1904 if since is not None and since.get("val", "1") in ("1", "true") else _FIRST_DAY
    found = [_series(node, first) for node in area.iter(q("c:ser"))]
    title = _words(chart.find(q("c:title")))
    axis = _axis_title(area)
    while found:
        same = [one for one in found if one.categories == found[0].categories]
        found = [one for one in found if one.categories != same[0].categories]
        yield _table(same, title, axis)
        title = ""


def _table(series: list[_Series], title: str, axis: str) -> Table:
    places = sorted({*series[0].categories, *(place for one in series for place in one.values)})
    rows = [
        (series[0].categories.get(place, str(place + 1)), *(one.values.get(place, "") for one in series))
        for place in places
    ]
    names = (axis, *(one.name or f"Series {number}" for number, one in enumerate(series, 1)))
    return Table(rows, names, title)


def _series(node: Any, first: datetime) -> _Series:
    name = node.find(q("c:tx"))
    categories = next((one for tag in ("c:cat", "c:xVal") if (one := node.find(q(tag))) is not None), None)
    values = next((one for tag in ("c:val", "c:yVal") if (one := node.find(q(tag))) is not None), None)
    return _Series(
        " ".join(_points(name, first).values()) if name is not None else "",
        _points(categories, first),
        _points(values, first),
    )


def _points(node: Any | None, first: datetime) -> dict[int, str]:
    """The stored values by place; of categories in levels those of all levels, the outer one first."""
    if node is None:
        return {}
    levels = list(node.iter(q("c:lvl")))
    if not levels:
        return _level(node, node.find(f".//{q('c:formatCode')}"), first)
    parts = [_level(level, None, first) for level in reversed(levels)]
    found: dict[int, str] = {}
    for place in sorted(parts[-1]):
        # A category of an outer level stands at the first of those that it holds.
        outer = [
            part[max(at for at in part if at <= place)]
            for part in parts[:-1]
            if min(part, default=place + 1) <= place
        ]
        found[place] = " ".join([*outer, parts[-1][place]])
    return found


def _level(node: Any, form: Any | None, first: datetime) -> dict[int, str]:
    usual = (form.text or "") if form is not None else ""
    found = {}
    for point in node.iter(q("c:pt")):
        place = point.get("idx", "")
        if place.isdecimal() and int(place) < _MOST_POINTS:
            text = point.findtext(q("c:v")) or ""
            found[int(place)] = _shown(text, point.get("formatCode", usual), first)
    direct = node.find(q("c:v"))
    return found or ({0: direct.text or ""} if direct is not None else {})


def _shown(text: str, form: str, first: datetime) -> str:
    try:
        number = float(text)
    except ValueError:
        return text
    form = _QUOTED.sub("", form)
    if percent := _PERCENT.search(form):
        return f"{100 * number:.{len(percent[1] or '')}f}%"
    if _DATE.search(form) and 1 <= number <= _LAST_DAY and "#" not in form:
        moment = first + timedelta(seconds=round(number * 86_400))
        return moment.isoformat(" ", "minutes") if number % 1 else moment.date().isoformat()
    return f"{number:.12g}"


def _words(title: Any | None) -> str:
    if title is None:
        return ""
    lines = ["".join(text.text or "" for text in line.iter(q("a:t"))) for line in title.iter(q("a:p"))]
    return " ".join(filter(None, lines)) or " ".join(value.text or "" for value in title.iter(q("c:v")))


def _axis_title(area: Any) -> str:
    for tag in ("c:catAx", "c:dateAx"):
        if (axis := area.find(q(tag))) is not None:
            return _words(axis.find(q("c:title")))
    return ""
