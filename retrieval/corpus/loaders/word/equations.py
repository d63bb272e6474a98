"""Equations of Word documents as one line of text, in the form that equations of web pages have."""

from __future__ import annotations

import re
from typing import Any

from retrieval.corpus.loaders.web.mathml import OPERATORS, Formula, formula_text
from retrieval.corpus.loaders.word.markup import child, is_on, kind, seen, value

_MOST_NESTED = 50
_NUMBER_ENDS = re.compile(r"\d[.,]?$")
_NUMBER_GOES_ON = re.compile(r"[.,]?\d")
_WORD_ENDS = re.compile(r"[^\W\d_]{2}$")
_WORD_GOES_ON = re.compile(r"[^\W\d_]{2}")
_FACTOR = re.compile(r"^(\d+(?:[.,]\d+)*)(?=[^\W\d_])")  # the number in 2a
_TOKEN = re.compile(rf"[{re.escape(''.join(sorted(OPERATORS)))}]|[^{re.escape(''.join(sorted(OPERATORS)))}]+")
_OPENING = tuple("([{|,;")
_SIGNS = "+-−±"
# The parts of each in the order in which the line shows them.
_SHAPES = {
    "m:sSup": ("msup", "m:e", "m:sup"),
    "m:sSub": ("msub", "m:e", "m:sub"),
    "m:sSubSup": ("msubsup", "m:e", "m:sub", "m:sup"),
    "m:limLow": ("munder", "m:e", "m:lim"),
    "m:limUpp": ("mover", "m:e", "m:lim"),
}
_ACCENTS = {
    "~": "\u0303",
    "^": "\u0302",
    "ˆ": "\u0302",
    "¯": "\u0304",
    "‾": "\u0305",
    "˙": "\u0307",
    "→": "\u20d7",
}
_SUM = "∫"


def equation_text(node: Any) -> str:
    """An `m:oMath` or `m:oMathPara` as one line; "" if it is nested too deep or empty."""
    return formula_text(_formula(node, 0))


def _formula(node: Any, depth: int) -> Formula:
    name = kind(node)
    if depth > _MOST_NESTED:
        return Formula("mtext", words="…")
    if name in _SHAPES:
        tag, *parts = _SHAPES[name]
        return Formula(tag, [_part(node, part, depth) for part in parts])
    other = _OTHERS.get(name)
    return other(node, depth) if other is not None else _row(node, depth)


def _row(node: Any, depth: int) -> Formula:
    """What stands in a row, neighbouring runs of signs as one text."""
    parts: list[Formula] = []
    words = ""
    for one in seen(node):
        name = kind(one)
        if name.endswith("Pr"):
            continue
        if name in ("m:r", "w:r") and not is_on(child(one, "m:rPr", "m:nor")):
            words = _put_together(words, _words(one))
            continue
        parts += _tokens(words, leads=not parts)
        words = ""
        parts.append(
            Formula("mtext", words=_words(one)) if name in ("m:r", "w:r") else _formula(one, depth + 1)
        )
    return Formula("mrow", [*parts, *_tokens(words, leads=not parts)])


def _put_together(words: str, more: str) -> str:
    """Two runs in a row: apart as two variables are, but for the parts of a number or of a longer word."""
    one = (_NUMBER_ENDS.search(words) and _NUMBER_GOES_ON.match(more)) or (
        _WORD_ENDS.search(words) and _WORD_GOES_ON.match(more)
    )
    return words + more if one or not words else f"{words} {more}"


def _part(node: Any, name: str, depth: int) -> Formula:
    found = child(node, name)
    return _formula(found, depth + 1) if found is not None else Formula("mrow")


def _words(run: Any) -> str:
    return "".join(one.text or "" for one in seen(run) if kind(one) in ("m:t", "w:t"))


def _tokens(words: str, *, leads: bool) -> list[Formula]:
    """Operators apart from what stands between them; the sign of a number stays with it.

    `leads`: nothing stands before them in the row.
    """
    found: list[Formula] = []
    sign = ""
    for token in (one.strip() for one in _TOKEN.findall(words) if one.strip()):
        begins = not found if leads else False
        if found:
            begins = found[-1].tag == "mo" or found[-1].words.endswith(_OPENING)
        if token in _SIGNS and begins and not sign:
            sign = token
        elif token in OPERATORS:
            found += [Formula("mo", words=one) for one in (sign, token) if one]
            sign = ""
        else:
            found += [Formula("mi", words=sign + _FACTOR.sub(r"\1 ", token))]
            sign = ""
    return [*found, Formula("mo", words=sign)] if sign else found


def _root(node: Any, depth: int) -> Formula:
    base = _part(node, "m:e", depth)
    degree = _part(node, "m:deg", depth)
    if is_on(child(node, "m:radPr", "m:degHide")) or not formula_text(degree):
        return Formula("msqrt", [base])
    return Formula("mroot", [base, degree])


def _sum(node: Any, depth: int) -> Formula:
    properties = child(node, "m:naryPr")
    sign = child(properties, "m:chr")
    parts = [Formula("mo", words=value(sign, otherwise=_SUM) if sign is not None else _SUM)]
    below, above = _part(node, "m:sub", depth), _part(node, "m:sup", depth)
    has_below, has_above = bool(formula_text(below)), bool(formula_text(above))
    tag = {(True, True): "munderover", (True, False): "munder", (False, True): "mover"}.get(
        (has_below, has_above), "mrow"
    )
    parts += [part for part, has in ((below, has_below), (above, has_above)) if has]
    return Formula("mrow", [Formula(tag, parts), _part(node, "m:e", depth)])


def _delimited(node: Any, depth: int) -> Formula:
    properties = child(node, "m:dPr")
    begin, between, end = (
        value(mark) if (mark := child(properties, name)) is not None else otherwise
        for name, otherwise in (("m:begChr", "("), ("m:sepChr", "|"), ("m:endChr", ")"))
    )
    parts = [formula_text(_formula(one, depth + 1)) for one in seen(node) if kind(one) == "m:e"]
    return Formula("mrow", words=f"{begin}{f' {between} '.join(parts)}{end}")


def _accented(node: Any, depth: int) -> Formula:
    sign = child(node, "m:accPr", "m:chr")
    return _with_sign(_part(node, "m:e", depth), value(sign) if sign is not None else "\u0302")


def _barred(node: Any, depth: int) -> Formula:
    position = child(node, "m:barPr", "m:pos")
    below = position is None or value(position, otherwise="bot") == "bot"
    return _with_sign(_part(node, "m:e", depth), "\u0332" if below else "\u0305")


def _with_sign(base: Formula, sign: str) -> Formula:
    """A letter with its accent; of longer terms the sign stands after them, in brackets."""
    words = formula_text(base)
    sign = _ACCENTS.get(sign, sign)
    if len(words) == 1:
        return Formula("mi", words=words + sign)
    return Formula("mrow", words=f"({words}){sign}" if sign.strip() else words)


def _prescripted(node: Any, depth: int) -> Formula:
    below, above = (formula_text(_part(node, name, depth)) for name in ("m:sub", "m:sup"))
    signs = "".join(f"{mark}{part}" for mark, part in (("_", below), ("^", above)) if part)
    return Formula("mrow", words=f"{signs} {formula_text(_part(node, 'm:e', depth))}")


def _matrix(node: Any, depth: int) -> Formula:
    rows = [
        Formula("mtr", [_formula(cell, depth + 2) for cell in seen(row) if kind(cell) == "m:e"])
        for row in seen(node)
        if kind(row) == "m:mr"
    ]
    return Formula("mtable", rows)


def _lines(node: Any, depth: int) -> Formula:
    return Formula("mtable", [_formula(one, depth + 1) for one in seen(node) if kind(one) == "m:e"])


def _phantom(node: Any, depth: int) -> Formula:
    shown = child(node, "m:phantPr", "m:show")
    if shown is not None and not is_on(shown):
        return Formula("mrow")
    return _part(node, "m:e", depth)


def _fraction(node: Any, depth: int) -> Formula:
    parts = [_part(node, name, depth) for name in ("m:num", "m:den")]
    form = child(node, "m:fPr", "m:type")
    # Without a line between them, as in a binomial coefficient, they are no fraction.
    return Formula("mtable" if form is not None and value(form) == "noBar" else "mfrac", parts)


_OTHERS = {
    "m:f": _fraction,
    "m:rad": _root,
    "m:nary": _sum,
    "m:d": _delimited,
    "m:acc": _accented,
    "m:bar": _barred,
    "m:sPre": _prescripted,
    "m:m": _matrix,
    "m:eqArr": _lines,
    "m:phant": _phantom,
}
