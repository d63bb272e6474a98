"""File names as document ids: relative, with forward slashes, and never a way out of a directory."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from retrieval.errors import UnreadableDocument

LONGEST_NAME = 500

_WORD = re.compile(r"[^\W\d_]{2,30}|\w{1,6}")
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


def spoken(name: str) -> str:
    """A file's name as words, without folders and extension; "" where it has none, as a number or a hash.

    >>> spoken("web/http-status_2026.csv"), spoken("3fa85f64-5717-4562-b3fc-2c963f66afa6.pdf")
    ('http status 2026', '')
    """
    words = [word for word in re.split(r"[\W_]+", PurePosixPath(name).stem) if _WORD.fullmatch(word)]
    return " ".join(words) if any(word.isalpha() and len(word) > 2 for word in words) else ""
