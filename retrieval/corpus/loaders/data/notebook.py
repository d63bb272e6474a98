"""Notebooks (`.ipynb`): their texts as Markdown, their code, and what it printed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from retrieval.corpus.blocks import Block, Code, Heading, Paragraph
from retrieval.corpus.characters import clean
from retrieval.corpus.cleaning.encodings import decoded
from retrieval.corpus.cleaning.machine_text import MachineText
from retrieval.corpus.headings import plain_title
from retrieval.corpus.limits import LoadLimits
from retrieval.corpus.loaders.markdown import markdown_blocks
from retrieval.corpus.loaders.web import read_fragment
from retrieval.corpus.remarks import Remark
from retrieval.corpus.text import make_document
from retrieval.corpus.writer import write
from retrieval.documents import Document
from retrieval.errors import UnreadableDocument

_COLOURS = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


def is_notebook(value: Any) -> bool:
    """Whether a value of JSON is a notebook."""
    return isinstance(value, dict) and "nbformat" in value and ("cells" in value or "worksheets" in value)


def load_notebook(name: str, data: bytes, limits: LoadLimits) -> Iterator[Document | Remark]:
    """One document of the cells in order; a code cell is followed by the text and tables that it put out.

    Pictures and outputs for machines are left out. The title is the first heading of level 1.
    """
    found = decoded(name, data)
    try:
        value = json.loads(clean(found.text))
    except (ValueError, RecursionError) as error:
        raise UnreadableDocument(name, f"is not a notebook: {error}") from error
    if not is_notebook(value):
        raise UnreadableDocument(name, "is not a notebook: it has no cells")
    machine_text = MachineText()
    blocks = [
        block for cell in _cells(value) for block in _cell_blocks(name, cell, _language(value), machine_text)
    ]
    heads = (block.text for block in blocks if isinstance(block, Heading) and block.level == 1)
    title = plain_title(next(heads, ""))
    yield make_document(name, write(blocks), limits, title=title, metadata={"source": name})
    yield from filter(None, [found.remark, machine_text.remark(name)])


def _cells(value: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    if isinstance(value.get("cells"), list):
        found = value["cells"]
    else:
        # Of version 3 and before.
        sheets = value.get("worksheets")
        sheets = sheets if isinstance(sheets, list) else []
        found = [cell for sheet in sheets if isinstance(sheet, dict) for cell in sheet.get("cells", [])]
    return [cell for cell in found if isinstance(cell, dict)]


def _language(value: Mapping[str, Any]) -> str:
    about = value.get("metadata")
    about = about if isinstance(about, dict) else {}
    for part in ("language_info", "kernelspec"):
        if isinstance(described := about.get(part), dict):
            for key in ("name", "language"):
                if part != "kernelspec" or key == "language":
                    return str(described.get(key, ""))
    return "python"


def _cell_blocks(
    name: str, cell: Mapping[str, Any], language: str, machine_text: MachineText
) -> Iterator[Block]:
    source = machine_text.leave_out(_text(cell.get("source", cell.get("input"))))
    kind = cell.get("cell_type")
    if kind == "markdown":
        yield from markdown_blocks(name, source)
    elif kind == "heading":
        level = cell.get("level", 1)
        yield Heading(source, level if isinstance(level, int) else 1)
    elif kind == "code":
        yield Code(source, language)
        outputs = cell.get("outputs")
        for output in outputs if isinstance(outputs, list) else []:
            if isinstance(output, dict):
                yield from _output(name, output, machine_text)
    else:
        yield Paragraph(source)


def _output(name: str, output: Mapping[str, Any], machine_text: MachineText) -> Iterator[Block]:
    if output.get("output_type") in ("error", "pyerr"):
        yield Code(f"{output.get('ename', 'Error')}: {_text(output.get('evalue'))}")
        return
    data = output.get("data")
    data = data if isinstance(data, dict) else output
    page = _text(data.get("text/html", data.get("html")))
    if "<table" in page.lower():
        yield from read_fragment(name, machine_text.leave_out(page))
    elif markdown := _text(data.get("text/markdown")):
        yield from markdown_blocks(name, machine_text.leave_out(markdown))
    else:
        text = _text(data.get("text/plain", data.get("text")))
        yield Code(machine_text.leave_out(_COLOURS.sub("", text)))


def _text(value: Any) -> str:
    """A text, which files keep in one piece or in lines."""
    if isinstance(value, list):
        return "".join(one for one in value if isinstance(one, str))
    return value if isinstance(value, str) else ""
