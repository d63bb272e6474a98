"""What stands in other parts of a Word document: charts, diagrams, and files that were inserted."""

from __future__ import annotations

from typing import Any

from lxml import etree

from retrieval.corpus.blocks import Block, Paragraph
from retrieval.corpus.characters import clean
from retrieval.corpus.cleaning.encodings import decoded
from retrieval.corpus.loaders.packed.office import Package, Relation
from retrieval.corpus.loaders.slides.charts import chart_tables
from retrieval.corpus.loaders.slides.diagrams import diagram_items
from retrieval.corpus.loaders.web import read_page
from retrieval.corpus.loaders.word.markup import kind, value
from retrieval.corpus.loaders.word.omissions import Omissions
from retrieval.errors import UnreadableDocument

_PAGES = (".htm", ".html", ".xhtml")
_NAMES = {"c:chart": "chart", "dgm:relIds": "diagram", "w:altChunk": "inserted file"}


class OtherParts:
    """The parts that the text of a document refers to; `name` is the file's, for errors."""

    def __init__(
        self, name: str, package: Package, relations: dict[str, Relation], omissions: Omissions
    ) -> None:
        self._name = name
        self._package = package
        self._relations = relations
        self._omissions = omissions

    def blocks(self, node: Any) -> list[Block]:
        """The blocks of what a `c:chart`, `dgm:relIds` or `w:altChunk` refers to; others are counted."""
        what = kind(node)
        relation = self._relations.get(value(node, "dm" if what == "dgm:relIds" else "id"))
        try:
            found = self._read(what, relation.target) if relation is not None else []
        except (UnreadableDocument, etree.XMLSyntaxError):
            found = []
        if not found:
            self._omissions.add(_NAMES[what])
        return found

    def _read(self, what: str, path: str) -> list[Block]:
        if what == "w:altChunk":
            return self._inserted(path)
        root = self._package.xml(path)
        if root is None:
            return []
        return list(chart_tables(root)) if what == "c:chart" else list(diagram_items(root))

    def _inserted(self, path: str) -> list[Block]:
        """The blocks of an inserted page or text, [] for another file."""
        data = self._package.read(path)
        if data is None or not path.lower().endswith((*_PAGES, ".txt")):
            return []
        text = clean(decoded(self._name, data).text)
        if path.lower().endswith(_PAGES):
            return read_page(self._name, text, main_content=False).blocks
        return [Paragraph(part) for part in text.split("\n\n")]
