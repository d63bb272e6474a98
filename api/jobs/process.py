"""The identity of a process that runs jobs. It counts as alive while it holds a lock that dies with it."""

from __future__ import annotations

import fcntl
import os
import secrets
from pathlib import Path


class ProcessLock:
    """This process among all that share the data directory; its lock goes when the process does."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._directory = directory
        self.name = f"{os.getpid()}-{secrets.token_hex(8)}"
        self._file = os.open(directory / f"{self.name}.lock", os.O_CREAT | os.O_RDWR, 0o600)
        fcntl.flock(self._file, fcntl.LOCK_EX)

    def is_dead(self, name: str) -> bool:
        """Whether the process `name` has certainly ended. False for one of another data directory."""
        if name == self.name:
            return False
        try:
            file = os.open(self._directory / f"{name}.lock", os.O_RDWR)
        except FileNotFoundError:
            return False
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        finally:
            os.close(file)
        return True

    def bury(self, keep: set[str]) -> None:
        """Removes the lock files of dead processes, save those named in `keep`."""
        for path in self._directory.glob("*.lock"):
            if path.stem not in keep and self.is_dead(path.stem):
                path.unlink(missing_ok=True)

    def close(self) -> None:
        """Lets go of the lock: from now on this process counts as dead."""
        os.close(self._file)
