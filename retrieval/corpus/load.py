"""Reads files into documents. A broken file is reported by name, and the others continue."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TypeAlias

from retrieval.corpus.archive import Allowance, check_package, kind, members, open_archive, too_large
from retrieval.corpus.formats import Format, detect
from retrieval.corpus.limits import DEFAULT_LIMITS, LoadLimits
from retrieval.corpus.names import safe_name
from retrieval.corpus.remarks import Remark
from retrieval.errors import UnreadableDocument
from retrieval.types import Document

from .loaders.html import load_html
from .loaders.lines import load_jsonl
from .loaders.markdown import load_markdown
from .loaders.pdf import load_pdf
from .loaders.plain import load_code, load_text
from .loaders.table import load_table
from .loaders.word import load_word

READER = "4"
"""Names what the loaders make of a file. Raise it when they make other documents of the same bytes, so that
files which have not changed are read again."""

_LONGEST_ID = 512

Loaded: TypeAlias = Document | UnreadableDocument | Remark
_Loader: TypeAlias = Callable[[str, bytes, LoadLimits], Iterator[Loaded]]

_LOADERS: dict[Format, _Loader] = {
    Format.TEXT: load_text,
    Format.CODE: load_code,
    Format.MARKDOWN: load_markdown,
    Format.HTML: load_html,
    Format.PDF: load_pdf,
    Format.WORD: load_word,
    Format.CSV: load_table,
    Format.JSONL: load_jsonl,
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
            most = self._limits.max_total_bytes if found is Format.ZIP else self._limits.max_file_bytes
            if len(data) > most:
                raise UnreadableDocument(name, too_large(most))
            yield from (
                self._unpack(name, data, depth) if found is Format.ZIP else self._read(found, name, data)
            )
        except UnreadableDocument as error:
            yield error
        except Exception as error:  # parsers raise anything on broken files, and one must not stop the rest
            yield UnreadableDocument(name, f"cannot be read as {what}: {_first_line(error)}")

    def _read(self, found: Format, name: str, data: bytes) -> Iterator[Loaded]:
        for loaded in _LOADERS[found](name, data, self._limits):
            yield _of_file(name, loaded) if isinstance(loaded, Document) else loaded

    def _unpack(self, name: str, data: bytes, depth: int) -> Iterator[Loaded]:
        with open_archive(name, data, self._limits) as archive:
            if kind(name, archive) is Format.WORD:
                check_package(name, archive, self._limits)
                yield from self._read(Format.WORD, name, data)
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
