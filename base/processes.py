"""What child processes with limits share."""

from __future__ import annotations

import os
from pathlib import Path

_KEPT = (
    "PATH",
    "PYTHONPATH",
    "HOME",
    "TMPDIR",
    "VIRTUAL_ENV",
    "LANG",
    "NUMBA_CACHE_DIR",
    "OMP_NUM_THREADS",
    "OMP_WAIT_POLICY",
)


def plain_environment() -> dict[str, str]:
    """The variables a child needs to start Python and NumPy: no keys, no addresses of databases."""
    return {name: os.environ[name] for name in _KEPT if name in os.environ}


def address_space() -> int:
    """The bytes of addresses that this process has now; CUDA's libraries alone take several gigabytes.

    0 where the system does not say; only Linux does.
    """
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[0])
    except FileNotFoundError:
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")
