"""Markdown: headings, paragraphs, lists, tables, code and notes, and the fields of its front matter."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache

from markdown_it import MarkdownIt
from markdown_it.token import Token
from mdit_py_plugins.footnote import footnote_plugin

from retrieval.corpus.blocks import Block, Code, Heading, Item, Note, Paragraph, Table
from retrieval.corpus.characters import clean
from retrieval.corpus.cleaning.encodings import decoded
from retrieval.corpus.cleaning.machine_text import MachineText
from retrieval.corpus.headings import plain_title
from retrieval.corpus.limits import LoadLimits
from retrieval.corpus.loaders.marked.chunks import parts
from retrieval.corpus.loaders.marked.front_matter import front_matter
from retrieval.corpus.loaders.marked.inline import inline_text, reference_label
from retrieval.corpus.loaders.marked.rows import with_bars_in_code
from retrieval.corpus.loaders.web import read_fragment
from retrieval.corpus.remarks import Remark
from retrieval.corpus.tables import Cell, table_of
from retrieval.corpus.text import make_document
from retrieval.corpus.writer import write
from retrieval.documents import Document

_REFERENCE = re.compile(r"^ {0,3}\[(?!\^)([^\[\]\n]{1,200})\]:[ \t]*<?([^\s<>]{1,4000})", re.MULTILINE)
_HEADING_NAME = re.compile(r"\s*\{[#.][^{}]*\}$")
_ALERT = re.compile(r"\[!(NOTE|TIP|IMPORTANT|WARNING|CAUTION)\]\s*", re.IGNORECASE)
_DEEPEST = 60


def load_markdown(name: str, data: bytes, limits: LoadLimits) -> Iterator[Document | Remark]:
    """One document.

    Front matter becomes metadata, and its `title` the title; without one, the title is the first heading of
    level 1. Emphasis and links stay as they are written; comments and images are left out, but for the words
    that describe an image.
    """
    found = decoded(name, data)
    machine_text = MachineText()
    fields, body = front_matter(clean(found.text))
    body = machine_text.leave_out(body)
    title = fields.pop("title", None) or fields.pop("Title", None)
    blocks = list(markdown_blocks(name, body))
    if title is None:
        first = (block.text for block in blocks if isinstance(block, Heading) and block.level == 1)
        title = plain_title(next(first, ""))
    metadata = {"source": name, **{key: value for key, value in fields.items() if key != "source"}}
    yield make_document(name, write(blocks), limits, title=str(title), metadata=metadata)
    yield from filter(None, [found.remark, machine_text.remark(name)])


def markdown_blocks(name: str, source: str) -> Iterator[Block]:
    """The blocks of Markdown without front matter; `name` is the file's, for errors.

    >>> list(markdown_blocks("a.md", "Steps\\n=====\\n2. Press the button"))
    [Heading(text='Steps', level=1), Item(text='Press the button', marker='2.', depth=0)]
    """
    references = {reference_label(label): address for label, address in _REFERENCE.findall(source)}
    rows = 0
    for part in parts(with_bars_in_code(source)):
        for block in _Blocks(name, references).read(_parser().parse(part.source)):
            if isinstance(block, Table):
                first = rows + 1 if part.goes_on and rows else 1
                part = type(part)(part.source)
                rows = first + len(block.rows) - 1
                block = Table(block.rows, block.names, block.caption, first)
            yield block


@cache
def _parser() -> MarkdownIt:
    """CommonMark with tables and notes, but for what is within a paragraph, which would take most time."""
    parser = MarkdownIt("commonmark", {"maxNesting": _DEEPEST}).enable("table").use(footnote_plugin)
    parser.core.ruler.enableOnly(["normalize", "block"])
    return parser


class _Blocks:
    """Turns the tokens of a part into blocks."""

    def __init__(self, name: str, references: Mapping[str, str]) -> None:
        self._name = name
        self._references = references
        # For each open list the number of its last item as it is written, and as it is shown.
        self._lists: list[tuple[str, int]] = []
        self._item: tuple[str, int] | None = None
        self._note = ""
        self._rows: list[list[Cell]] = []

    def read(self, tokens: Sequence[Token]) -> Iterator[Block]:
        """The blocks in order."""
        at = 0
        while at < len(tokens):
            token = tokens[at]
            if token.type == "html_block":
                pieces = []
                while at < len(tokens) and tokens[at].type == "html_block":
                    pieces.append(tokens[at].content)
                    at += 1
                self._item = None
                yield from read_fragment(self._name, "\n".join(pieces))
                continue
            if token.type == "inline":
                yield from self._inline(token, tokens[at - 1])
            elif token.type in ("fence", "code_block"):
                self._item = None
                yield Code(token.content, (token.info.split() or [""])[0].strip("{}."))
            elif token.type == "table_close":
                yield table_of(self._name, self._rows)
            else:
                self._structure(token)
            at += 1

    def _structure(self, token: Token) -> None:
        if token.type in ("bullet_list_open", "ordered_list_open"):
            self._lists.append(("", 0))
        elif token.type in ("bullet_list_close", "ordered_list_close"):
            self._lists.pop()
            self._item = None
        elif token.type == "list_item_open":
            self._item = self._marker(token), len(self._lists) - 1
        elif token.type == "footnote_reference_open":
            self._note = str((token.meta or {}).get("label", ""))
        elif token.type == "footnote_reference_close":
            self._note = ""
        elif token.type == "table_open":
            self._rows = []
        elif token.type == "tr_open":
            self._rows.append([])

    def _marker(self, token: Token) -> str:
        """The marker of an item as a reader sees it: where all are written as `1.`, they are counted."""
        if not token.info.isdecimal():
            return "-"
        written, shown = self._lists[-1]
        number = shown + 1 if token.info == written else int(token.info)
        self._lists[-1] = token.info, number
        return f"{number}{token.markup}"

    def _inline(self, token: Token, opening: Token) -> Iterator[Block]:
        text = inline_text(token.content, self._references)
        if opening.type in ("th_open", "td_open"):
            self._rows[-1].append(Cell(text, heading=opening.type == "th_open"))
        elif opening.type == "heading_open":
            yield Heading(" ".join(_HEADING_NAME.sub("", text).split()), int(opening.tag[1]))
        elif not text.strip():
            return
        elif self._note:
            yield Note(self._note, text)
        elif self._item is not None:
            marker, depth = self._item
            self._item = None
            yield Item(text, marker, depth)
        else:
            yield Paragraph(_ALERT.sub(lambda found: f"{found[1].capitalize()}: ", text, count=1))
