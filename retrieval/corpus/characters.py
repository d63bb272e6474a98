"""Characters in the form in which documents are stored."""

from __future__ import annotations

import re

_SURROGATE = re.compile(r"[\ud800-\udfff]")


def clean(text: str) -> str:
    r"""Line ends as `\n`; no byte order mark, zero bytes or lone surrogates, which databases refuse.

    >>> clean("\ufeffa\r\nb\rc\x00\ud800")
    'a\nb\nc�'
    """
    if text.isascii() and "\r" not in text and "\0" not in text:
        return text
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")
    return _SURROGATE.sub("\ufffd", text)
