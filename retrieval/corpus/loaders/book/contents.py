"""What a book (EPUB) is made of: its chapters in order, its title and authors, and its table of contents."""

from __future__ import annotations

import posixpath
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote
from zipfile import ZipFile

from lxml import etree

from retrieval.corpus.loaders.packed.xml import local, parsed
from retrieval.errors import UnreadableDocument

_CONTAINER = "META-INF/container.xml"
_ENCRYPTION = "META-INF/encryption.xml"
_TEXTS = frozenset(["application/xhtml+xml", "text/html", "application/x-dtbook+xml", "text/x-oeb1-document"])
# Fonts may be disguised by these without any protection of the text.
_FONTS = ("http://www.idpf.org/2008/embedding", "http://ns.adobe.com/pdf/enc#RC")
_LEFT_OUT = frozenset(["cover", "toc"])
_DEEPEST = 5


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the table of contents: its words, and its level from 1."""

    words: str
    level: int


@dataclass(slots=True)
class Book:
    """`chapters` are the names of members, in reading order; `entries` are the only entry of a chapter."""

    title: str = ""
    authors: list[str] = field(default_factory=list)
    language: str = ""
    chapters: list[str] = field(default_factory=list)
    entries: dict[str, Entry] = field(default_factory=dict)


def book_of(name: str, archive: ZipFile) -> Book:
    """The book in a package. Raises UnreadableDocument if it is protected, or lists no chapters."""
    names = set(archive.namelist())
    path = _package_part(archive, names)
    package = _xml(archive, names, path)
    if package is None:
        raise UnreadableDocument(name, "is damaged: the list of its chapters is missing")
    book = _read(package, path)
    if not book.chapters:
        raise UnreadableDocument(name, "is damaged: the list of its chapters is empty")
    if _encrypted(archive, names) & set(book.chapters):
        raise UnreadableDocument(name, "is protected against copying (DRM); only its reader can open it")
    contents = _contents_part(package, path)
    toc = _xml(archive, names, contents) if contents else None
    book.entries = _entries(toc, contents) if toc is not None else {}
    return book


def _package_part(archive: ZipFile, names: set[str]) -> str:
    root = _xml(archive, names, _CONTAINER)
    files = [one for one in root.iter() if local(one) == "rootfile"] if root is not None else []
    named = [one.get("full-path", "") for one in files]
    return next(filter(None, named), next((one for one in sorted(names) if one.endswith(".opf")), ""))


def _xml(archive: ZipFile, names: set[str], part: str) -> Any | None:
    try:
        return parsed(archive.read(part)) if part in names else None
    except etree.XMLSyntaxError:
        return None


def _read(package: Any, path: str) -> Book:
    book = Book()
    items: dict[str, Any] = {}
    order: list[str] = []
    skipped: set[str] = set()
    for node in package.iter():
        kind, words = local(node), " ".join((node.text or "").split())
        if kind == "title" and not book.title:
            book.title = words
        elif kind == "creator" and words and words not in book.authors:
            book.authors.append(words)
        elif kind == "language" and not book.language:
            book.language = words
        elif kind == "item":
            items[node.get("id", "")] = node
        elif kind == "itemref":
            order.append(node.get("idref", ""))
        elif kind == "reference" and node.get("type", "").lower() in _LEFT_OUT:
            skipped.add(_member(path, node.get("href", "")))
    for item in (items[one] for one in dict.fromkeys(order) if one in items):
        is_list = "nav" in (item.get("properties") or "").split()
        member = _member(path, item.get("href", ""))
        if item.get("media-type") in _TEXTS and not is_list and member not in skipped:
            book.chapters.append(member)
    if not book.chapters:
        # All was taken for cover and contents: the book has nothing else.
        book.chapters = [_member(path, items[one].get("href", "")) for one in order if one in items]
    return book


def _member(path: str, address: str) -> str:
    """The member that an address in the member `path` names."""
    target = unquote(address.partition("#")[0])
    return posixpath.normpath(posixpath.join(posixpath.dirname(path), target)) if target else ""


def _encrypted(archive: ZipFile, names: set[str]) -> set[str]:
    root = _xml(archive, names, _ENCRYPTION)
    found: set[str] = set()
    for data in root.iter() if root is not None else ():
        if local(data) != "EncryptedData":
            continue
        methods = [one.get("Algorithm", "") for one in data.iter() if local(one) == "EncryptionMethod"]
        if not any(method in _FONTS for method in methods):
            found |= {unquote(one.get("URI", "")) for one in data.iter() if local(one) == "CipherReference"}
    return found


def _contents_part(package: Any, path: str) -> str:
    items = [node for node in package.iter() if local(node) == "item"]
    for node in items:
        if "nav" in (node.get("properties") or "").split():
            return _member(path, node.get("href", ""))
    for node in items:
        if node.get("media-type") == "application/x-dtbncx+xml":
            return _member(path, node.get("href", ""))
    return ""


def _entries(root: Any, path: str) -> dict[str, Entry]:
    """The entries of chapters that have one entry alone."""
    found = [(member, entry) for member, entry in _listed(root, path) if member and entry.words]
    alone = Counter(member for member, _ in found)
    return {member: entry for member, entry in found if alone[member] == 1}


def _listed(root: Any, path: str) -> Iterator[tuple[str, Entry]]:
    if local(root) == "ncx":
        for point in root.iter():
            if local(point) == "navPoint":
                address = next((one.get("src", "") for one in point if local(one) == "content"), "")
                label = next((one for one in point if local(one) == "navLabel"), None)
                yield _member(path, address), Entry(_words(label), _depth(point, "navPoint"))
        return
    lists = [one for one in root.iter() if local(one) == "nav" and _is_contents(one)]
    for link in lists[0].iter() if lists else ():
        if local(link) == "a":
            yield _member(path, link.get("href", "")), Entry(_words(link), _depth(link, "ol"))


def _is_contents(node: Any) -> bool:
    return any(value == "toc" for name, value in node.attrib.items() if name.endswith("type"))


def _words(node: Any | None) -> str:
    return " ".join("".join(node.itertext()).split()) if node is not None else ""


def _depth(node: Any, kind: str) -> int:
    above = sum(local(one) == kind for one in node.iterancestors())
    return max(1, min(_DEEPEST, above + (kind == "navPoint")))
