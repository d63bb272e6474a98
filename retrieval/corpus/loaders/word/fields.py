"""Fields: their result is shown, their code is not."""

from __future__ import annotations

import re
from typing import Any

from retrieval.corpus.loaders.word.markup import child, is_on, kind, value, walk, whole
from retrieval.corpus.loaders.word.omissions import Omissions

# Shown by what their code says, without a result in the file.
_WITHOUT_RESULT = re.compile(r"\s*(EQ|SYMBOL|LISTNUM|AUTONUM(?:LGL|OUT)?)\b", re.IGNORECASE)


class OpenFields:
    """The fields that are open where a reader is."""

    def __init__(self) -> None:
        self._in_code: list[bool] = []

    @property
    def hide(self) -> bool:
        """Whether what stands here is code of a field."""
        return any(self._in_code)

    def mark(self, node: Any) -> None:
        """A `w:fldChar`: a field begins, its result begins, or it ends."""
        what = value(node, "fldCharType")
        if what == "begin":
            self._in_code.append(True)
        elif self._in_code and what == "separate":
            self._in_code[-1] = False
        elif self._in_code and what == "end":
            self._in_code.pop()


def prepare(root: Any, omissions: Omissions) -> None:
    """Takes away the marks of fields that do not end, which would hide all that follows them.

    Fields that show something which is not in the file, such as equations in the form of fields, are counted.
    """
    open_fields: list[tuple[Any, str, bool]] = []  # where it begins, its code, whether a result was met
    halves = []
    for run in walk(root, frozenset()):
        if kind(run) != "w:r":
            continue
        for node in run:
            name, what = kind(node), value(node, "fldCharType")
            if name == "w:instrText" and open_fields and not open_fields[-1][2]:
                begin, code, _ = open_fields[-1]
                open_fields[-1] = begin, code + (node.text or ""), False
            elif name != "w:fldChar":
                continue
            elif what == "begin":
                open_fields.append((node, "", False))
            elif not open_fields:
                halves.append(node)
            elif what == "separate":
                open_fields[-1] = *open_fields[-1][:2], True
            elif what == "end":
                _, code, result = open_fields.pop()
                if not result and _WITHOUT_RESULT.match(code):
                    omissions.add("field | without a result")
    for node in [*halves, *(begin for begin, _, _ in open_fields)]:
        node.getparent().remove(node)


def form_value(begin: Any) -> str:
    """What the field of a form shows that is ticked or chosen; "" for others, whose result is text.

    A box is ☒ or ☐.
    """
    form = child(begin, "w:ffData")
    if (box := child(form, "w:checkBox")) is not None:
        ticked = child(box, "w:checked")
        return "☒" if is_on(ticked if ticked is not None else child(box, "w:default")) else "☐"
    if (choices := child(form, "w:ddList")) is not None:
        chosen = child(choices, "w:result")
        chosen = chosen if chosen is not None else child(choices, "w:default")
        entries = [value(node) for node in choices if kind(node) == "w:listEntry"]
        at = whole(value(chosen), 0) if chosen is not None else 0
        return entries[at] if 0 <= at < len(entries) else ""
    return ""
