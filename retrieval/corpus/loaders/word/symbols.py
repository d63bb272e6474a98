"""Signs of symbol fonts as the Unicode characters that they look like."""

from __future__ import annotations

_UNKNOWN = "\ufffd"
# The font Symbol from 0x20 on; "\0" has no sign.
_SYMBOL = (
    " !∀#∃%&∋()∗+,−./0123456789:;<=>?"
    "≅ΑΒΧΔΕΦΓΗΙϑΚΛΜΝΟΠΘΡΣΤΥςΩΞΨΖ[∴]⊥_"
    "‾αβχδεφγηιϕκλμνοπθρστυϖωξψζ{|}∼\0"
    "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
    "€ϒ′≤⁄∞ƒ♣♦♥♠↔←↑→↓°±″≥×∝∂•÷≠≡≈…⏐⎯↵"
    "ℵℑℜ℘⊗⊕∅∩∪⊃⊇⊄⊂⊆∈∉∠∇®©™∏√⋅¬∧∨⇔⇐⇑⇒⇓"
    "◊〈®©™∑⎛⎜⎝⎡⎢⎣⎧⎨⎩⎪\0〉∫⌠⎮⌡⎞⎟⎠⎤⎥⎦⎫⎬⎭\0"
)
_WINGDINGS = {
    0x28: "☎", 0x2A: "✉", 0x36: "⌛", 0x46: "☞", 0x4A: "☺", 0x4C: "☹", 0x6C: "●", 0x6D: "❍", 0x6E: "■",
    0x6F: "□", 0x71: "❑", 0x72: "❒", 0x73: "⬧", 0x74: "⧫", 0x75: "◆", 0x76: "❖", 0x77: "⬥", 0x78: "⌧",
    0x9F: "•", 0xA1: "○", 0xA7: "▪", 0xA8: "◻", 0xAB: "★", 0xD8: "➢", 0xDF: "←", 0xE0: "→", 0xE1: "↑",
    0xE2: "↓", 0xE8: "➔", 0xF0: "⇨", 0xFB: "✗", 0xFC: "✓", 0xFD: "☒", 0xFE: "☑",
    **{0x80 + number: sign for number, sign in enumerate("⓪①②③④⑤⑥⑦⑧⑨⑩")},
    **{0x8B + number: sign for number, sign in enumerate("⓿❶❷❸❹❺❻❼❽❾❿")},
}  # fmt: skip
_WINGDINGS_2 = {
    0x4F: "✗", 0x50: "✓", 0x51: "☒", 0x52: "☑", 0x53: "☒", 0x54: "☒", 0x98: "●", 0xA3: "□", 0xA2: "■",
}  # fmt: skip
_FONTS = {
    "symbol": {0x20 + at: sign for at, sign in enumerate(_SYMBOL) if sign != "\0"},
    "wingdings": _WINGDINGS,
    "wingdings 2": _WINGDINGS_2,
}
# Fonts of words: what the private area holds in them is meant as in Symbol.
_OF_WORDS = frozenset(
    ["", "arial", "times new roman", "calibri", "cambria", "courier new", "times", "helvetica"]
)


def symbol(font: str, code: int) -> str:
    """The sign of a font at a code; U+FFFD for one that is not known.

    Word writes codes of symbol fonts in the private area, from F000 on.

    >>> symbol("Symbol", 0xF0A3), symbol("Wingdings", 0xFC), symbol("Arial", 0x394)
    ('≤', '✓', 'Δ')
    """
    name = font.lower()
    if not 0xF000 <= code <= 0xF0FF and (code > 0xFF or name not in _FONTS):
        return chr(code) if 0x20 <= code < 0x110000 and not 0xD800 <= code <= 0xF8FF else _UNKNOWN
    return _FONTS.get("symbol" if name in _OF_WORDS else name, {}).get(code & 0xFF, _UNKNOWN)


def in_font(text: str, font: str) -> str:
    """Text of a run in that font: signs of symbol fonts become the characters that they look like.

    >>> in_font("\uf0b3 5", "Symbol"), in_font("\uf0b3 5", ""), in_font("mm", "Arial")
    ('≥ 5', '≥ 5', 'mm')
    """
    in_signs = font.lower() in _FONTS
    if not in_signs and not any(map(_is_private, text)):
        return text
    return "".join(
        symbol(font, ord(one))
        if (in_signs and not one.isspace() and one != "\xad") or _is_private(one)
        else one
        for one in text
    )


def _is_private(one: str) -> bool:
    return "\uf000" <= one <= "\uf0ff"
