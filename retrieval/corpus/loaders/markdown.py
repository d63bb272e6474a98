"""Markdown: the source is the text, with its headings in one form."""

from __future__ import annotations

import re
from collections.abc import Iterator

from retrieval.corpus.characters import clean
from retrieval.corpus.headings import fenced, find_headings
from retrieval.corpus.limits import LoadLimits
from retrieval.corpus.text import decode, make_document
from retrieval.corpus.values import typed
from retrieval.types import Document, Scalar

_FRONT_MATTER = re.compile(r"---[ \t]*\n(?P<lines>(?:.*\n){1,200}?)(?:---|\.\.\.)[ \t]*(?:\n|$)")
_FIELD = re.compile(r"(?P<key>[A-Za-z_][\w-]*):[ \t]*(?P<value>.*)")
_ATX = re.compile(r" {0,3}#{1,6}(?:[ \t]|$)")
_UNDERLINE = re.compile(r" {0,3}(?:=+|-+)[ \t]*$")
_RULE = re.compile(r" {0,3}(?:(?:\*[ \t]*){3,}|(?:-[ \t]*){3,}|(?:_[ \t]*){3,})$")
_OTHER = re.compile(r" {0,3}(?:[>|<]|[-+*](?:[ \t]|$)|\d{1,9}[.)](?:[ \t]|$))")
_CODE = re.compile(r" {4}|\t")
_FLOW = re.compile(r"\[(?P<items>[^\[\]{}]*)\]")


def load_markdown(name: str, data: bytes, limits: LoadLimits) -> Iterator[Document]:
    """One document of the source text.

    Underlined headings become `#` lines. Front matter of plain `key: value` lines becomes metadata, and
    its `title` the title; any other stays in the text. Without one, the title is the first heading of
    level 1.
    """
    text = clean(decode(name, data))
    fields, text = _front_matter(text)
    title = fields.pop("title", None)
    text = _with_marked_headings(text)
    if title is None:
        title = next((heading.title for heading in find_headings(text) if heading.level == 1), "")
    yield make_document(name, text, limits, title=str(title), metadata={"source": name, **fields})


def _front_matter(text: str) -> tuple[dict[str, Scalar | list[Scalar]], str]:
    found = _FRONT_MATTER.match(text)
    if not found:
        return {}, text
    fields: dict[str, Scalar | list[Scalar]] = {}
    for line in found["lines"].splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        field = _FIELD.fullmatch(line.rstrip())
        if field is None or not field["value"] or field["value"][0] in "{|>&*!":
            return {}, text
        fields[field["key"]] = _value(field["value"])
    return fields, text[found.end() :]


def _value(source: str) -> Scalar | list[Scalar]:
    if flow := _FLOW.fullmatch(source):
        return [_scalar(item.strip()) for item in flow["items"].split(",") if item.strip()]
    return _scalar(source)


def _scalar(source: str) -> Scalar:
    if len(source) >= 2 and source[0] == source[-1] and source[0] in "\"'":
        return source[1:-1]
    return typed(source)


def _with_marked_headings(text: str) -> str:
    """Underlined headings as `#` lines. No line moves: what is left of them is blank."""
    lines = text.split("\n")
    for first, underline in _underlined(lines):
        level = "#" if lines[underline].lstrip().startswith("=") else "##"
        words = " ".join(line.strip() for line in lines[first:underline])
        lines[first : underline + 1] = [f"{level} {words}", *[""] * (underline - first)]
    return "\n".join(lines)


def _underlined(lines: list[str]) -> list[tuple[int, int]]:
    """First line and underline of each such heading: an underlined paragraph, and not a list, quote or table.

    A small part of CommonMark, since a whole parser takes minutes for the largest files; a test holds
    it to one.
    """
    found = []
    paragraph: int | None = None
    other = False
    for number, (line, in_fence) in enumerate(zip(lines, fenced(lines), strict=True)):
        if in_fence or not line.strip() or _ATX.match(line):
            paragraph, other = None, False
        elif other:
            continue
        elif paragraph is not None and _UNDERLINE.match(line):
            found.append((paragraph, number))
            paragraph = None
        elif _RULE.match(line):
            paragraph = None
        elif _OTHER.match(line) or (paragraph is None and _CODE.match(line)):
            paragraph, other = None, not _CODE.match(line)
        elif paragraph is None:
            paragraph = number
    return found
