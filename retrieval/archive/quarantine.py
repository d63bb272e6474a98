"""Quarantine: imported collections are opened and tried in a child process with limits.

FAISS and NumPy trust their files: a hostile one can take all memory or crash the process that reads it. Then
only the child ends. This is not a security sandbox: it does not stop code that a flaw in a library lets run.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from pathlib import Path

from base.processes import address_space, plain_environment
from retrieval.archive.trial import try_collection
from retrieval.errors import CorruptSegment, IndexMismatch
from retrieval.trials import Expected

_MEMORY = 4 << 30
_SECONDS = 120
_BYTES_A_SECOND = 4 << 20


def try_in_child(
    directory: Path, expected: Expected, *, memory: int | None = None, seconds: int | None = None
) -> None:
    """Opens, checks and searches a whole collection in a child process.

    The child may use `memory` bytes of address space, beyond those of its libraries, and `seconds` of CPU
    time. By default they are set by the size of the index. Raises ValueError with the child's error.
    """
    size = sum(path.stat().st_size for path in directory.rglob("*") if path.is_file())
    memory = memory or _MEMORY + 4 * size
    seconds = seconds or _SECONDS + size // _BYTES_A_SECOND
    told = json.dumps([str(directory.absolute()), expected.dim, expected.vocabulary_size, memory, seconds])
    try:
        done = subprocess.run(
            [sys.executable, "-m", __name__, told],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=4 * seconds,
            cwd=Path(__file__).parents[2],
            env=plain_environment(),
        )
    except subprocess.TimeoutExpired:
        raise ValueError(f"opening its indexes took longer than {4 * seconds} s") from None
    if done.returncode:
        said = done.stderr.strip().splitlines()
        ended = f"the process that opened its indexes ended with status {done.returncode}"
        raise ValueError(said[-1][:500] if said and done.returncode == 1 else ended)


def main() -> int:
    """The child's side of `try_in_child`: reads the task, prints the problem in one line."""
    directory, dim, vocabulary_size, memory, seconds = json.loads(sys.argv[1])
    limit = address_space() + memory
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        try_collection(Path(directory), Expected(dim, vocabulary_size))
    except Exception as error:
        said = " ".join(_said(error).replace(f"{directory}/", "").split())
        sys.stderr.write(said.encode("ascii", "backslashreplace").decode() + "\n")
        return 1
    return 0


def _said(error: Exception) -> str:
    if isinstance(error, CorruptSegment):
        return f"{error.path}: {error.reason}"
    if isinstance(error, IndexMismatch):
        return f"it has {error.what} {error.built_with!r}, this release {error.now!r}"
    return str(error) if type(error) is ValueError else f"{type(error).__name__}: {error}"


if __name__ == "__main__":
    raise SystemExit(main())
