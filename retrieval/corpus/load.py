"""Reads files into documents. A broken file is reported by name, and the others continue."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib import import_module
from typing import TypeAlias

from retrieval.corpus.archive import Allowance, check_package, kind, members, open_archive, take, too_large
from retrieval.corpus.formats import Format, detect
from retrieval.corpus.limits import DEFAULT_LIMITS, LoadLimits
from retrieval.corpus.names import safe_name
from retrieval.corpus.remarks import Remark
from retrieval.documents import Document
from retrieval.errors import UnreadableDocument

READER = "6"
"""Names what the loaders make of a file. Raise it when they make other documents of the same bytes, so that
files which have not changed are read again."""

_LONGEST_ID = 512

Loaded: TypeAlias = Document | UnreadableDocument | Remark
Loader: TypeAlias = Callable[[str, bytes, LoadLimits], Iterator[Loaded]]

# Modules below `loaders` and their functions, imported at the first file of the format: libraries that read
# PDF, Word and HTML take longer to start than most files to be read.
_LOADERS = {
    Format.TEXT: ("plain", "load_text"),
    Format.CODE: ("plain", "load_code"),
    Format.MARKDOWN: ("markdown", "load_markdown"),
    Format.HTML: ("html", "load_html"),
    Format.PDF: ("pdf", "load_pdf"),
    Format.WORD: ("word.loading", "load_word"),
    Format.SHEETS: ("sheets.loading", "load_xlsx"),
    Format.SLIDES: ("slides.loading", "load_slides"),
    Format.ODT: ("odf", "load_odt"),
    Format.ODS: ("sheets.loading", "load_ods"),
    Format.BOOK: ("book", "load_book"),
    Format.RTF: ("rich", "load_rtf"),
    Format.CSV: ("table", "load_table"),
    Format.JSONL: ("lines", "load_jsonl"),
    Format.JSON: ("data.json_file", "load_json"),
    Format.NOTEBOOK: ("data.notebook", "load_notebook"),
    Format.XML: ("data.xml_file", "load_xml"),
    Format.HEADED: ("marked.headed", "load_headed"),
}


def load_file(name: str, data: bytes, limits: LoadLimits = DEFAULT_LIMITS) -> Iterator[Loaded]:
    """The documents in one file: one, or one for each row of a table, or those of an archive's files.

    A document's id is the file's name, in an archive `archive.zip/inner/name.md`. That of a row is the
    file's name, `#` and the row's id or number, so that the ids of two tables differ.
    Its metadata has the file's name as `source`. Errors are yielded as `UnreadableDocument`,
    never raised; a `Remark` names what a user should know about a file that was read.
    """
    try:
        name = safe_name(name)
    except UnreadableDocument as error:
        yield error
        return
    yield from _Reading(limits, Allowance.of(limits)).load(name, data, 1)


def loader_of(found: Format) -> Loader:
    """What reads a format whose files hold no other files."""
    module, function = _LOADERS[found]
    loader: Loader = getattr(import_module(f"retrieval.corpus.loaders.{module}"), function)
    return loader


class _Reading:
    """One file and all that is packed in it, with what may still be unpacked."""

    def __init__(self, limits: LoadLimits, allowance: Allowance) -> None:
        self._limits = limits
        self._allowance = allowance

    def load(self, name: str, data: bytes, depth: int) -> Iterator[Loaded]:
        what = "a document"
        try:
            found = detect(name, data)
            what = found.value
            holds_files = found in (Format.ZIP, Format.MAILBOX)
            most = self._limits.max_total_bytes if holds_files else self._limits.max_file_bytes
            if len(data) > most:
                raise UnreadableDocument(name, too_large(most))
            if found is Format.ZIP:
                yield from self._unpack(name, data, depth)
            elif found in (Format.MAIL, Format.MAILBOX):
                yield from self._open_mail(found, name, data, depth)
            else:
                yield from self._read(found, name, data)
        except UnreadableDocument as error:
            yield error
        except Exception as error:  # parsers raise anything on broken files, and one must not stop the rest
            yield UnreadableDocument(name, f"cannot be read as {what}: {_first_line(error)}")

    def _read(self, found: Format, name: str, data: bytes) -> Iterator[Loaded]:
        for loaded in loader_of(found)(name, data, self._limits):
            yield _of_file(name, loaded) if isinstance(loaded, Document) else loaded

    def _unpack(self, name: str, data: bytes, depth: int) -> Iterator[Loaded]:
        with open_archive(name, data, self._limits) as archive:
            if (found := kind(name, archive)) is not Format.ZIP:
                check_package(name, archive, self._limits)
                yield from self._read(found, name, data)
                return
            if depth > self._limits.max_depth:
                raise UnreadableDocument(
                    name, f"is an archive {depth} deep; at most {self._limits.max_depth} are read"
                )
            empty = True
            for member in members(name, archive, self._limits, self._allowance):
                empty = False
                if isinstance(member, UnreadableDocument):
                    yield member
                else:
                    yield from self.load(*member, depth + 1)
            if empty:
                raise UnreadableDocument(name, "is an empty archive")

    def _open_mail(self, found: Format, name: str, data: bytes, depth: int) -> Iterator[Loaded]:
        """A message with its attachments, or the messages of a mailbox."""
        from retrieval.corpus.loaders.mail import messages, read_mail

        if found is Format.MAILBOX:
            parts = messages(data)
        else:
            mail = read_mail(name, data, self._limits)
            yield from mail.loaded
            parts = iter(mail.attachments)
        empty = found is Format.MAILBOX
        for part, content in parts:
            empty = False
            if depth > self._limits.max_depth:
                reason = f"is in mails or archives {depth} deep; at most {self._limits.max_depth} are read"
                yield UnreadableDocument(f"{name}/{part}", reason)
                continue
            take(name, len(content), self._allowance)
            yield from self.load(safe_name(part, archive=name), content, depth + 1)
        if empty:
            raise UnreadableDocument(name, "is an empty mailbox, or none")


def _of_file(name: str, document: Document) -> Loaded:
    """The document with an id that no other file's document has."""
    if document.id == name or document.id.startswith(f"{name}#"):
        return document
    identity = f"{name}#{document.id}"
    if len(identity) > _LONGEST_ID:
        return UnreadableDocument(
            name, f"an id in it has, with the file's name, more than {_LONGEST_ID} characters; shorten it"
        )
    return replace(document, id=identity)


def _first_line(error: Exception) -> str:
    lines = str(error).splitlines()
    return lines[0][:200] if lines else type(error).__name__
