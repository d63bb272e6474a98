"""Where code stands in a text: fenced blocks, words in backticks, console lines, indented lines, indices."""

from __future__ import annotations

import re

_LINE = re.compile(r"^[ \t]*(?:>>>|\.\.\.)[ \t][^\n]*|^(?: {4}|\t)[^\n]*", re.MULTILINE)
_INLINE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]+`", re.DOTALL)


def code_spans(text: str) -> list[tuple[int, int]]:
    """Half-open spans of the code in a text, in order; they do not overlap.

    >>> text = "Write `x[0]` or [1]."
    >>> [text[start:end] for start, end in code_spans(text)]
    ['`x[0]`']
    """
    spans = sorted(match.span() for pattern in (_INLINE, _LINE) for match in pattern.finditer(text))
    kept: list[tuple[int, int]] = []
    for start, end in spans:
        if kept and start < kept[-1][1]:
            kept[-1] = (kept[-1][0], max(end, kept[-1][1]))
        else:
            kept.append((start, end))
    return kept


def is_index(word: str, number: str) -> bool:
    """Whether `word[number]` reads as an index of code, and not as a word with the mark of a note.

    >>> is_index("items", "0"), is_index("sys.argv", "1"), is_index("euros", "2")
    (True, True, False)
    """
    return number == "0" or any(sign in word[:-1] for sign in "_.") or word.endswith((")", "]"))
