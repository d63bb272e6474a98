"""Identifies weights by content: checksums, cached between starts, and fingerprints."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TypeAlias

Progress: TypeAlias = Callable[[str, int, int], None]
"""Progress callback: name of the step, amount done, total."""

_CHUNK = 1 << 22


class Checksums:
    """SHA-256 of files, cached in a small JSON file by path, size and modification time.

    Hashing gigabytes at every start would take longer than loading them. A file whose bytes change
    while its size and time stay is only found by `fresh=True`.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock = threading.Lock()
        self._known: dict[str, str] = {}
        with suppress(OSError, ValueError):  # without the memory, everything is hashed again
            known = json.loads(file.read_text("utf-8"))
            if isinstance(known, dict):
                self._known = {str(key): str(value) for key, value in known.items()}

    def sha256(self, path: Path, *, fresh: bool = False, progress: Progress | None = None) -> str:
        """Hexadecimal SHA-256 of one file."""
        path = path.resolve()
        status = path.stat()
        key = f"{path}:{status.st_size}:{status.st_mtime_ns}"
        with self._lock:
            known = self._known.get(key)
        if known is not None and not fresh:
            return known
        digest = _hash(path, status.st_size, progress)
        with self._lock:
            if self._known.get(key) != digest:
                stale = [old for old in self._known if old.rsplit(":", 2)[0] == str(path)]
                for old in stale:
                    del self._known[old]
                self._known[key] = digest
                self._save()
        return digest

    def _save(self) -> None:
        # A data directory that cannot be written to costs the memory, not the start.
        with suppress(OSError):
            self._file.parent.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=self._file.parent, prefix=self._file.name)
            with os.fdopen(handle, "w", encoding="utf-8") as out:
                json.dump(self._known, out, indent=1, sort_keys=True)
            Path(name).replace(self._file)


def content_files(path: Path) -> list[Path]:
    """The files that decide what a model computes: a GGUF file, or a directory's weights and settings."""
    if path.is_file():
        return [path]
    wanted = [*path.glob("*.safetensors"), *path.glob("1_Dense/*.safetensors")]
    wanted += [file for name in ("config.json", "tokenizer.json") if (file := path / name).is_file()]
    return sorted(wanted)


def fingerprint(name: str, revision: str, digests: Mapping[str, str], dtype: str) -> str:
    """A model's identity, `NAME:DTYPE:HASH`: the hash covers name, revision, contents by file, and dtype.

    >>> fingerprint("tiny", "", {"model.safetensors": "00"}, "float32")
    'tiny:float32:7fe47f55b9357482'
    """
    content = {"dtype": dtype, "files": dict(digests), "name": name, "revision": revision}
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return f"{name}:{dtype}:{hashlib.sha256(canonical.encode()).hexdigest()[:16]}"


def _hash(path: Path, size: int, progress: Progress | None) -> str:
    total = hashlib.sha256()
    done = 0
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            total.update(chunk)
            done += len(chunk)
            if progress:
                progress(f"checking {path.name}", done, size)
    return total.hexdigest()
