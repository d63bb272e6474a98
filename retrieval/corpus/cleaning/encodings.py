"""Decodes the bytes of a text file, and says where that took a guess."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

from retrieval.corpus.remarks import Remark
from retrieval.errors import UnreadableDocument

# UTF-32 first: its little-endian mark begins with UTF-16's.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f-\x84\x86-\x9f]")
_END_OF_FILE = "\x1a"  # as DOS writes it; a byte of it may be half of a letter in UTF-16
_SAMPLE = 65_536
_CONTROL_SHARE = 0.02
# Browsers read these names as the encodings that hold them.
_WIDER = {
    "iso8859-1": "cp1252", "ascii": "cp1252", "iso8859-9": "cp1254", "gb2312": "gb18030", "gbk": "gb18030",
    "euc_kr": "cp949", "shift_jis": "cp932", "tis-620": "cp874",
}  # fmt: skip
_NAMES = {"cp932": "Shift-JIS", "cp949": "EUC-KR", "big5": "Big5", "euc_jp": "EUC-JP", "gb18030": "GB18030"}


@dataclass(frozen=True, slots=True)
class Decoded:
    """A file's text, and a remark where its encoding was guessed or some bytes were unreadable."""

    text: str
    remark: Remark | None = None


def decoded(name: str, data: bytes, *, declared: str | None = None) -> Decoded:
    """Text of a file: by its byte order mark, else `declared`, else UTF-8, else by a guess.

    UTF-8 stays UTF-8 where single bytes are broken: each becomes U+FFFD. Raises UnreadableDocument for what
    is not text: it has zero bytes and is not UTF-16, or many control characters.
    """
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            try:
                return Decoded(data.decode(encoding).rstrip(_END_OF_FILE))
            except UnicodeDecodeError as error:
                raise UnreadableDocument(name, f"starts as {encoding} but is not: {error.reason}") from error
    found = (
        _as_utf_16(name, data)
        if b"\0" in data[:_SAMPLE]
        else _as_declared(name, data, declared) or _as_utf_8(name, data)
    )
    found = found or _as_guessed(name, data)
    found = Decoded(found.text.rstrip(_END_OF_FILE), found.remark)
    sample = found.text[:_SAMPLE]
    if len(_CONTROL.findall(sample)) > _CONTROL_SHARE * len(sample):
        raise UnreadableDocument(name, "is not text (it is full of control characters)")
    return found


def is_text_encoding(encoding: str) -> bool:
    """Whether Python knows the encoding and it is one of text, not such as `zip` or `rot13`."""
    try:
        return codecs.lookup(encoding)._is_text_encoding
    except (LookupError, ValueError):
        return False


def _as_declared(name: str, data: bytes, declared: str | None) -> Decoded | None:
    if declared is None or not is_text_encoding(declared):
        return None
    encoding = _WIDER.get(codecs.lookup(declared).name, declared)
    if encoding == "cp1252" and (found := _as_utf_8(name, data)) is not None:
        # Declared by many pages that were saved in another encoding since.
        return found
    text = data.decode(encoding, "replace")
    broken = text.count("\ufffd")
    if not broken:
        return Decoded(text)
    if encoding.startswith("utf") or broken > 1 + 0.01 * sum(character > "\x7f" for character in text):
        return None
    return Decoded(text, _broken(name, broken, encoding))


def _as_utf_8(name: str, data: bytes) -> Decoded | None:
    try:
        return Decoded(data.decode())
    except UnicodeDecodeError:
        text = data.decode("utf-8", "replace")
    broken = text.count("\ufffd") - data.count("\ufffd".encode())
    # Each letter outside ASCII that reads as UTF-8 does so by chance only in few other encodings.
    whole = sum(1 for character in text if character > "\x7f") - broken
    if whole < 2 * broken and not (whole and broken == 1):
        return None
    return Decoded(text, _broken(name, broken, "utf-8"))


def _broken(name: str, count: int, encoding: str) -> Remark:
    signs = "1 byte that is" if count == 1 else f"{count} bytes that are"
    return Remark(name, f"has {signs} not {_shown(encoding)}; read as the sign \ufffd")


def _shown(encoding: str) -> str:
    return _NAMES.get(encoding, encoding.upper())


def _as_guessed(name: str, data: bytes) -> Decoded:
    # Imported at the first guess: its library takes longer to start than most files to be read.
    from retrieval.corpus.cleaning.guessing import guess

    encoding, text = guess(data)
    return Decoded(text, Remark(name, f"read as {_shown(encoding)}, a guess; save it as UTF-8"))


def _as_utf_16(name: str, data: bytes) -> Decoded:
    """Text with a zero byte in every second place, which no byte order mark announces."""
    sample = data[: _SAMPLE - _SAMPLE % 4]
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    encoding = "utf-16-le" if odd > even else "utf-16-be"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        text = ""
    # Few characters have a zero byte of their own, such as that for "one" in Chinese.
    if len(text) < 4 or 4 * min(even, odd) > max(even, odd) or not _is_prose(text[:_SAMPLE]):
        raise UnreadableDocument(name, "is not text (it has zero bytes)")
    return Decoded(text, Remark(name, f"read as {encoding.upper()} without a byte order mark, a guess"))


def _is_prose(text: str) -> bool:
    """Whether most of it is letters, and some of it words: what bytes of other kinds seldom give."""
    plain = sum(1 for sign in text if sign.isalnum() or sign.isspace())
    return plain > 0.7 * len(text) and not _CONTROL.search(text)
