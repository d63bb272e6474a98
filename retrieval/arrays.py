"""Arrays of a segment: small ones are read, large ones mapped, and rows written as they come."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

MAPPED_FROM = 1 << 20
"""Bytes from which a file is mapped. Each mapping holds a file open, and small segments are many."""


def open_array(path: Path) -> NDArray[Any]:
    """The array that `np.save` wrote, read-only."""
    if path.stat().st_size >= MAPPED_FROM:
        # A plain view indexes several times faster than the memmap subclass, over the same mapping.
        return np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))
    array: NDArray[Any] = np.load(path, allow_pickle=False)
    array.flags.writeable = False
    return array


def open_bytes(path: Path) -> NDArray[np.uint8]:
    """A file's bytes, read-only."""
    if path.stat().st_size >= MAPPED_FROM:
        return np.asarray(np.memmap(path, np.uint8, "r"))
    return np.frombuffer(path.read_bytes(), np.uint8)


def save_rows(
    path: Path, rows: int, width: int, dtype: type[np.generic], parts: Iterable[np.ndarray]
) -> None:
    """Writes arrays (n, width), `rows` rows in all, below each other as one array."""
    header = {"descr": np.dtype(dtype).str, "fortran_order": False, "shape": (rows, width)}
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, header)
        for part in parts:
            file.write(np.ascontiguousarray(part, dtype).tobytes())
