"""Reads a Word document: its text from start to end, its notes, and its title."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from lxml import etree

from retrieval.corpus.archive import open_archive
from retrieval.corpus.blocks import Block, Heading, Note, Paragraph
from retrieval.corpus.limits import LoadLimits
from retrieval.corpus.loaders.packed.office import Package
from retrieval.corpus.loaders.packed.xml import local
from retrieval.corpus.loaders.web.grids import cell_text
from retrieval.corpus.loaders.word.fields import prepare
from retrieval.corpus.loaders.word.markup import child, kind, value
from retrieval.corpus.loaders.word.notes import Notes, Reference, note_form
from retrieval.corpus.loaders.word.numbers.numbering import Numbering
from retrieval.corpus.loaders.word.omissions import Omissions
from retrieval.corpus.loaders.word.other_parts import OtherParts
from retrieval.corpus.loaders.word.running import leave_out_page_numbers
from retrieval.corpus.loaders.word.runs import Runs
from retrieval.corpus.loaders.word.stories import Stories
from retrieval.corpus.loaders.word.styles import Styles
from retrieval.corpus.remarks import Remark
from retrieval.errors import UnreadableDocument

_USUAL_MAIN = "word/document.xml"


@dataclass(slots=True)
class Reading:
    """A document's title, "" without one, its blocks, and what a user should know."""

    title: str
    blocks: list[Block]
    remarks: list[Remark] = field(default_factory=list)


def read_document(name: str, data: bytes, limits: LoadLimits) -> Reading:
    """The document of a package that was checked against the limits.

    Raises UnreadableDocument and lxml's errors. With `limits.main_content` tables of contents are left out.
    """
    with open_archive(name, data, limits) as archive:
        return _Document(name, Package(name, archive), limits).read()


class _Document:
    """One document with its parts, while it is read."""

    def __init__(self, name: str, package: Package, limits: LoadLimits) -> None:
        self._name = name
        self._package = package
        self._main = package.related("", "officeDocument") or _USUAL_MAIN
        self._relations = package.relations(self._main)
        self._omissions = Omissions()
        self._remarks: list[Remark] = []
        self._notes = self._read_notes()
        self._referred: list[Reference] = []
        styles = Styles(self._part("styles"))
        self._stories = Stories(
            name,
            styles,
            Numbering(self._part("numbering"), styles),
            Runs(styles, self._omissions, self._refer),
            other_parts=OtherParts(name, package, self._relations, self._omissions).blocks,
            contents=not limits.main_content,
        )

    def read(self) -> Reading:
        """All of it."""
        root = self._package.xml(self._main)
        if root is None and self._main != _USUAL_MAIN:
            root = self._package.xml(_USUAL_MAIN)
        self._check(root)
        body = child(root, "w:body")
        if body is None:
            raise UnreadableDocument(self._name, "holds no text of a Word document; save it again as DOCX")
        prepare(body, self._omissions)
        self._stories.find_marks(body)
        blocks = [*self._running(body), *self._with_notes(self._stories.blocks(body))]
        left_out = self._omissions.remark(self._name)
        return Reading(self._title(blocks), blocks, [*self._remarks, *filter(None, [left_out])])

    def _check(self, root: Any | None) -> None:
        if root is not None and root.getroottree().docinfo.internalDTD is not None:
            raise UnreadableDocument(
                self._name, "declares a document type (DTD), which DOCX files may not have; save it again"
            )

    def _part(self, what: str) -> Any | None:
        path = next((one.target for one in self._relations.values() if one.kind == what), "")
        return self._root(path, what) if path else None

    def _root(self, path: str, what: str) -> Any | None:
        """A part besides the text; None if there is none, or it is damaged, which is remarked."""
        try:
            root = self._package.xml(path)
        except etree.XMLSyntaxError:
            self._remarks.append(Remark(self._name, f"its {what} are damaged and were left out", whole=False))
            return None
        if root is not None:
            prepare(root, self._omissions)
        return root

    def _read_notes(self) -> dict[str, Notes]:
        settings = self._part("settings")
        form, start = note_form(settings, "w:footnotePr", "decimal")
        end_form, end_start = note_form(settings, "w:endnotePr", "lowerRoman")
        return {
            "w:footnoteReference": Notes(self._part("footnotes"), form=form, start=start),
            "w:endnoteReference": Notes(self._part("endnotes"), form=end_form, start=end_start),
            "w:commentReference": Notes(self._part("comments"), prefix="comment "),
        }

    def _title(self, blocks: list[Block]) -> str:
        path = self._package.related("", "core-properties")
        root = self._root(path, "properties") if path else None
        for node in root if root is not None else ():
            if local(node) == "title" and (node.text or "").strip():
                return str(node.text)
        return next((block.text for block in blocks if isinstance(block, Heading) and block.level == 1), "")

    def _running(self, body: Any) -> Iterator[Block]:
        """Headers and footers of all sections, each text once and before the text, without page numbers."""
        lines = set()
        for what in ("w:headerReference", "w:footerReference"):
            for node in [one for one in body.iter() if kind(one) == what]:
                relation = self._relations.get(value(node, "id"))
                root = self._root(relation.target, "headers and footers") if relation else None
                if root is None:
                    continue
                leave_out_page_numbers(root)
                for line in filter(None, (cell_text([block]) for block in self._stories.blocks(root))):
                    if line not in lines:
                        lines.add(line)
                        yield Paragraph(line)

    def _with_notes(self, blocks: Iterator[Block]) -> Iterator[Block]:
        """The blocks, each section's with the notes that it refers to at its end."""
        for block in blocks:
            if isinstance(block, Heading):
                # The heading was read already: its own notes stand below it.
                own = [one for one in self._referred if f"[{one.mark}]" in block.text]
                self._referred = [one for one in self._referred if one not in own]
                yield from self._take_notes()
                self._referred = own
            yield block
        yield from self._take_notes()

    def _take_notes(self) -> Iterator[Note]:
        referred, self._referred = self._referred, []
        for one in referred:
            text = cell_text(self._stories.inner(one.node))
            yield Note(one.mark, f"{one.author}: {text}" if one.author and text else text)

    def _refer(self, node: Any, own_mark: str) -> str:
        found = self._notes[kind(node)].refer(node, own_mark)
        if found is None:
            return ""
        self._referred.append(found)
        return found.mark
