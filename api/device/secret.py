"""The secret of a data directory, which seals what its processes leave in places that others can write."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from filelock import FileLock

from api.errors import InvalidSettings

FILE = "secret"
_BYTES = 32


def secret_of(directory: Path) -> bytes:
    """The secret (32 bytes), made at its first use; only the service's user may read it.

    Raises InvalidSettings where its file is damaged.
    """
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / FILE
    with FileLock(directory / f".{FILE}.lock"):
        if not path.exists():
            beside = path.with_name(f"{FILE}.new")
            beside.unlink(missing_ok=True)
            descriptor = os.open(beside, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(secrets.token_bytes(_BYTES))
                file.flush()
                os.fsync(file.fileno())
            beside.replace(path)
        content = path.read_bytes()
    if len(content) != _BYTES:
        raise InvalidSettings("data_dir", str(path), "it is damaged: delete it, and a new one is made")
    return content
