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
    CSV = "CSV"
    JSONL = "JSONL"
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
    ".csv": Format.CSV,
    ".tsv": Format.CSV,
    ".jsonl": Format.JSONL,
    ".ndjson": Format.JSONL,
    ".zip": Format.ZIP,
}
# Files of code whose names have no extension, or are nothing else.
_NAMES = (
    "dockerfile makefile gnumakefile jenkinsfile vagrantfile gemfile rakefile procfile crontab "
    ".bashrc .profile .gitignore .dockerignore .gitattributes .env .editorconfig"
)
_BINARY = (Format.PDF, Format.WORD, Format.ZIP)
READABLE = "txt, code, Markdown, HTML, PDF, DOCX, CSV, JSONL and zip of these are read"

_FOREIGN = (
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Office file; save it as DOCX or PDF"),
    (b"{\\rtf", "RTF; save it as DOCX"),
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
_HTML = re.compile(
    rb"\s*(?:<\?xml[^>]*>\s*)?(?><!--.*?-->\s*)*+<(?:!doctype\s+html|html|head|body)\b", re.I | re.S
)
_JSON_LINE = re.compile(rb"(?:\xef\xbb\xbf)?\s*\{.*\}\s*(?:\n|$)")


def detect(name: str, data: bytes) -> Format:
    """The format; a DOCX is a zip until it is opened.

    Raises UnreadableDocument for an unsupported format, or if the extension contradicts the content.

    >>> detect("a.md", b"# Title").value, detect("page", b"<!DOCTYPE html><p>").value
    ('Markdown', 'HTML')
    """
    path = PurePosixPath(name)
    by_name = EXTENSIONS.get(path.suffix.lower())
    if by_name is None and path.name.lower() in _NAMES.split():
        by_name = Format.CODE
    if b"%PDF-" in data[:1024] and by_name in (None, Format.PDF):
        return Format.PDF
    if data.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return Format.ZIP
    if by_name in _BINARY:
        raise UnreadableDocument(name, f"is named {by_name} but is not one, or its beginning is lost")
    for magic, what in _FOREIGN:
        if data.startswith(magic):
            raise UnreadableDocument(name, f"is {what}. {READABLE}.")
    return by_name or _kind_of_text(data[:8192])


def _kind_of_text(head: bytes) -> Format:
    if _HTML.match(head):
        return Format.HTML
    if _JSON_LINE.match(head):
        return Format.JSONL
    if head.startswith(b"#!"):
        return Format.CODE
    return Format.TEXT
