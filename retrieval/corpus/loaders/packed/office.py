"""Packages of Office Open XML: parts, and the relations between them, also where some are missing."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from typing import Any
from zipfile import ZipFile

from retrieval.corpus.loaders.packed.xml import parsed
from retrieval.errors import UnreadableDocument

_OFFICE = "http://schemas.openxmlformats.org/"
# ISO 29500 Strict has namespaces of its own for the same elements.
_STRICT = b"http://purl.oclc.org/ooxml/"
_NAMESPACES = (
    (b"http://purl.oclc.org/ooxml/presentationml/main", b"presentationml/2006/main"),
    (b"http://purl.oclc.org/ooxml/wordprocessingml/main", b"wordprocessingml/2006/main"),
    (b"http://purl.oclc.org/ooxml/drawingml/wordprocessingDrawing", b"drawingml/2006/wordprocessingDrawing"),
    (b"http://purl.oclc.org/ooxml/drawingml/picture", b"drawingml/2006/picture"),
    (b"http://purl.oclc.org/ooxml/drawingml/main", b"drawingml/2006/main"),
    (b"http://purl.oclc.org/ooxml/drawingml/chart", b"drawingml/2006/chart"),
    (b"http://purl.oclc.org/ooxml/drawingml/diagram", b"drawingml/2006/diagram"),
    (b"http://purl.oclc.org/ooxml/officeDocument/math", b"officeDocument/2006/math"),
    (b"http://purl.oclc.org/ooxml/officeDocument/relationships", b"officeDocument/2006/relationships"),
)


@dataclass(frozen=True, slots=True)
class Relation:
    """What a part refers to: the last word of the relation's type, and the name of the other part."""

    kind: str
    target: str


class Package:
    """The parts of a package by name; names are compared without case, as the format says."""

    def __init__(self, name: str, archive: ZipFile) -> None:
        self._name = name
        self._archive = archive
        self._names = {_plain(part): part for part in archive.namelist()}

    def main(self) -> str:
        """The name of the part that is the document. Raises UnreadableDocument if there is none."""
        for relation in self.relations("").values():
            if relation.kind == "officeDocument":
                return relation.target
        raise UnreadableDocument(self._name, "is damaged: the document's own part is missing")

    def xml(self, part: str) -> Any | None:
        """The root element of a part; None if there is no such part. Raises `etree.XMLSyntaxError`."""
        data = self.read(part)
        if data is None:
            return None
        if _STRICT in data:
            for strict, usual in _NAMESPACES:
                data = data.replace(strict, _OFFICE.encode() + usual)
        return parsed(data)

    def read(self, part: str) -> bytes | None:
        """The bytes of a part; None if there is no such part."""
        found = self._names.get(_plain(part))
        return self._archive.read(found) if found is not None else None

    def relations(self, part: str) -> dict[str, Relation]:
        """The parts that a part refers to, by id, without those outside the package."""
        folder, base = posixpath.split(part)
        root = self.xml(posixpath.join(folder, "_rels", f"{base}.rels"))
        found = {}
        for node in root if root is not None else ():
            if node.get("TargetMode") == "External" or not node.get("Target"):
                continue
            target = node.get("Target").replace("\\", "/")
            path = posixpath.normpath(posixpath.join("/", folder, target)).lstrip("/")
            found[node.get("Id", "")] = Relation(node.get("Type", "").rpartition("/")[2], path)
        return found

    def related(self, part: str, kind: str) -> str | None:
        """The first part of a kind that a part refers to."""
        return next((one.target for one in self.relations(part).values() if one.kind == kind), None)


def _plain(part: str) -> str:
    """A part's name as names are compared: some programs write other slashes and cases."""
    return part.replace("\\", "/").lstrip("/").lower()
