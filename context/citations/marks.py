"""Removes citation marks that the model wrote itself. The prompt has no numbers, so they mean nothing."""

from __future__ import annotations

import re
from collections.abc import Sequence

from base.text.code import code_spans, is_index

_MARK = re.compile(r"(?P<gap>\s*)(?P<mark>\[\d{1,3}(?:[,;] ?\d{1,3}){0,7}\])")
_UNFINISHED = re.compile(r"\s*(?:\[(?:\d{1,3}[,;] ?){0,7}\d{0,3})?\Z")
_LAST_WORD = re.compile(r"\S{1,80}\Z")
# After one of these "[3]" is a list or an index: "x = [3]", "f([3])".
_OPERATORS = "=(+*/<>&|^%"
_KEPT = 96
"""Characters of what was given out that a mark is read together with."""


class MarkFilter:
    """Takes marks such as " [3]" or "[1, 2]" out of a text that is still being written.

    A bracketed number stays where it is text: after an operator, where a passage has it as an index
    ("items[0]"), or where the code of a passage has it so. Elsewhere in a passage it may imitate our marks.
    `removed` lists what was taken out.
    """

    def __init__(self, passages: Sequence[str]) -> None:
        self._passages = [" ".join(passage.split()) for passage in passages]
        self._code = [
            " ".join(passage[start:end].split()) for passage in passages for start, end in code_spans(passage)
        ]
        self._held = ""
        self._given = ""
        self.removed: list[str] = []

    def feed(self, delta: str) -> str:
        """The text that no mark can begin in any more."""
        return self._advance(self._held + delta, final=False)

    def finish(self) -> str:
        """The rest."""
        return self._advance(self._held, final=True)

    def _advance(self, text: str, *, final: bool) -> str:
        pieces: list[str] = []
        position = 0
        while found := _MARK.search(text, position):
            self._give(pieces, text[position : found.start()])
            if self._is_text(found["gap"], found["mark"]):
                self._give(pieces, found[0])
            else:
                self.removed.append(found[0])
            position = found.end()
        unfinished = None if final else _UNFINISHED.search(text, position)
        hold = len(text) if unfinished is None else unfinished.start()
        self._give(pieces, text[position:hold])
        self._held = text[hold:]
        return "".join(pieces)

    def _give(self, pieces: list[str], text: str) -> None:
        pieces.append(text)
        self._given = (self._given + text)[-_KEPT:]

    def _is_text(self, gap: str, mark: str) -> bool:
        before = _LAST_WORD.search(self._given)
        if before is None:
            return False
        if before[0][-1] in _OPERATORS:
            return True
        literal = f"{before[0].lstrip('`')}{' ' if gap else ''}{mark}"
        if any(literal in code for code in self._code):
            return True
        index = not gap and is_index(before[0], mark[1:-1])
        return index and any(literal in passage for passage in self._passages)
