"""ODT: the text with its headings, lists, tables, notes and formulas."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from zipfile import ZipFile

from lxml import etree

from retrieval.corpus.archive import open_archive
from retrieval.corpus.blocks import Heading
from retrieval.corpus.limits import LoadLimits
from retrieval.corpus.loaders.odf.body import Body
from retrieval.corpus.loaders.odf.names import q
from retrieval.corpus.loaders.odf.styles import Styles
from retrieval.corpus.loaders.packed.xml import parsed
from retrieval.corpus.remarks import Remark
from retrieval.corpus.text import make_document
from retrieval.corpus.writer import write
from retrieval.documents import Document
from retrieval.errors import UnreadableDocument

_FLAT = q("office:document")


def load_odt(name: str, data: bytes, limits: LoadLimits) -> Iterator[Document | Remark]:
    """One document of the text, from a package or from one file of XML (`.fodt`).

    Notes and comments stand after their paragraph. Deleted and hidden text, tables of contents, headers,
    footers and pictures are left out. Raises UnreadableDocument for a file with a password.
    """
    if data.startswith(b"PK"):
        with open_archive(name, data, limits) as archive:
            yield from _read(name, _parts(name, archive), limits)
    else:
        root = parsed(data)
        if root.tag != _FLAT:
            raise UnreadableDocument(name, "is not an OpenDocument text")
        yield from _read(name, lambda part: root if "/" not in part else None, limits)


def _parts(name: str, archive: ZipFile) -> Callable[[str], Any | None]:
    names = set(archive.namelist())
    manifest = "META-INF/manifest.xml"
    if (
        manifest in names
        and next(parsed(archive.read(manifest)).iter(q("manifest:encryption-data")), None) is not None
    ):
        raise UnreadableDocument(name, "needs a password; save it without one")

    def part(wanted: str) -> Any | None:
        try:
            return parsed(archive.read(wanted)) if wanted in names else None
        except etree.XMLSyntaxError:
            if wanted == "content.xml":
                raise
            return None

    return part


def _read(name: str, part: Callable[[str], Any | None], limits: LoadLimits) -> Iterator[Document | Remark]:
    content = part("content.xml")
    text = content.find(f"{q('office:body')}/{q('office:text')}") if content is not None else None
    if text is None:
        raise UnreadableDocument(name, "holds no OpenDocument text")
    styles = Styles()
    for source in (part("styles.xml"), content):
        if source is not None:
            styles.add(source)
    body = Body(name, styles, part)
    blocks = list(body.blocks(text))
    heads = (block.text for block in blocks if isinstance(block, Heading) and block.level == 1)
    title = _title(part("meta.xml")) or next(heads, "")
    yield make_document(name, write(blocks), limits, title=title, metadata={"source": name})
    if body.left_out:
        objects = "1 embedded object was" if body.left_out == 1 else f"{body.left_out} embedded objects were"
        yield Remark(name, f"{objects} left out", whole=False)


def _title(meta: Any | None) -> str:
    found = next(meta.iter(q("dc:title")), None) if meta is not None else None
    return (found.text or "").strip() if found is not None else ""
