"""Builds a document's text from blocks: headings, paragraphs, list items, table rows, code."""

from __future__ import annotations

import re

_SPACES = re.compile(r"\s+")
_BACKTICKS = re.compile(r"`{3,}")
_CELL = " | "


class Blocks:
    """Text with one form for each kind of block, so that the chunker sees the structure.

    A heading is a `#` line, a list item a `-` line, a row's cells are parted by `|`, code is between
    ``` lines and keeps its spaces; elsewhere runs of white space become one space. Blocks without text
    leave nothing.

    >>> blocks = Blocks()
    >>> blocks.open_heading(2); blocks.write(" Use "); blocks.close()
    >>> blocks.item(); blocks.write("one"); blocks.item(); blocks.write("two"); blocks.text()
    '## Use\\n\\n- one\\n- two'
    """

    def __init__(self) -> None:
        self._finished: list[str] = []
        self._open: list[str] = []
        # What comes between the last text that was finished and the next.
        self._gap = "\n\n"
        self._prefix = ""
        # Set where a row or an item begins: its first text comes after that gap, whatever is around it.
        self._gap_is_held = False
        self._row_has_text = False
        self._in_heading = False
        self._code_depth = 0

    def write(self, text: str) -> None:
        """Adds to the open block."""
        self._open.append(text)

    def paragraph(self) -> None:
        """What follows stands after a blank line."""
        self._begin("\n\n")

    def line(self) -> None:
        """What follows stands in a new line."""
        self._begin("\n")

    def item(self) -> None:
        """What follows, up to `close`, is a list item."""
        self._begin("\n")
        self._prefix = "- "
        self._gap_is_held = True

    def row(self) -> None:
        """What follows, up to `close`, is a table row."""
        self._begin("\n")
        self._row_has_text = False

    def cell(self) -> None:
        """What follows is the next cell of the row."""
        self._begin("\n")
        if self._row_has_text:
            self._gap = _CELL
        self._gap_is_held = True

    def open_heading(self, level: int) -> None:
        """What follows, up to `close`, is a heading of level 1 to 6."""
        self.paragraph()
        self._prefix = "#" * level + " "
        self._in_heading = True

    def close(self, *, gap: str = "\n\n") -> None:
        """Ends a heading, an item or a row: what follows has nothing of its form."""
        self._in_heading = False
        self._begin(gap)
        self._prefix = ""
        self._gap_is_held = False
        self._gap = gap

    def open_code(self) -> None:
        """What follows, up to `close_code`, keeps its spaces and line ends."""
        if not self._code_depth:
            self.paragraph()
        self._code_depth += 1

    def close_code(self) -> None:
        """Ends code."""
        if self._code_depth == 1:
            self._finish("\n\n")
        self._code_depth = max(0, self._code_depth - 1)

    def text(self) -> str:
        """All that was written."""
        self._finish("")
        return "".join(self._finished)

    def _begin(self, gap: str) -> None:
        if self._code_depth:
            self._open.append("\n")
        elif self._in_heading:
            self._open.append(" ")
        else:
            self._finish(gap)

    def _finish(self, gap: str) -> None:
        """Closes the open text. `gap` is the least that comes before the next."""
        raw = "".join(self._open)
        self._open.clear()
        if not raw.strip():
            if not self._gap_is_held:
                self._gap = max(self._gap, gap, key=len)
            return
        if self._finished:
            self._finished.append("\n" if self._code_depth and self._gap == _CELL else self._gap)
        self._finished.append(
            _fenced(raw) if self._code_depth else self._prefix + _SPACES.sub(" ", raw).strip()
        )
        self._gap, self._prefix, self._gap_is_held, self._row_has_text = gap, "", False, True


def _fenced(code: str) -> str:
    longest = max((len(run) for run in _BACKTICKS.findall(code)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}\n{code.rstrip().strip(chr(10))}\n{fence}"
