"""The words of one paragraph, heading or cell of Markdown."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping

from retrieval.corpus.blocks import Heading, Item, Note, Paragraph
from retrieval.corpus.loaders.web import read_fragment

_SPECIAL = re.compile(r"[\[<&~\\]")
_TICKS = re.compile(r"`+")
_AUTOMATIC = re.compile(r"<((?:https?|ftp|mailto):[^<>\s]{1,2000}|[\w.+-]{1,80}@[\w.-]{1,80})>")
_TAG = re.compile(r"</?[A-Za-z][\w-]{0,30}(?:\s[^<>]{0,2000})?/?>")
_TARGET = (
    r"\(\s*<?[^()\s]{0,4000}(?:\([^()\s]{0,500}\)[^()\s]{0,500})?>?"
    r"(?:\s+(?:\"[^\"]{0,500}\"|'[^']{0,500}'))?\s*\)"
)
_IMAGE = re.compile(rf"!\[(?P<words>[^\[\]]{{0,1000}})\](?:{_TARGET}|\[[^\[\]]{{0,200}}\])")
_LINKED_IMAGE = re.compile(
    rf"\[\s*(?P<image>\[image: [^\[\]]{{0,1000}}\])?\s*\](?:{_TARGET}|\[[^\[\]]{{0,200}}\])"
)
_REFERENCE = re.compile(r"\[(?P<words>[^\[\]]{1,500})\](?:\[(?P<label>[^\[\]]{0,200})\])?(?![\[(:])")
_NOTE = re.compile(r"[ \t]?\[\^(?P<label>[^\[\]\s]{1,100})\]")
_STRUCK = re.compile(r"(?<!~)~~(?=\S)(?P<words>[^~]{1,1000})(?<=\S)~~(?!~)")
_ESCAPED = re.compile(r"\\([_*#.\-<>|~`+!&$%@/])")
_HARD_BREAK = re.compile(r"\\\n")
_FILE = re.compile(r"\S+\.(?:png|jpe?g|gif|svg|webp|bmp)", re.IGNORECASE)
_DATA = "data:"


def inline_text(source: str, references: Mapping[str, str]) -> str:
    """The source with its emphasis and links as written, but without tags, comments, images and escapes.

    An image leaves `[image: its words]`, what is struck out `[deleted: ...]`, a note's reference ` [1]`. A
    link by reference has its address written out; `references` are addresses by label, in lower case.

    >>> inline_text("~~40~~ **50** EUR[^1], see [fees][f] &amp; ![Pump 7](p.png)", {"f": "/fees"})
    '[deleted: 40] **50** EUR [1], see [fees](/fees) & [image: Pump 7]'
    """
    if not _SPECIAL.search(source):
        return source
    parts = []
    end = 0
    for first, last in _code(source):
        parts += [_marked(source[end:first], references), html.escape(source[first:last], quote=False)]
        end = last
    text = "".join([*parts, _marked(source[end:], references)])
    if not _TAG.search(text):
        return html.unescape(text)
    return _without_tags(text)


def reference_label(label: str) -> str:
    """A label in the form in which labels are compared."""
    return " ".join(label.split()).lower()


def _code(source: str) -> Iterator[tuple[int, int]]:
    """Spans of code: between two equally long runs of backticks."""
    runs = [found.span() for found in _TICKS.finditer(source)]
    after: dict[int, int] = {}
    partner = [0] * len(runs)
    for at in range(len(runs) - 1, -1, -1):
        length = runs[at][1] - runs[at][0]
        partner[at] = after.get(length, 0)
        after[length] = at
    at = 0
    while at < len(runs):
        if partner[at]:
            yield runs[at][0], runs[partner[at]][1]
            at = partner[at]
        at += 1


def _without_comments(text: str) -> str:
    kept, end = [], 0
    while (start := text.find("<!--", end)) >= 0 and (close := text.find("-->", start + 4)) >= 0:
        kept.append(text[end:start])
        end = close + 3
    return "".join([*kept, text[end:]])


def _marked(source: str, references: Mapping[str, str]) -> str:
    """Markdown's own signs in source without code; entities and tags are left."""
    if not _SPECIAL.search(source):
        return source
    text = _AUTOMATIC.sub(r"\1", _without_comments(source))
    if "[" in text:
        text = _NOTE.sub(r" [\g<label>]", text)
        text = _IMAGE.sub(_image, text)
        text = _LINKED_IMAGE.sub(lambda found: found["image"] or "", text)
        text = _REFERENCE.sub(lambda found: _linked(found, references), text)
    if "~~" in text:
        text = _STRUCK.sub(r"[deleted: \g<words>]", text)
    if "\\" in text:
        text = _ESCAPED.sub(lambda found: html.escape(found[1]), _HARD_BREAK.sub("\n", text))
    return text


def _image(found: re.Match[str]) -> str:
    words = " ".join(found["words"].split())
    return f"[image: {words}]" if words and not _FILE.fullmatch(words) else ""


def _linked(found: re.Match[str], references: Mapping[str, str]) -> str:
    address = references.get(reference_label(found["label"] or found["words"]))
    if address is None:
        return found[0]
    return found["words"] if address.startswith(_DATA) else f"[{found['words']}]({address})"


def _without_tags(text: str) -> str:
    """Read as HTML where it has tags: `10<sup>9</sup>`, `<br>`, `<del>`."""
    blocks = read_fragment("", text.replace("\n", "<br>"))
    return "\n".join(
        block.text for block in blocks if isinstance(block, (Paragraph, Heading, Item, Note)) and block.text
    )
