"""XML of any kind as text: titles as headings, records as rows, running text as paragraphs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from lxml import etree

from retrieval.corpus.blocks import Block, Heading, Item, Paragraph
from retrieval.corpus.limits import LoadLimits
from retrieval.corpus.loaders.data.marked_table import marked_rows
from retrieval.corpus.loaders.data.values import record_table
from retrieval.corpus.loaders.html import load_html
from retrieval.corpus.loaders.packed.xml import local, parsed
from retrieval.corpus.loaders.plain import load_code
from retrieval.corpus.loaders.web.inline import Inline, Style
from retrieval.corpus.remarks import Remark
from retrieval.corpus.tables import tables_of
from retrieval.corpus.text import make_document
from retrieval.corpus.writer import write
from retrieval.documents import Document

_TITLES = frozenset(["title", "head", "heading", "caption", "label"])
# Elements of running text, whose names say nothing.
_PROSE = frozenset(
    [
        *("p", "para", "simpara", "paragraph", "text", "line", "l"),
        *("abstract", "description", "summary", "content", "body"),
    ]
)
_ITEMS = frozenset(["li", "item", "listitem", "list-item"])
_STYLES = dict.fromkeys(["sup", "superscript"], Style.RAISED) | dict.fromkeys(
    ["sub", "subscript"], Style.LOWERED
)
# Attributes for machines.
_OWN = frozenset(
    ["id", "class", "style", "lang", "space", "base", "schemaLocation", "noNamespaceSchemaLocation"]
)


def load_xml(name: str, data: bytes, limits: LoadLimits) -> Iterator[Document | Remark]:
    """One document. XML that is broken is read as code, with a remark.

    An element's title is a heading; elements of plain values are lines `name: value`, or rows of a table
    where several of a kind follow each other.
    """
    try:
        root = parsed(data)
    except etree.XMLSyntaxError as error:
        yield from load_code(name, data, limits)
        yield Remark(name, f"is not valid XML and was read as plain text: {error}")
        return
    if local(root).lower() == "html":
        yield from load_html(name, data, limits)
        return
    blocks = list(_blocks(root, 0, name))
    heads = [block.text for block in blocks if isinstance(block, Heading)]
    yield make_document(name, write(blocks), limits, title=next(iter(heads), ""), metadata={"source": name})


def _blocks(node: Any, depth: int, name: str) -> Iterator[Block]:
    """The blocks of an element: its attributes and plain children, its title, and what is in it.

    `name` is the file's, for errors.
    """
    children = [one for one in node if isinstance(one.tag, str)]
    if rows := marked_rows(node, _words):
        yield from tables_of(name, rows)
        return
    if not children:
        yield _leaf(node) or Paragraph("; ".join(_named(_own_values(node))))
        return
    if _is_mixed(node, children):
        yield Paragraph(_words(node))
        return
    title = next((one for one in children if local(one).lower() in _TITLES and not len(one)), None)
    if title is not None and _words(title):
        yield Heading(_words(title), min(depth + 1, 6))
    lines = _named(_attributes(node))
    rest = [one for one in children if one is not title]
    at = 0
    while at < len(rest):
        same = _alike(rest, at)
        records = [_fields(one) for one in same]
        table = record_table(records) if all(records) and len(same) > 1 else None
        if table is not None or not _is_leaf(rest[at]):
            yield from _lines(lines)
            lines = []
        if table is not None:
            yield table
            at += len(same)
            continue
        if not _is_leaf(rest[at]):
            yield from _blocks(rest[at], depth + (title is not None), name)
        elif (block := _leaf(rest[at])) is not None:
            yield from _lines(lines)
            lines = []
            yield block
        elif words := _words(rest[at]):
            lines.append(f"{local(rest[at])}: {words}")
        at += 1
    yield from _lines(lines)


def _lines(lines: Sequence[str]) -> Iterator[Block]:
    if lines:
        yield Paragraph("\n".join(lines))


def _leaf(node: Any) -> Block | None:
    """A leaf that is running text or an item; None for a plain value with a name."""
    kind = local(node).lower()
    if kind in _ITEMS:
        return Item(_words(node))
    return Paragraph(_words(node)) if kind in _PROSE else None


def _alike(nodes: Sequence[Any], at: int) -> list[Any]:
    """The elements of one kind that follow each other from `at` on."""
    end = at
    while end < len(nodes) and nodes[end].tag == nodes[at].tag:
        end += 1
    return list(nodes[at:end])


def _fields(node: Any) -> Mapping[str, str] | None:
    """The plain values of a record by name; None for an element that is no record."""
    children = [one for one in node if isinstance(one.tag, str)]
    names = [local(one) for one in children]
    if any(map(_has_elements, children)) or len(set(names)) < len(names) or _is_mixed(node, children):
        return None
    if not children:
        return _own_values(node) if _attributes(node) else None
    fields = _attributes(node)
    for one in children:
        fields |= {local(one): _words(one)} | {
            f"{local(one)} {name}": text for name, text in _attributes(one).items()
        }
    return fields


def _own_values(node: Any) -> dict[str, str]:
    """The text of an element without others, by its own name, and its attributes."""
    words = _words(node)
    return ({local(node): words} if words else {}) | _attributes(node)


def _named(values: Mapping[str, str]) -> list[str]:
    return [f"{name}: {value}" for name, value in values.items()]


def _attributes(node: Any) -> dict[str, str]:
    named = ((name.rpartition("}")[2], value) for name, value in node.attrib.items())
    return {name: " ".join(value.split()) for name, value in named if name not in _OWN and value.strip()}


def _is_leaf(node: Any) -> bool:
    return not _has_elements(node) and not _attributes(node)


def _has_elements(node: Any) -> bool:
    return any(isinstance(one.tag, str) for one in node)


def _is_mixed(node: Any, children: Sequence[Any]) -> bool:
    """Whether words stand between its elements."""
    return bool(children) and any(
        (text or "").strip() for text in (node.text, *(one.tail for one in children))
    )


def _words(node: Any) -> str:
    """The running text of an element: raised digits as powers, and elements of a kind side by side apart."""
    line = Inline(())
    _write(node, line, Style.PLAIN)
    return " ".join(line.take().split())


def _write(node: Any, line: Inline, style: Style) -> None:
    line.write(node.text or "", style)
    before: Any = None
    for one in node:
        if isinstance(one.tag, str):
            if before is not None and before.tag == one.tag and not before.tail:
                line.write(" ", style)
            _write(one, line, style | _STYLES.get(local(one).lower(), Style.PLAIN))
        elif one.text and one.tag is etree.Entity:
            line.write(one.text, style)
        line.write(one.tail or "", style)
        before = one
