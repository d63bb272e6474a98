"""Texts in AsciiDoc, Org and LaTeX: headings, code and what is hidden; most other marks stay as written."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import PurePosixPath

from retrieval.corpus.blocks import Block, Code, Heading, Paragraph
from retrieval.corpus.characters import clean
from retrieval.corpus.cleaning.encodings import decoded
from retrieval.corpus.cleaning.machine_text import MachineText
from retrieval.corpus.limits import LoadLimits
from retrieval.corpus.remarks import Remark
from retrieval.corpus.tables import Cell, tables_of
from retrieval.corpus.text import make_document
from retrieval.corpus.writer import write
from retrieval.documents import Document

_MOST_LINES = 200  # in which a title is looked for
_SET = re.compile(r"^:([\w-]+):[ \t]+(\S.*?)[ \t]*$", re.MULTILINE)
_NAMED = re.compile(r"(?<!\\)\{([\w-]+)\}")
_RULE = re.compile(r"\s*\|[-+|: ]*-[-+|: ]*")
_SECTIONS = ("part", "chapter", "section", "subsection", "subsubsection", "paragraph")


@dataclass(frozen=True, slots=True)
class _Marks:
    """How a language marks a heading, where code begins and ends, and what is not shown.

    `unseen` are lines, `comment` the rest of a line; `hidden` begins lines up to one that `shown` ends.
    `struck` is what is struck out, in its first group.
    """

    heading: re.Pattern[str]
    code: re.Pattern[str]
    ends: str
    unseen: re.Pattern[str]
    hidden: re.Pattern[str]
    shown: re.Pattern[str]
    struck: re.Pattern[str]
    comment: re.Pattern[str] | None = None


_ASCIIDOC = _Marks(
    re.compile(r"(?P<level>={1,6}) (?P<words>\S.*)"),
    re.compile(r"(?P<fence>-{4,}|\.{4,}|`{3,})\w*\s*"),
    r"{fence}\s*",
    re.compile(r"//(?!/).*|:[\w-]+!?:.*|\[\[.*\]\]|\[(?:source|#|\.).*\]"),
    re.compile(r"/{4,}\s*"),
    re.compile(r"/{4,}\s*"),
    re.compile(r"\[\.?line-through\]#{1,2}([^#\n]+)#{1,2}"),
)
_ORG = _Marks(
    re.compile(r"(?P<level>\*{1,6}) (?:(?:TODO|DONE) )?(?P<words>\S.*?)(?:\s+:[\w:@]+:)?"),
    re.compile(r"\s*#\+begin_(?P<fence>src|example)\b.*", re.IGNORECASE),
    r"\s*#\+end_{fence}\b.*",
    re.compile(r"# .*|#\+(?!begin|end|title)\w+:.*|\s*:(?:PROPERTIES|END|[\w-]+):.*", re.IGNORECASE),
    re.compile(r"\s*#\+begin_comment\b.*", re.IGNORECASE),
    re.compile(r"\s*#\+end_comment\b.*", re.IGNORECASE),
    re.compile(r"(?<![^\s(])\+([^\s+](?:[^+\n]*[^\s+])?)\+(?![^\s).,;:!?])"),
)
_LATEX = _Marks(
    re.compile(
        rf"\s*\\(?P<level>{'|'.join(_SECTIONS)})\*?(?:\[[^\]]*\])?\{{(?P<words>.+?)\}}(?:\s*\\label\{{[^}}]*\}})?\s*"
    ),
    re.compile(r"\s*\\begin\{(?P<fence>verbatim|lstlisting|minted)\}.*"),
    r"\s*\\end\{{{fence}\}}.*",
    re.compile(r"\s*%.*"),
    re.compile(r"\s*\\(?:begin\{comment\}|iffalse\b(?!.*\\fi\b)).*|\s*\\end\{document\}.*"),
    re.compile(r"\s*\\(?:end\{comment\}|fi\b).*"),
    re.compile(r"\\(?:sout|st)\{([^{}\n]*)\}"),
    re.compile(r"(?<!\\)%.*"),
)
_LANGUAGES = {".adoc": _ASCIIDOC, ".asciidoc": _ASCIIDOC, ".org": _ORG, ".tex": _LATEX}
_TITLES = (re.compile(r"#\+title:\s*(\S.*)", re.IGNORECASE), re.compile(r"\s*\\title\{(.+)\}\s*"))


def load_headed(name: str, data: bytes, limits: LoadLimits) -> Iterator[Document | Remark]:
    """One document. Comments are left out; the title is the text's own, else its first heading."""
    found = decoded(name, data)
    machine_text = MachineText()
    source = machine_text.leave_out(clean(found.text))
    marks = _LANGUAGES.get(PurePosixPath(name).suffix.lower(), _ASCIIDOC)
    blocks = list(_blocks(name, _with_values(source) if marks is _ASCIIDOC else source, marks))
    titles = [
        one[1] for line in source.split("\n", 200)[:200] for mark in _TITLES if (one := mark.fullmatch(line))
    ]
    heads = (block.text for block in blocks if isinstance(block, Heading))
    title = next(iter(titles), "") or next(heads, "")
    yield make_document(name, write(blocks), limits, title=title, metadata={"source": name})
    yield from filter(None, [found.remark, machine_text.remark(name)])


def _with_values(source: str) -> str:
    """AsciiDoc with the values that it sets itself (`:price: 5`) in place of their names (`{price}`)."""
    values = dict(_SET.findall(source))
    return _NAMED.sub(lambda found: values.get(found[1], found[0]), source) if values else source


def _blocks(name: str, source: str, marks: _Marks) -> Iterator[Block]:
    lines: list[str] = []
    code: list[str] | None = None
    end = re.compile("")
    hidden = False
    for line in source.split("\n"):
        if code is not None:
            if end.fullmatch(line):
                yield Code("\n".join(code))
                code = None
            else:
                code.append(line)
            continue
        if hidden or marks.hidden.fullmatch(line):
            hidden = not (hidden and marks.shown.fullmatch(line))
            continue
        heading, opening = marks.heading.fullmatch(line), marks.code.fullmatch(line)
        if heading or opening or not line.strip():
            yield from _text(name, lines, marks)
            lines = []
        if heading:
            yield Heading(heading["words"].strip(), _level(heading["level"]))
        elif opening:
            code, end = [], re.compile(marks.ends.format(fence=re.escape(opening["fence"])), re.IGNORECASE)
        elif line.strip() and not marks.unseen.fullmatch(line):
            lines.append(_plain(line, marks))
    yield from _text(name, [*lines, *(code or [])], marks)


def _text(name: str, lines: Sequence[str], marks: _Marks) -> Iterator[Block]:
    """Lines as a paragraph; in Org those that begin with a bar are rows of a table."""
    for is_row, same in groupby(lines, key=lambda line: marks is _ORG and line.lstrip().startswith("|")):
        if is_row:
            yield from tables_of(name, _rows(list(same)))
        else:
            yield Paragraph("\n".join(same))


def _rows(lines: Sequence[str]) -> list[list[Cell]]:
    """The rows of a table in Org; those above its first line name the columns, if rows follow."""
    rule = next((at for at, line in enumerate(lines) if _RULE.fullmatch(line)), 0)
    heads = rule if any(not _RULE.fullmatch(line) for line in lines[rule:]) else 0
    return [
        [Cell(text.strip(), heading=at < heads) for text in line.strip().strip("|").split("|")]
        for at, line in enumerate(lines)
        if not _RULE.fullmatch(line)
    ]


def _plain(line: str, marks: _Marks) -> str:
    """A line without its comment, and with what is struck out as it is written everywhere."""
    line = marks.comment.sub("", line).rstrip() if marks.comment else line
    return marks.struck.sub(r"[deleted: \1]", line)


def _level(mark: str) -> int:
    return max(1, _SECTIONS.index(mark)) if mark in _SECTIONS else len(mark)
