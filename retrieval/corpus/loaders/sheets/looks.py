"""How XLSX cells look: the format codes of numbers, and fonts that are struck out, raised or bold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from retrieval.corpus.loaders.packed.xml import local
from retrieval.corpus.loaders.sheets.strings import font_style
from retrieval.corpus.loaders.web.inline import Style

# The formats that have numbers of their own and no code in the file. Currency signs are the reader's own.
_BUILT_IN = (
    {1: "0", 2: "0.00", 3: "#,##0", 4: "#,##0.00", 5: "#,##0", 6: "#,##0", 7: "#,##0.00", 8: "#,##0.00"}
    | {9: "0%", 10: "0.00%", 11: "0.00E+00", 12: "# ?/?", 13: "# ??/??", 14: "yyyy-mm-dd", 15: "d-mmm-yy"}
    | {16: "d-mmm", 17: "mmm-yy", 18: "h:mm", 19: "h:mm:ss", 20: "h:mm", 21: "h:mm:ss", 22: "yyyy-mm-dd h:mm"}
    | {37: "#,##0", 38: "#,##0", 39: "#,##0.00", 40: "#,##0.00", 41: "#,##0", 42: "#,##0", 43: "#,##0.00"}
    | {44: "#,##0.00", 45: "mm:ss", 46: "[h]:mm:ss", 47: "mm:ss", 48: "##0.0E+0", 49: "@"}
    | dict.fromkeys((*range(27, 32), 36, *range(50, 59)), "yyyy-mm-dd")
    | dict.fromkeys(range(32, 36), "h:mm")
)


@dataclass(frozen=True, slots=True)
class Look:
    """The look of a cell: the code of its format, how its font sets text, and whether that is bold."""

    code: str = "General"
    style: Style = Style.PLAIN
    bold: bool = False


def looks(root: Any | None) -> list[Look]:
    """The looks that cells refer to by number, from the root of the part of styles."""
    codes = dict(_BUILT_IN)
    fonts: list[tuple[Style, bool]] = []
    found: list[Look] = []
    for group in root if root is not None else ():
        kind = local(group)
        if kind == "numFmts":
            codes |= {_whole(node, "numFmtId"): node.get("formatCode") or "General" for node in group}
        elif kind == "fonts":
            fonts = [(font_style(node), _is_bold(node)) for node in group]
        elif kind == "cellXfs":
            for node in group:
                font = _whole(node, "fontId")
                style, bold = fonts[font] if font < len(fonts) else (Style.PLAIN, False)
                found.append(Look(codes.get(_whole(node, "numFmtId"), "General"), style, bold))
    return found


def _whole(node: Any, name: str) -> int:
    value = node.get(name) or "0"
    return int(value) if value.isdecimal() and len(value) < 10 else 0


def _is_bold(font: Any) -> bool:
    return any(local(child) == "b" and child.get("val") not in ("0", "false") for child in font)
