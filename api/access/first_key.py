"""The first API key: created once, when a service that others can reach starts without one.

Only its hash is stored, in a file of the data directory that all processes of a service share. The key itself
is shown once.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from pathlib import Path

from filelock import FileLock

from api.access.keys import PREFIX, digest
from api.errors import InvalidSettings
from api.settings import Settings

FILE = "first-key.sha256"


def known_keys(settings: Settings, show: Callable[[str], None]) -> list[bytes]:
    """The digests of this service's keys; empty if it needs none.

    If it needs one and has none, a key is created and passed to `show`, at the first start only. Raises
    InvalidSettings if this is switched off, or if the data directory cannot be written.
    """
    settings.refuse_open_door()
    if not settings.needs_key:
        return [digest(key) for key in settings.api_keys]
    try:
        return [_first_key(settings.data_dir, show)]
    except OSError as error:
        raise InvalidSettings(
            "data_dir", str(settings.data_dir), f"make it a directory that can be written ({error})"
        ) from error


def banner(key: str, settings: Settings) -> str:
    """The lines that show a new key: how it is used, and how it is replaced.

    >>> banner("exk_x", Settings()).splitlines()[4]
    '    exk_x'
    """
    return f"""
================================================================================
Other machines can reach this service, so it needs an API key. One was made:

    {key}

It is shown only this once: {settings.data_dir / FILE} keeps its hash.
  curl:    curl -H "Authorization: Bearer {key}" http://localhost:{settings.port}/v1/collections
  client:  export EXCERPTA_API_KEY={key}
  lost:    delete {settings.data_dir / FILE} and start again; a new key is made
  own keys: set EXCERPTA_API_KEYS to one or more, separated by commas
================================================================================
"""


def _first_key(directory: Path, show: Callable[[str], None]) -> bytes:
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / FILE
    with FileLock(directory / f".{FILE}.lock"):
        if path.exists():
            return _read(path)
        key = PREFIX + secrets.token_urlsafe(32)
        # Shown before it is kept: a crash in between leaves no key that nobody has seen.
        show(key)
        _write(path, digest(key))
        return digest(key)


def _read(path: Path) -> bytes:
    try:
        kept = bytes.fromhex(path.read_text("ascii").strip())
    except ValueError:
        kept = b""
    if len(kept) != len(digest("")):
        raise InvalidSettings("data_dir", str(path), "the file is damaged: delete it, and a new key is made")
    return kept


def _write(path: Path, kept: bytes) -> None:
    """Writes to a temporary file, syncs and renames, so that a partial file cannot lock all callers out."""
    beside = path.with_suffix(".new")
    beside.unlink(missing_ok=True)
    with open(os.open(beside, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w", encoding="ascii") as file:
        file.write(kept.hex() + "\n")
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
