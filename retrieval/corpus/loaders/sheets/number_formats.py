"""Numbers as a spreadsheet shows them by their format codes: `0.00%`, `#,##0.00 "EUR"`, `d.m.yyyy`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache

from retrieval.corpus.loaders.sheets.dates import DATE_SIGNS, date_text

_TOKEN = re.compile(
    r'"(?P<quoted>[^"]*)"|\\(?P<escaped>.)|_(?P<space>.)|\*(?P<fill>.)'
    r"|\[\$(?P<currency>[^\]-]*)(?:-[^\]]*)?\]|\[(?P<condition>[<>=]=?>?\s*-?[\d.]+)\]"
    r"|\[(?P<elapsed>h+|m+|s+)\]|\[(?P<other>[^\]]*)\]|(?P<general>General|Standard)|(?P<noon>AM/PM|A/P)"
    r"|(?P<power>E[+-])|(?P<date>y+|m+|d+|h+|s+|e+|g+|b+)|(?P<digit>[0#?])|(?P<sign>[.,%/@])|(?P<plain>.)",
    re.IGNORECASE | re.DOTALL,
)
_SECTION = re.compile(r'((?:"[^"]*"|\\.|\[[^\]]*\]|[^;"\\\[])*)(?:;|$)', re.DOTALL)
_CONDITION = re.compile(r"([<>=]=?>?)\s*(-?[\d.]+)")
_SIMPLE = re.compile(r"(#,##)?0(?:\.(0{1,20}))?(%)?")
_MINUS = frozenset("-−(")
_MOST_PLACES = 30


@dataclass(frozen=True, slots=True)
class Shown:
    """What a cell shows, and its number as shown: 19.25 for `19.25%`; None where it is no number."""

    text: str
    number: int | float | None = None


@dataclass(frozen=True, slots=True)
class _Section:
    """One of the parts of a format code: its pieces, and for which numbers it is."""

    pieces: tuple[tuple[str, str], ...]
    condition: tuple[str, float] | None
    kinds: frozenset[str]

    def text(self, *kinds: str) -> str:
        return "".join(text for kind, text in self.pieces if kind in kinds)

    def holds(self, number: float) -> bool:
        if self.condition is None:
            return True
        sign, limit = self.condition
        return {
            "<": number < limit, ">": number > limit, "=": number == limit, "<=": number <= limit,
            ">=": number >= limit, "<>": number != limit,
        }.get(sign, False)  # fmt: skip


@lru_cache(maxsize=65_536)
def shown_number(number: float, code: str, *, from_1904: bool = False) -> Shown:
    """What a cell with this number and format shows. Dates are shown as ISO dates.

    >>> [shown_number(0.1925, code).text for code in ("0.00%", "General", "#,##0.0", "0")]
    ['19.25%', '0.1925', '0.2', '0']
    >>> shown_number(45413.5, "d.m.yyyy h:mm").text, shown_number(-1234.5, '#,##0.00 "EUR"').text
    ('2024-05-01 12:00', '-1,234.50 EUR')
    """
    if code == "General":
        return Shown(general(number), _plain(number))
    if simple := _SIMPLE.fullmatch(code):
        return _shown_simply(number, simple)
    sections = _sections(code)
    if _is_date(sections[0]):
        text = date_text(number, sections[0].pieces, from_1904=from_1904)
        return Shown(text) if text else Shown(general(number), _plain(number))
    section, negative = _chosen(sections, number)
    if "general" in section.kinds:
        number = abs(number) if negative else number
        return Shown(_squeezed(_around(section, general(number), negative=negative)), _plain(number))
    if "digit" not in section.kinds:
        return Shown(_squeezed(section.text("literal"))) if section.pieces else Shown("")
    text = None if "fraction" in section.kinds else _digits(section, number)
    if text is None:
        return Shown(general(number), _plain(number))
    if _is_code(section):
        return Shown(_squeezed(text))
    percent = 100 ** section.text("percent").count("%")
    return Shown(_squeezed(text), _plain(float(Decimal(f"{number:.15g}") * percent)))


def _shown_simply(number: float, code: re.Match[str]) -> Shown:
    """The same for the most common codes: some decimals, thousands apart or not, perhaps per cent."""
    exact = Decimal(f"{number:.15g}") * (100 if code[3] else 1)
    rounded = exact.quantize(Decimal(1).scaleb(-len(code[2] or "")), rounding=ROUND_HALF_UP)
    rounded = rounded if rounded else abs(rounded)
    text = f"{rounded:,f}" if code[1] else f"{rounded:f}"
    return Shown(text + (code[3] or ""), _plain(float(exact)))


def shown_text(text: str, code: str) -> str:
    """What a cell with this text and format shows.

    >>> shown_text("5", '"No. "@')
    'No. 5'
    """
    sections = _sections(code)
    section = sections[3] if len(sections) > 3 else sections[0]
    if "text" not in section.kinds:
        return text if len(sections) < 4 or section.pieces else ""
    return "".join(text if kind == "text" else piece for kind, piece in section.pieces)


def general(number: float) -> str:
    """A number without a format, with the 15 digits that a spreadsheet holds.

    >>> general(0.1 + 0.2), general(5.0), general(1e-7)
    ('0.3', '5', '0.0000001')
    """
    if float(number).is_integer() and abs(number) < 10**15:
        return str(int(number))
    short = Decimal(f"{number:.15g}")
    if short == short.to_integral_value() and abs(short) < 10**15:
        return str(int(short))
    exponent = short.adjusted()
    return f"{short:f}" if -10 < exponent < 15 else f"{short.normalize():E}"


def _plain(number: float) -> int | float:
    short = float(f"{number:.15g}")
    return int(short) if short.is_integer() and abs(short) < 2**53 else short


def _squeezed(text: str) -> str:
    return " ".join(text.split())


@lru_cache(maxsize=1024)
def _sections(code: str) -> tuple[_Section, ...]:
    parts = [found[1] for found in _SECTION.finditer(code) if found.end() > found.start()] or [""]
    if code.endswith(";"):
        parts.append("")
    return tuple(_section(part) for part in parts[:4])


def _section(code: str) -> _Section:
    condition = None
    pieces: list[tuple[str, str]] = []
    for found in _TOKEN.finditer(code):
        kind, text = found.lastgroup or "", found[found.lastgroup or 0] or ""
        if kind == "condition" and (parts := _CONDITION.match(text)):
            condition = (parts[1], float(parts[2]))
        elif kind in ("quoted", "escaped", "currency", "plain"):
            pieces.append(("literal", text))
        elif kind == "space":
            pieces.append(("literal", " "))
        elif kind == "sign":
            pieces.append(({"%": "percent", "@": "text", "/": "slash"}.get(text, "sign"), text))
        elif kind not in ("fill", "other", "condition"):
            pieces.append((kind, text.lower() if kind in ("date", "elapsed", "noon") else text))
    digits = any(kind == "digit" for kind, _ in pieces)
    dates = any(kind in ("date", "elapsed", "noon") for kind, _ in pieces)
    slash = "fraction" if digits and not dates else "literal"
    final = tuple((slash, text) if kind == "slash" else (kind, text) for kind, text in pieces)
    return _Section(final, condition, frozenset(kind for kind, _ in final))


def _is_date(section: _Section) -> bool:
    return "general" not in section.kinds and any(
        kind in ("elapsed", "noon") or (kind == "date" and text[0] in DATE_SIGNS)
        for kind, text in section.pieces
    )


def _chosen(sections: tuple[_Section, ...], number: float) -> tuple[_Section, bool]:
    """The section for a number, and whether it is one for negative numbers, which come without their sign."""
    numeric = sections[:3]
    if any(section.condition for section in numeric):
        return next((section for section in numeric if section.holds(number)), numeric[-1]), False
    if number < 0 and len(sections) > 1:
        return sections[1], True
    if number == 0 and len(sections) > 2:
        return sections[2], False
    return sections[0], False


def _around(section: _Section, number: str, *, negative: bool) -> str:
    """The number with the words of its section."""
    text = "".join(
        number if kind == "general" else piece if kind in ("literal", "percent") else ""
        for kind, piece in section.pieces
    )
    return f"-{text}" if negative and not _MINUS & set(text) else text


def _digits(section: _Section, number: float) -> str | None:
    """The number by the places of its section; None for a section that cannot be read."""
    before, after, power = _places(section)
    decimals = sum(kind == "digit" for kind, _ in after)
    if decimals > _MOST_PLACES or len(before) > 60:
        return None
    value = abs(Decimal(f"{number:.15g}")) * 100 ** section.text("percent").count("%")
    value = value.scaleb(-3 * (_thousands_left_out(before) + _thousands_left_out(after)))
    exponent = ""
    if power is not None:
        shift = value.adjusted() if value else 0
        value = value.scaleb(-shift)
        exponent = f"E{'-' if shift < 0 else '+' if '+' in power else ''}{abs(shift):02d}"
    rounded = value.quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP)
    whole, _, part = f"{rounded:f}".partition(".")
    text = _whole(before, whole) + _part(after, part) + exponent + _rest(after)
    lost_sign = number < 0 and any(digit in "123456789" for digit in whole + part)
    return f"-{text}" if lost_sign and not _MINUS & set(section.text("literal")) else text


def _is_code(section: _Section) -> bool:
    """Whether a whole number has leading zeros or signs among its digits, as postcodes have: no quantity."""
    digits = [at for at, (kind, _) in enumerate(section.pieces) if kind == "digit"]
    inside = section.pieces[digits[0] : digits[-1]]
    if any(kind in ("sign", "power") for kind, _ in section.pieces):
        return False
    return section.text("digit").startswith("00") or any(kind == "literal" for kind, _ in inside)


def _places(
    section: _Section,
) -> tuple[list[tuple[str, str]], list[tuple[str, str]], str | None]:
    """The pieces before the decimal point, those after it, and the sign of the power of ten."""
    power = next((text for kind, text in section.pieces if kind == "power"), None)
    pieces = list(section.pieces)
    if power is not None:
        at = next(at for at, (kind, _) in enumerate(pieces) if kind == "power")
        pieces = pieces[:at] + [piece for piece in pieces[at:] if piece[0] not in ("digit", "power")]
    point = next((at for at, piece in enumerate(pieces) if piece == ("sign", ".")), len(pieces))
    last = max((at for at, (kind, _) in enumerate(pieces[:point]) if kind == "digit"), default=-1)
    if point < len(pieces):
        return pieces[:point], pieces[point + 1 :], power
    # Without a point, what follows the last digit stands behind the number.
    end = last + 1
    while end < len(pieces) and pieces[end] == ("sign", ","):
        end += 1
    return pieces[:end], pieces[end:], power


def _thousands_left_out(pieces: list[tuple[str, str]]) -> int:
    """How many commas stand behind the last digit: each leaves three digits out."""
    last = max((at for at, (kind, _) in enumerate(pieces) if kind == "digit"), default=-1)
    rest = pieces[last + 1 :]
    return next((at for at, piece in enumerate(rest) if piece != ("sign", ",")), len(rest))


def _whole(before: list[tuple[str, str]], whole: str) -> str:
    """The digits before the point, from the right into their places; the first place takes the rest."""
    places = sum(kind == "digit" for kind, _ in before)
    least = sum(piece == ("digit", "0") for piece in before)
    digits = ("" if whole == "0" else whole).rjust(least, "0")
    first, last = (
        next((at for at in order if before[at][0] == "digit"), 0)
        for order in (range(len(before)), range(len(before) - 1, -1, -1))
    )
    inside = before[first : last + 1]
    if any(piece == ("sign", ",") for piece in inside):
        digits = f"{int(digits):,}".rjust(least, "0") if digits else ""
        inside = [("digit", "#")]
        places = 1
    extra = max(0, len(digits) - places)
    digits = digits.rjust(places, "\0")
    text, at = "", 0
    for kind, piece in inside:
        if kind == "digit":
            take = 1 + (extra if at == 0 else 0)
            text += digits[at : at + take]
            at += take
        elif kind in ("literal", "percent") and text.strip("\0"):
            text += piece
    head = "".join(piece for kind, piece in before[:first] if kind in ("literal", "percent"))
    tail = "".join(piece for kind, piece in before[last + 1 :] if kind in ("literal", "percent"))
    return head + text.replace("\0", "") + tail


def _part(after: list[tuple[str, str]], part: str) -> str:
    """The decimals with their point; places for digits that need not be shown lose their zeros."""
    places = [piece for kind, piece in after if kind == "digit"]
    while places and places[-1] in "#?" and part.endswith("0"):
        places.pop()
        part = part[:-1]
    return f".{part}" if part else ""


def _rest(after: list[tuple[str, str]]) -> str:
    return "".join(piece for kind, piece in after if kind in ("literal", "percent"))
