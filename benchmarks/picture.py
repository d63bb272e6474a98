"""Where the time of a query goes, as a picture: one bar a case, one part a stage, as an SVG file."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

_WIDTH, _LEFT, _ROW, _BAR = 900, 130, 46, 24
_COLOURS = ("#4269d0", "#efb118", "#ff725c", "#6cc5b0", "#3ca951", "#ff8ab7", "#a463f2", "#97bbf5", "#9c6b4e")
_NARROW = 60
"""Pixels from which a part has room for its name."""


def picture(bars: Mapping[str, Mapping[str, float]], unit: str = "ms") -> str:
    """The SVG text of bars by case; each has its stages in order, with their length in `unit`.

    >>> "encode 12 ms" in picture({"fast": {"encode": 12.0, "retrieve": 6.0}})
    True
    """
    longest = max((sum(parts.values()) for parts in bars.values()), default=0.0) or 1.0
    stages = list(dict.fromkeys(stage for parts in bars.values() for stage in parts))
    colours = {stage: _COLOURS[at % len(_COLOURS)] for at, stage in enumerate(stages)}
    scale = (_WIDTH - _LEFT - 110) / longest
    rows = [_row(at, case, parts, colours, scale, unit) for at, (case, parts) in enumerate(bars.items())]
    height = _ROW * len(bars) + 10
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img" '
        f'font-family="sans-serif" font-size="13"><title>Where the time of a query goes</title>\n'
        f'<rect width="{_WIDTH}" height="{height}" fill="#fff"/>\n{"".join(rows)}</svg>\n'
    )


def _row(
    at: int, case: str, parts: Mapping[str, float], colours: Mapping[str, str], scale: float, unit: str
) -> str:
    top = 10 + at * _ROW
    x = float(_LEFT)
    shapes = [f'<text x="{_LEFT - 8}" y="{top + 17}" text-anchor="end">{escape(case)}</text>\n']
    for stage, length in parts.items():
        width = length * scale
        label = f"{stage} {length:,.0f} {unit}"
        shapes.append(
            f'<rect x="{x:.1f}" y="{top}" width="{width:.1f}" height="{_BAR}" fill="{colours[stage]}">'
            f"<title>{escape(label)}</title></rect>\n"
        )
        if width >= _NARROW:
            shapes.append(f'<text x="{x + 4:.1f}" y="{top + 17}" fill="#000">{escape(stage)}</text>\n')
        x += width
    shapes.append(f'<text x="{x + 6:.1f}" y="{top + 17}">{sum(parts.values()):,.0f} {unit}</text>\n')
    return "".join(shapes)
