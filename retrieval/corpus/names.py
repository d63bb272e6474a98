"""File names as document ids: relative, with forward slashes, and never a way out of a directory."""

from __future__ import annotations

import re

from retrieval.errors import UnreadableDocument

LONGEST_NAME = 500

_DRIVE = re.compile(r"[A-Za-z]:")


def safe_name(name: str, *, archive: str = "") -> str:
    """The name with forward slashes, after its archive's; raises UnreadableDocument if it is unsafe.

    Loaders never open a file by such a name. It is checked all the same, since ids end up in URLs,
    exports and other people's scripts.

    >>> safe_name("notes\\\\today.md"), safe_name("./a//b.txt", archive="x.zip")
    ('notes/today.md', 'x.zip/a/b.txt')
    """
    slashed = name.replace("\\", "/")
    shown = f"{archive}/{name}" if archive else name
    shown = "".join(c if c.isprintable() else "\ufffd" for c in shown[:LONGEST_NAME])
    parts = [part for part in slashed.split("/") if part not in ("", ".")]
    if not parts:
        raise UnreadableDocument(shown or "(no name)", "the file has no name")
    if slashed.startswith("/") or _DRIVE.match(slashed) or ".." in parts:
        raise UnreadableDocument(shown, "an absolute name, or one with '..', is not read; rename the file")
    if not slashed.isprintable():
        raise UnreadableDocument(shown, "the name has control characters; rename the file")
    result = "/".join([archive, *parts] if archive else parts)
    if len(result) > LONGEST_NAME:
        raise UnreadableDocument(shown, f"the name is longer than {LONGEST_NAME} characters; shorten it")
    return result
