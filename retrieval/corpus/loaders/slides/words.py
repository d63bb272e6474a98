"""The text of a shape: paragraphs, list items with their numbers, raised and struck-out runs."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from retrieval.corpus.blocks import Block, Item, Note, Paragraph
from retrieval.corpus.loaders.packed.xml import local
from retrieval.corpus.loaders.slides.names import q
from retrieval.corpus.loaders.slides.styles import Bullet, Styles
from retrieval.corpus.loaders.web.inline import Inline, Style
from retrieval.corpus.loaders.web.lists import counted
from retrieval.corpus.loaders.word.equations import equation_text

_DEEPEST = 8
_STRUCK = frozenset(["sngStrike", "dblStrike"])
_FORMS = {"Period": "{}.", "ParenR": "{})", "ParenBoth": "({})", "Plain": "{}", "Minus": "- {} -"}
_SIGNS = {"alphaLc": "a", "alphaUc": "A", "romanLc": "i", "romanUc": "I"}


def note_marks(slide: Any) -> frozenset[str]:
    """The raised marks that paragraphs of a slide begin with, as notes do."""
    marks = set()
    for paragraph in slide.iter(q("a:p")):
        first = paragraph.find(q("a:r"))
        if first is not None and _style(first) is Style.RAISED and first.findtext(q("a:t")):
            marks.add(first.findtext(q("a:t")).strip(" []()."))
    return frozenset(marks)


def text_blocks(body: Any, shape: Any, styles: Styles, notes: Collection[str]) -> Iterator[Block]:
    """The blocks of a text body in `shape`; `notes` are the marks of the slide's notes."""
    numbers = _Numbers()
    for paragraph in body.iterfind(q("a:p")):
        line = Inline(notes)
        write_runs(paragraph, line)
        mark = line.opening_mark()
        words = line.take(after=mark).strip()
        if not words:
            continue
        level = _level(paragraph)
        bullet = styles.bullet(shape, paragraph, level)
        marker = numbers.marker(level, bullet)
        if mark:
            yield Note(mark, words)
        elif bullet is not None:
            yield Item(words, marker, level)
        else:
            yield Paragraph(words)


def plain_text(body: Any, notes: Collection[str] = ()) -> str:
    """All words of a text body, a space between paragraphs."""
    lines = []
    for paragraph in body.iterfind(q("a:p")):
        line = Inline(notes)
        write_runs(paragraph, line)
        lines.append(line.take().strip())
    return " ".join(line for line in lines if line)


def write_runs(paragraph: Any, line: Inline) -> None:
    """Writes the runs of a paragraph."""
    for node in paragraph:
        if node.tag in (q("a:r"), q("a:fld")):
            line.write(node.findtext(q("a:t")) or "", _style(node))
        elif node.tag == q("a:br"):
            line.break_line()
        elif node.tag == q("mc:AlternateContent"):
            # A formula, beside its picture.
            choice = next((one for one in node if len(one)), None)
            if choice is not None:
                write_runs(choice, line)
        elif local(node) == "m":
            for formula in node.iter(q("m:oMath")):
                line.write(f" {equation_text(formula)} ", Style.PLAIN)


def _style(run: Any) -> Style:
    properties = run.find(q("a:rPr"))
    if properties is None:
        return Style.PLAIN
    style = Style.DELETED if properties.get("strike") in _STRUCK else Style.PLAIN
    shift = properties.get("baseline", "0")
    if shift.strip("%0.-"):
        style |= Style.LOWERED if shift.startswith("-") else Style.RAISED
    return style


def _level(paragraph: Any) -> int:
    properties = paragraph.find(q("a:pPr"))
    level = properties.get("lvl", "0") if properties is not None else "0"
    return min(int(level), _DEEPEST) if level.isdecimal() else 0


class _Numbers:
    """Counts the items of a text body, each level by itself."""

    def __init__(self) -> None:
        self._last: dict[int, tuple[Bullet, int]] = {}

    def marker(self, level: int, bullet: Bullet | None) -> str:
        """The marker of the next paragraph of a level."""
        for deeper in [one for one in self._last if one > level]:
            del self._last[deeper]
        if bullet is None or bullet.kind == "char":
            self._last.pop(level, None)
            return "-"
        before = self._last.get(level)
        number = before[1] + 1 if before is not None and before[0] == bullet else bullet.start
        self._last[level] = bullet, number
        return _numbered(bullet.kind, number)


def _numbered(kind: str, number: int) -> str:
    form = next((form for end, form in _FORMS.items() if kind.endswith(end)), "{}.")
    sign = next((sign for start, sign in _SIGNS.items() if kind.startswith(start)), "1")
    return form.format(counted(number, sign))
