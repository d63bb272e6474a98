"""Detects a file's format by its first bytes, and by its extension where those are ambiguous."""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import PurePosixPath

from retrieval.errors import UnreadableDocument


class Format(StrEnum):
    """The formats that are read."""

    TEXT = "text"
    CODE = "code"
    MARKDOWN = "Markdown"
    HTML = "HTML"
    PDF = "PDF"
    WORD = "DOCX"
    SHEETS = "XLSX"
    SLIDES = "PPTX"
    ODT = "ODT"
    ODS = "ODS"
    BOOK = "EPUB"
    RTF = "RTF"
    MAIL = "EML"
    MAILBOX = "mbox"
    CSV = "CSV"
    JSONL = "JSONL"
    JSON = "JSON"
    NOTEBOOK = "ipynb"
    XML = "XML"
    HEADED = "AsciiDoc, Org, LaTeX"
    ZIP = "zip"


_CODE = (
    "bash bat bazel c cc cfg clj cmake conf cpp cs css dart env erl ex fish go gradle graphql groovy h "
    "hpp hs ini java jl js json5 jsx kt less lua m mk nix php pl pm properties proto ps1 py pyi r rb rs "
    "sass scala scss service sh sql swift tf tfvars toml ts tsx vb vim yaml yml zig zsh"
)

EXTENSIONS = {f".{extension}": Format.CODE for extension in _CODE.split()} | {
    ".txt": Format.TEXT,
    ".text": Format.TEXT,
    ".rst": Format.TEXT,
    ".log": Format.TEXT,
    ".md": Format.MARKDOWN,
    ".markdown": Format.MARKDOWN,
    ".mdown": Format.MARKDOWN,
    ".html": Format.HTML,
    ".htm": Format.HTML,
    ".xhtml": Format.HTML,
    ".pdf": Format.PDF,
    ".docx": Format.WORD,
    ".docm": Format.WORD,
    ".dotx": Format.WORD,
    ".dotm": Format.WORD,
    ".xlsx": Format.SHEETS,
    ".xlsm": Format.SHEETS,
    ".xltx": Format.SHEETS,
    ".xltm": Format.SHEETS,
    ".pptx": Format.SLIDES,
    ".pptm": Format.SLIDES,
    ".ppsx": Format.SLIDES,
    ".ppsm": Format.SLIDES,
    ".potx": Format.SLIDES,
    ".odt": Format.ODT,
    ".ott": Format.ODT,
    ".fodt": Format.ODT,
    ".ods": Format.ODS,
    ".ots": Format.ODS,
    ".fods": Format.ODS,
    ".epub": Format.BOOK,
    ".rtf": Format.RTF,
    ".eml": Format.MAIL,
    ".emlx": Format.MAIL,
    ".mht": Format.MAIL,
    ".mhtml": Format.MAIL,
    ".mbox": Format.MAILBOX,
    ".mbx": Format.MAILBOX,
    ".csv": Format.CSV,
    ".tsv": Format.CSV,
    ".jsonl": Format.JSONL,
    ".ndjson": Format.JSONL,
    ".json": Format.JSON,
    ".geojson": Format.JSON,
    ".ipynb": Format.NOTEBOOK,
    ".xml": Format.XML,
    ".adoc": Format.HEADED,
    ".asciidoc": Format.HEADED,
    ".org": Format.HEADED,
    ".tex": Format.HEADED,
    ".zip": Format.ZIP,
}
_CODE_NAMES = (
    "dockerfile containerfile makefile gnumakefile jenkinsfile vagrantfile gemfile rakefile procfile "
    "justfile brewfile podfile crontab codeowners "
    ".bashrc .profile .gitignore .dockerignore .gitattributes .env .editorconfig"
)
_TEXT_NAMES = (
    "readme license licence copying notice authors contributors maintainers changelog changes history news "
    "install todo thanks version"
)
NAMES = dict.fromkeys(_CODE_NAMES.split(), Format.CODE) | dict.fromkeys(_TEXT_NAMES.split(), Format.TEXT)
"""Files whose names have no extension, or are nothing else, in lower case."""

PACKAGES = frozenset([Format.WORD, Format.SHEETS, Format.SLIDES, Format.ODT, Format.ODS, Format.BOOK])
"""Documents that are zip archives."""

_BINARY = PACKAGES | {Format.PDF, Format.ZIP}
READABLE = f"{', '.join(one.value for one in Format if one is not Format.ZIP)} and zip of these are read"

_OLD_OFFICE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_LOCKED_OFFICE = "EncryptedPackage".encode("utf-16-le")
_RTF = b"{\\rtf"
_FOREIGN = (
    (_OLD_OFFICE, "an old Office file; save it as DOCX, XLSX, PPTX or PDF"),
    (b"\x1f\x8b", "a gzip file; pack it as zip"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z file; pack it as zip"),
    (b"Rar!", "a RAR file; pack it as zip"),
    (b"BZh", "a bzip2 file; pack it as zip"),
    (b"\xfd7zXZ\0", "an xz file; pack it as zip"),
    (b"(\xb5/\xfd", "a zstd file; pack it as zip"),
    (b"\x89PNG", "an image; recognise its text first"),
    (b"\xff\xd8\xff", "an image; recognise its text first"),
    (b"GIF8", "an image; recognise its text first"),
)
_FLAT = re.compile(rb"<office:document\s[^>]{0,20000}opendocument\.(text|spreadsheet)", re.S)
_OF_FLAT = {b"text": Format.ODT, b"spreadsheet": Format.ODS}
_HTML = re.compile(
    rb"\s*(?:<\?xml[^>]*>\s*)?(?><!--.*?-->\s*)*+<(?:!doctype\s+html|html|head|body)\b", re.I | re.S
)
_MAIL = re.compile(rb"(?:[A-Za-z][\w-]{0,60}:[^\n]*\r?\n(?:[ \t][^\n]*\n)*)*?(?:From|Date|Message-ID):", re.I)
_MAIL_VERSION = re.compile(rb"^MIME-Version:", re.I | re.M)
_JSON_LINE = re.compile(rb"(?:\xef\xbb\xbf)?\s*\{.*\}\s*(?:\n|$)")


def detect(name: str, data: bytes) -> Format:
    """The format; a DOCX is a zip until it is opened.

    Raises UnreadableDocument for an unsupported format, or if the extension contradicts the content.

    >>> detect("a.md", b"# Title").value, detect("page", b"<!DOCTYPE html><p>").value
    ('Markdown', 'HTML')
    """
    path = PurePosixPath(name)
    by_name = EXTENSIONS.get(path.suffix.lower())
    if by_name is None:
        by_name = NAMES.get(path.name.lower())
    if b"%PDF-" in data[:1024] and by_name in (None, Format.PDF):
        return Format.PDF
    if data.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return Format.ZIP
    if by_name in (None, Format.ODT, Format.ODS) and (flat := _FLAT.search(data[:32_768])):
        return _OF_FLAT[flat[1]]
    if data.startswith(_OLD_OFFICE) and _LOCKED_OFFICE in data:
        raise UnreadableDocument(name, "needs a password; save it without one")
    if by_name in _BINARY and not data.startswith(_OLD_OFFICE):
        raise UnreadableDocument(name, f"is named {by_name} but is not one, or its beginning is lost")
    if data.startswith(_RTF):
        return Format.RTF
    for magic, what in _FOREIGN:
        if data.startswith(magic):
            raise UnreadableDocument(name, f"is {what}. {READABLE}.")
    return by_name or _kind_of_text(data[:8192])


def _kind_of_text(head: bytes) -> Format:
    if _HTML.match(head):
        return Format.HTML
    if _JSON_LINE.match(head):
        return Format.JSONL
    if _MAIL.match(head) and _MAIL_VERSION.search(head):
        return Format.MAIL
    if head.startswith(b"#!"):
        return Format.CODE
    return Format.TEXT
