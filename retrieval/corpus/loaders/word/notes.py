"""Footnotes, endnotes and comments: the marks that the text has for them, and where their words are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from retrieval.corpus.loaders.word.markup import child, kind, value, whole
from retrieval.corpus.loaders.word.numbers.counting import counted

_OWN_MARKS = frozenset(["separator", "continuationSeparator", "continuationNotice"])


@dataclass(frozen=True, slots=True)
class Reference:
    """A note that the text refers to: its mark, its element, and who wrote it ("" but for comments)."""

    mark: str
    node: Any
    author: str = ""


class Notes:
    """The notes of one kind in a document, numbered in the order in which the text refers to them."""

    def __init__(self, root: Any | None, *, form: str = "decimal", start: int = 1, prefix: str = "") -> None:
        self._nodes = {
            value(node, "id"): node
            for node in (root if root is not None else ())
            if value(node, "type") not in _OWN_MARKS
        }
        self._form = form
        self._next = start
        self._prefix = prefix

    def refer(self, node: Any, own_mark: str = "") -> Reference | None:
        """The note that a reference in the text means; None if there is none.

        `own_mark` is a mark that the text writes itself, such as `*`: such notes are not counted.
        """
        note = self._nodes.get(value(node, "id"))
        if note is None:
            return None
        mark = own_mark
        if not mark:
            mark = self._prefix + counted(self._next, self._form)
            self._next += 1
        return Reference(mark, note, value(note, "author") if kind(note) == "w:comment" else "")


def note_form(settings: Any | None, what: str, otherwise: str) -> tuple[str, int]:
    """The form and the first number of footnotes (`what` is `w:footnotePr`) or endnotes in the settings."""
    properties = child(settings, what)
    form, start = child(properties, "w:numFmt"), child(properties, "w:numStart")
    return (
        value(form, otherwise=otherwise) if form is not None else otherwise,
        whole(value(start), 1) if start is not None else 1,
    )
