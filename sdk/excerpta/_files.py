"""Finding the files of an upload on this machine."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

READABLE = frozenset(
    {
        ".txt",
        ".text",
        ".md",
        ".markdown",
        ".html",
        ".htm",
        ".pdf",
        ".docx",
        ".csv",
        ".jsonl",
        ".ndjson",
        ".zip",
    }
)


@dataclass(frozen=True, slots=True)
class FileToSend:
    """One file and the name the server knows it by: its path below the folder that was named."""

    name: str
    path: Path


def find_files(paths: Iterable[str | Path]) -> list[FileToSend]:
    """The files named, and those of a known kind below the folders named, in a stable order.

    Hidden files and folders are left out. Raises FileNotFoundError for a path that is not there.
    """
    return [file for path in paths for file in _files_of(Path(path))]


def _files_of(path: Path) -> Iterator[FileToSend]:
    if path.is_file():
        yield FileToSend(path.name, path)
        return
    if not path.is_dir():
        raise FileNotFoundError(f"{path}: no such file or folder")
    for found in sorted(path.rglob("*")):
        below = found.relative_to(path)
        hidden = any(part.startswith(".") for part in below.parts)
        if found.is_file() and not hidden and found.suffix.lower() in READABLE:
            yield FileToSend(below.as_posix(), found)
