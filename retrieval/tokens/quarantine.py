"""Token indexes from elsewhere: opened and tried in a child process with limits before they are let in.

FAISS trusts its files: one made to harm can take all memory or crash the process that reads it. Files of our
own are read after their checksums hold; a foreign index has none that mean anything.
"""

from __future__ import annotations

import json
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np

from retrieval.errors import CorruptSegment
from retrieval.tokens.header import Header
from retrieval.tokens.index import TokenIndex

_FILES = ("tokens.json", "tokens.faiss", "trained.faiss", "codes.npy", "scales.npy", "starts.npy")
_TRIED = 16  # passages that must find themselves


def import_index(source: Path, target: Path, *, memory_mb: int = 4096, seconds: int = 120) -> Header:
    """Copies a foreign token index into the new directory `target` once a child process has searched it.

    The child may take `memory_mb` of memory and `seconds` of CPU time. Only the files that an index has are
    copied, and the copy is what is tried. Raises CorruptSegment with what the child met and leaves nothing.
    """
    target.mkdir(parents=True)
    try:
        for name in _FILES:
            file = source / name
            if file.is_file() and not file.is_symlink():
                shutil.copyfile(file, target / name)
        _try_in_child(target, memory_mb, seconds)
        return Header.read(target)
    except BaseException:
        shutil.rmtree(target)
        raise


def _try_in_child(directory: Path, memory_mb: int, seconds: int) -> None:
    command = [sys.executable, "-m", __name__, str(directory), str(memory_mb << 20), str(seconds)]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=4 * seconds, cwd=Path(__file__).parents[2]
        )
    except subprocess.TimeoutExpired:
        raise CorruptSegment(str(directory), f"opening it took longer than {4 * seconds} s") from None
    if done.returncode:
        said = done.stderr.strip().splitlines()
        reason = said[-1] if said else f"the process that opened it ended with status {done.returncode}"
        raise CorruptSegment(str(directory), reason[:300])


def _try(directory: Path) -> None:
    """Opens an index and looks some of its passages up in it. Raises CorruptSegment."""
    index = TokenIndex.open(directory)
    filled = np.flatnonzero(index.lengths > 0)
    for number in filled[np.linspace(0, len(filled) - 1, min(_TRIED, len(filled)), dtype=np.int64)]:
        vectors = index.vectors(int(number))
        if not np.isfinite(vectors).all():
            raise CorruptSegment(str(directory), f"passage {number} has vectors that are not finite")
        similarities, passages = index.search(vectors[:1], min(10, index.tokens), None)
        if passages.max() >= index.passages or passages.min() < -1 or np.isnan(similarities).any():
            raise CorruptSegment(str(directory), "it finds passages that it does not have")


def main() -> int:
    """Reads a directory, bytes of memory and seconds; says in one line what is wrong."""
    directory, memory, seconds = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        _try(directory)
    except Exception as error:
        sys.stderr.write(json.dumps(f"{type(error).__name__}: {error}")[1:-1] + "\n")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
