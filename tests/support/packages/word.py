"""Makes DOCX files of raw XML, so that tests say exactly what a file holds."""

from __future__ import annotations

import io
import zipfile

_OFFICE = "http://schemas.openxmlformats.org"
_NAMES = {
    "w": f"{_OFFICE}/wordprocessingml/2006/main",
    "m": f"{_OFFICE}/officeDocument/2006/math",
    "r": f"{_OFFICE}/officeDocument/2006/relationships",
    "wp": f"{_OFFICE}/drawingml/2006/wordprocessingDrawing",
    "a": f"{_OFFICE}/drawingml/2006/main",
    "pic": f"{_OFFICE}/drawingml/2006/picture",
    "c": f"{_OFFICE}/drawingml/2006/chart",
    "dgm": f"{_OFFICE}/drawingml/2006/diagram",
    "mc": f"{_OFFICE}/markup-compatibility/2006",
    "wps": "http://schemas.microsoft.com/office/word/2010/wordprocessingShape",
    "w14": "http://schemas.microsoft.com/office/word/2010/wordml",
    "v": "urn:schemas-microsoft-com:vml",
    "o": "urn:schemas-microsoft-com:office:office",
}
_STRICT = {
    f"{_OFFICE}/wordprocessingml/2006/main": "http://purl.oclc.org/ooxml/wordprocessingml/main",
    f"{_OFFICE}/officeDocument/2006/math": "http://purl.oclc.org/ooxml/officeDocument/math",
    f"{_OFFICE}/officeDocument/2006/relationships": "http://purl.oclc.org/ooxml/officeDocument/relationships",
    f"{_OFFICE}/drawingml/2006/wordprocessingDrawing": "http://purl.oclc.org/ooxml/drawingml/wordprocessingDrawing",
}
_ROOTS = {
    "comments": "comments",
    "footnotes": "footnotes",
    "endnotes": "endnotes",
    "header": "hdr",
    "footer": "ftr",
}
_DECLARED = " ".join(f'xmlns:{prefix}="{name}"' for prefix, name in _NAMES.items())


def word_file(
    body: str, *, strict: bool = False, main: str = "word/document.xml", title: str = "",
    other: dict[str, bytes] | None = None, doctype: str = "", types: bytes = b"<Types/>", **parts: str,
) -> bytes:  # fmt: skip
    """A DOCX of a body and of parts such as `styles`, `numbering`, `footnotes`, `header`, given by their content.

    `other` are further files, whose relation has their name as its id.
    """
    files: dict[str, bytes] = {"[Content_Types].xml": types}
    files[main] = (doctype + _element("document", f"<w:body>{body}</w:body>")).encode()
    relations = [(f"id{kind}", kind, f"{kind}.xml") for kind in parts]
    for kind, content in parts.items():
        files[f"word/{kind}.xml"] = _element(_ROOTS.get(kind, kind), content).encode()
    for name, data in (other or {}).items():
        files[f"word/{name}"] = data
        relations.append((name, "aFChunk", name))
    folder, name = main.rsplit("/", 1)
    files[f"{folder}/_rels/{name}.rels"] = _relations(relations)
    root = [("id1", "officeDocument", main)]
    if title:
        files["docProps/core.xml"] = (
            f'<c xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>{title}</dc:title></c>'.encode()
        )
        root.append(("id2", "metadata/core-properties", "docProps/core.xml"))
    files["_rels/.rels"] = _relations(root)
    if strict:
        files = {name: _strict(data) for name, data in files.items()}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return out.getvalue()


def p(text: str, properties: str = "", run: str = "") -> str:
    """A paragraph of one run."""
    return f"<w:p><w:pPr>{properties}</w:pPr>{r(text, run)}</w:p>"


def r(text: str, properties: str = "") -> str:
    """A run."""
    return f'<w:r><w:rPr>{properties}</w:rPr><w:t xml:space="preserve">{text}</w:t></w:r>'


def style(
    identifier: str, content: str, *, name: str = "", kind: str = "paragraph", default: bool = False
) -> str:
    """A style."""
    is_default = ' w:default="1"' if default else ""
    return (
        f'<w:style w:type="{kind}" w:styleId="{identifier}"{is_default}>'
        f'<w:name w:val="{name or identifier}"/>{content}</w:style>'
    )


def lists(*levels: tuple[str, str] | tuple[str, str, str], numbers: str = "") -> str:
    """The part `numbering` with one list, of a form and a text for each level; `numbers` are further `w:num`."""
    written = "".join(
        f'<w:lvl w:ilvl="{at}"><w:start w:val="1"/><w:numFmt w:val="{level[0]}"/><w:lvlText w:val="{level[1]}"/>'
        f"{level[2] if len(level) > 2 else ''}</w:lvl>"
        for at, level in enumerate(levels)
    )
    return (
        f'<w:abstractNum w:abstractNumId="0">{written}</w:abstractNum>'
        f'<w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num>{numbers}'
    )


def item(text: str, level: int = 0, number: int = 1, properties: str = "") -> str:
    """A paragraph in a list."""
    place = f'<w:numPr><w:ilvl w:val="{level}"/><w:numId w:val="{number}"/></w:numPr>'
    return p(text, properties + place)


def tbl(*rows: str, properties: str = "") -> str:
    """A table."""
    return f"<w:tbl><w:tblPr>{properties}</w:tblPr>{''.join(rows)}</w:tbl>"


def tr(*cells: str, properties: str = "") -> str:
    """A row of cells, or of texts."""
    written = (cell if cell.startswith("<") else tc(cell) for cell in cells)
    return f"<w:tr><w:trPr>{properties}</w:trPr>{''.join(written)}</w:tr>"


def tc(text: str, properties: str = "", run: str = "") -> str:
    """A cell of one paragraph, or of what is given as XML."""
    content = text if text.startswith("<") else p(text, "", run)
    return f"<w:tc><w:tcPr>{properties}</w:tcPr>{content}</w:tc>"


def _element(name: str, content: str) -> str:
    return f"<w:{name} {_DECLARED}>{content}</w:{name}>"


def _relations(relations: list[tuple[str, str, str]]) -> bytes:
    written = "".join(
        f'<Relationship Id="{identifier}" Type="{_OFFICE}/officeDocument/2006/relationships/{kind}" Target="{target}"/>'
        for identifier, kind, target in relations
    )
    return f'<Relationships xmlns="{_OFFICE}/package/2006/relationships">{written}</Relationships>'.encode()


def _strict(data: bytes) -> bytes:
    for name, strict in _STRICT.items():
        data = data.replace(name.encode(), strict.encode())
    return data
