"""The messages of a mailbox (mbox), one after the other."""

from __future__ import annotations

import re
from collections.abc import Iterator

# The line before each message: `From ann@example.org Mon Jan  1 10:00:00 2024`.
_START = re.compile(rb"(?:\A|(?<=\n))From [^\n]{1,400}?\d\d:\d\d[^\n]{0,100}\n")
_ESCAPED = re.compile(rb"^>(>*From )", re.MULTILINE)


def messages(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Each message with its number in the mailbox, from 1, as a name such as `3.eml`.

    >>> box = b"From a Mon Jan  1 10:00:00 2024\\nSubject: x\\n\\n>From here\\n"
    >>> list(messages(box))
    [('1.eml', b'Subject: x\\n\\nFrom here\\n')]
    """
    found = list(_START.finditer(data.replace(b"\r\n", b"\n") if b"\r\n" in data[:4096] else data))
    source = found[0].string if found else b""
    for number, start in enumerate(found, 1):
        end = found[number].start() if number < len(found) else len(source)
        yield f"{number}.eml", _ESCAPED.sub(rb"\1", source[start.end() : end])
