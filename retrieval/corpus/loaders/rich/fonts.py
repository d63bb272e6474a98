"""Encodings of RTF text: that of the file, and of each of its fonts."""

from __future__ import annotations

import codecs
from dataclasses import dataclass, field

# By the number of a font's character set; the rest is in the file's own.
_CHARSETS = {
    0: "cp1252", 77: "mac_roman", 128: "cp932", 129: "cp949", 130: "johab", 134: "gb18030", 136: "big5",
    161: "cp1253", 162: "cp1254", 163: "cp1258", 177: "cp1255", 178: "cp1256", 186: "cp1257", 204: "cp1251",
    222: "cp874", 238: "cp1250", 254: "cp437", 255: "cp850",
}  # fmt: skip
_PAGES = {932: "cp932", 936: "gb18030", 949: "cp949", 950: "big5", 10000: "mac_roman", 65001: "utf-8"}
_WHOLE_FILE = {"mac": "mac_roman", "pc": "cp437", "pca": "cp850"}


@dataclass(slots=True)
class Font:
    """A font's name and its encoding, "" for the file's own."""

    name: str = ""
    encoding: str = ""


@dataclass(slots=True)
class Fonts:
    """The fonts of a file by number, and the encoding of text in no font."""

    encoding: str = "cp1252"
    fonts: dict[int, Font] = field(default_factory=dict)

    def declare(self, name: str, number: int | None) -> bool:
        """Takes a control word that names the file's encoding; whether it is one."""
        if name == "ansicpg" and number:
            self.encoding = _page(number) or self.encoding
        elif name in _WHOLE_FILE:
            self.encoding = _WHOLE_FILE[name]
        return name in ("ansicpg", "ansi", *_WHOLE_FILE)

    def describe(self, font: Font, name: str, number: int | None) -> None:
        """Takes a control word within the description of a font."""
        if name == "fcharset":
            font.encoding = _CHARSETS.get(number or 0, "")
        elif name == "cpg" and number:
            font.encoding = _page(number) or font.encoding

    def decoded(self, data: bytes, number: int) -> str:
        """Text in a font; U+FFFD for bytes that its encoding lacks."""
        encoding = self.fonts.get(number, Font()).encoding or self.encoding
        return data.decode(encoding, "replace")

    def name(self, number: int) -> str:
        """A font's name, "" for one that is not described."""
        return self.fonts.get(number, Font()).name


def _page(number: int) -> str:
    name = _PAGES.get(number, f"cp{number}")
    try:
        codecs.lookup(name)
    except LookupError:
        return ""
    return name
