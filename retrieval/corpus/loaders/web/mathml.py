"""Equations in MathML as one line of text: `F = m a`, `(a + b)/2`, `x^2`."""

from __future__ import annotations

from dataclasses import dataclass, field

_SKIPPED = frozenset(["annotation-xml", "mphantom", "mspace", "none", "mprescripts"])
OPERATORS = frozenset("=<>≤≥≠≈≡+-−±×·→⇒∈∝∼")
_MOST_NESTED = 60


@dataclass(slots=True)
class Formula:
    """One element of an equation with its parts; `words` is its own text."""

    tag: str
    parts: list[Formula] = field(default_factory=list)
    words: str = ""


def formula_text(formula: Formula, *, alternative: str = "") -> str:
    """The equation in one line; its TeX source or `alternative` if it has no parts to show.

    >>> base, power = Formula("mi", words="x"), Formula("mn", words="2")
    >>> formula_text(Formula("math", [Formula("msup", [base, power])]))
    'x^2'
    """
    shown = " ".join(_line(formula, 0).split())
    return shown or _annotation(formula) or alternative.strip()


def _annotation(formula: Formula) -> str:
    stack = [formula]
    while stack:
        part = stack.pop()
        if part.tag == "annotation":
            return " ".join(part.words.split())
        stack.extend(reversed(part.parts))
    return ""


def _line(formula: Formula, depth: int) -> str:
    if formula.tag in _SKIPPED or formula.tag == "annotation" or depth > _MOST_NESTED:
        return ""
    lines = [_line(part, depth + 1) for part in formula.parts]
    shape = _SHAPES.get(formula.tag)
    if shape is not None and len(lines) >= shape[0]:
        return shape[1].format(*(_grouped(line) for line in lines))
    words = " ".join(formula.words.split())
    if formula.tag == "mo" and words in OPERATORS:
        return f" {words} "
    return _joined([words, *lines], formula.tag)


def _joined(lines: list[str], tag: str) -> str:
    gap = "; " if tag == "mtable" else ", " if tag == "mtr" else " "
    return gap.join(line for line in lines if line.strip())


def _grouped(line: str) -> str:
    """In brackets if it is more than one word."""
    line = " ".join(line.split())
    return f"({line})" if " " in line and not _in_brackets(line) else line


def _in_brackets(line: str) -> bool:
    """Whether one pair of brackets holds all of it."""
    depth = 0
    for at, sign in enumerate(line):
        depth += {"(": 1, ")": -1}.get(sign, 0)
        if depth == 0 and at < len(line) - 1:
            return False
    return line.startswith("(") and line.endswith(")")


_SHAPES = {
    "mfrac": (2, "{0}/{1}"),
    "msup": (2, "{0}^{1}"),
    "msub": (2, "{0}_{1}"),
    "msubsup": (3, "{0}_{1}^{2}"),
    "munder": (2, "{0}_{1}"),
    "mover": (2, "{0}^{1}"),
    "munderover": (3, "{0}_{1}^{2}"),
    "msqrt": (1, "sqrt({0})"),
    "mroot": (2, "{0}^(1/{1})"),
}
