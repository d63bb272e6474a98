"""How much of a file its documents so far are."""

from __future__ import annotations

import zipfile
from pathlib import Path

from retrieval import Document
from retrieval.corpus.formats import EXTENSIONS, Format
from retrieval.errors import UnreadableDocument

_ROWS = (Format.CSV, Format.JSONL)
_MOST = 0.95  # until the file is read to its end


class Share:
    """Estimates the share of a file that is read, from the documents that came out of it.

    Rows and lines are counted; of other files the characters are compared with the bytes, unpacked ones of an
    archive.
    """

    def __init__(self, name: str, path: Path, content: bytes) -> None:
        self._by_rows = EXTENSIONS.get(Path(name).suffix.lower()) in _ROWS
        self._all = content.count(b"\n") if self._by_rows else _unpacked(path) or len(content)
        self._done = 0

    def after(self, loaded: Document | UnreadableDocument) -> float:
        """The share with one more document, or one more part that cannot be read."""
        if self._by_rows:
            self._done += 1
        elif isinstance(loaded, Document):
            self._done += len(loaded.text)
        return min(_MOST, self._done / max(1, self._all))


def _unpacked(path: Path) -> int:
    """The bytes of an archive's members, by its own account; 0 for what is no archive."""
    try:
        with zipfile.ZipFile(path) as archive:
            return sum(info.file_size for info in archive.infolist())
    except (OSError, zipfile.BadZipFile, ValueError, NotImplementedError):
        return 0
