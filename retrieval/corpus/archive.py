"""Untrusted zip archives: read one member at a time, within limits, never to disk."""

from __future__ import annotations

import io
import re
import stat
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from retrieval.corpus.formats import EXTENSIONS, PACKAGES, READABLE, Format
from retrieval.corpus.limits import MEGABYTE, LoadLimits
from retrieval.corpus.names import safe_name
from retrieval.errors import UnreadableDocument

_END_RECORD = b"PK\x05\x06"
_MEMBER_RECORD = b"PK\x01\x02"
_WORD_PART = re.compile(r"/?word[/\\]document\d*\.xml", re.IGNORECASE)
_SHEETS_PART = re.compile(r"xl/workbook\d*\.xml", re.IGNORECASE)
_ODF = "application/vnd.oasis.opendocument."
_TYPES = {
    f"{_ODF}text": Format.ODT,
    f"{_ODF}text-template": Format.ODT,
    f"{_ODF}spreadsheet": Format.ODS,
    f"{_ODF}spreadsheet-template": Format.ODS,
    "application/epub+zip": Format.BOOK,
}
_CONTAINER = "META-INF/container.xml"
_LONGEST_TYPE = 200
_OFFICE_TYPES = "[Content_Types].xml"
_LONGEST_LIST = 1_000_000
_WORD_TYPE = re.compile(
    rb"(?:wordprocessingml|ms-word)\.(?:document|template)\.(?:main|macroEnabled\.main)\+xml", re.I
)
_JUNK = ("__MACOSX/", ".DS_Store", "Thumbs.db", "desktop.ini")
_ENCRYPTED = 0x1


@dataclass(slots=True)
class Allowance:
    """The remaining allowance for one file and the archives in it."""

    entries: int
    bytes: int

    @classmethod
    def of(cls, limits: LoadLimits) -> Allowance:
        """All of it."""
        return cls(limits.max_entries, limits.max_total_bytes)


def open_archive(name: str, data: bytes, limits: LoadLimits) -> ZipFile:
    """The archive, with its directory read.

    The entries are counted in the bytes before, since the directory of a hostile archive would fill
    the memory by itself. Raises UnreadableDocument.
    """
    entries = _count_entries(data)
    if entries > limits.max_entries:
        raise UnreadableDocument(
            name, f"has {entries} entries, at most {limits.max_entries} are read; pack it as several archives"
        )
    try:
        return zipfile.ZipFile(io.BytesIO(data))
    except (BadZipFile, NotImplementedError, ValueError) as error:
        raise UnreadableDocument(name, f"is a broken archive: {error}") from error


def _count_entries(data: bytes) -> int:
    end = data.rfind(_END_RECORD)
    if end < 0 or len(data) < end + 22:
        return 0
    directory = int.from_bytes(data[end + 12 : end + 16], "little")
    # 0xFFFFFFFF points to the zip64 record, which stands between the directory and this one.
    start = 0 if directory == 0xFFFFFFFF else max(0, end - directory)
    return data.count(_MEMBER_RECORD, start, end)


def kind(name: str, archive: ZipFile) -> Format:
    """Whether it is a plain archive or a document. Raises UnreadableDocument for other such formats."""
    names = set(archive.namelist())
    if any(_WORD_PART.fullmatch(part) for part in names) or _has_word_text(archive):
        return Format.WORD
    if any(_SHEETS_PART.fullmatch(part) for part in names):
        return Format.SHEETS
    if "xl/workbook.bin" in names:
        raise UnreadableDocument(name, "is a binary workbook (XLSB); save it as XLSX")
    if "ppt/presentation.xml" in names:
        return Format.SLIDES
    if (typed := _of_mimetype(archive)) is not None:
        return typed
    named = EXTENSIONS.get(PurePosixPath(name).suffix.lower())
    if (named, True) in (
        (Format.ODT, "content.xml" in names),
        (Format.ODS, "content.xml" in names),
        (Format.BOOK, _CONTAINER in names),
    ):
        return named or Format.ZIP
    if _OFFICE_TYPES in names or "mimetype" in names:
        raise UnreadableDocument(
            name, f"is an Office, ODF or EPUB file of a kind that is not read. {READABLE}."
        )
    if named in PACKAGES:
        raise UnreadableDocument(name, f"is named {named} but holds no such document")
    return Format.ZIP


def _has_word_text(archive: ZipFile) -> bool:
    """Whether the list of types in an Office file names the text of a Word document, whatever its part."""
    info = archive.NameToInfo.get(_OFFICE_TYPES)
    if info is None or info.file_size > _LONGEST_LIST or info.flag_bits & _ENCRYPTED:
        return False
    try:
        return bool(_WORD_TYPE.search(archive.read(info)))
    except Exception:  # zlib, struct, CRC and header errors: all mean a broken member
        return False


def _of_mimetype(archive: ZipFile) -> Format | None:
    """The format that the member `mimetype` names, as ODF and EPUB have it."""
    info = archive.NameToInfo.get("mimetype")
    if info is None or info.file_size > _LONGEST_TYPE or info.flag_bits & _ENCRYPTED:
        return None
    try:
        return _TYPES.get(archive.read(info).decode("latin-1").strip())
    except Exception:  # zlib, struct, CRC and header errors: all mean a broken member
        return None


def check_package(name: str, archive: ZipFile, limits: LoadLimits) -> None:
    """Checks all members of a document that is an archive. Raises UnreadableDocument.

    Sizes are those that the directory declares; `zipfile` reads no member past its own.
    """
    allowance = Allowance.of(limits)
    for info in archive.infolist():
        _check_member(name, info, limits)
        take(name, info.file_size, allowance)


def members(
    name: str, archive: ZipFile, limits: LoadLimits, allowance: Allowance
) -> Iterator[tuple[str, bytes] | UnreadableDocument]:
    """The files in it, as `archive.zip/inner/name.md` with their bytes; each that is not read, as error.

    Reading ends where the allowance is used up.
    """
    seen: set[str] = set()
    for info in archive.infolist():
        if (
            info.is_dir()
            or info.filename.startswith(_JUNK[0])
            or info.filename.rsplit("/", 1)[-1] in _JUNK[1:]
        ):
            continue
        try:
            member = safe_name(info.filename, archive=name)
            if member in seen:
                raise UnreadableDocument(member, "is in the archive twice; only the first is read")
            seen.add(member)
            _check_member(member, info, limits)
        except UnreadableDocument as error:
            yield error
            continue
        try:
            take(name, info.file_size, allowance)
        except UnreadableDocument as error:
            yield error
            return
        try:
            yield member, archive.read(info)
        except Exception as error:  # zlib, struct, CRC and header errors: all mean a broken member
            yield UnreadableDocument(member, f"cannot be unpacked: {error}")


def _check_member(name: str, info: ZipInfo, limits: LoadLimits) -> None:
    if info.flag_bits & _ENCRYPTED:
        raise UnreadableDocument(name, "is encrypted; pack it without a password")
    mode = stat.S_IFMT(info.external_attr >> 16)
    if mode not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise UnreadableDocument(name, "is a link or a device, not a file")
    # The standard library unpacks other methods without a bound on memory.
    if info.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
        raise UnreadableDocument(name, "is packed by an uncommon method; pack it again with deflate")
    if info.file_size > limits.max_file_bytes:
        raise UnreadableDocument(name, too_large(limits.max_file_bytes))
    if info.file_size > MEGABYTE and info.file_size > limits.max_ratio * info.compress_size:
        raise UnreadableDocument(
            name, f"unpacks to over {limits.max_ratio} times its size, as a zip bomb does"
        )


def take(name: str, size: int, allowance: Allowance) -> None:
    """Counts one more member of so many bytes. Raises UnreadableDocument where that is too much."""
    if size > allowance.bytes or not allowance.entries:
        raise UnreadableDocument(name, "unpacks to more than is read; the rest of it was left out. Split it.")
    allowance.bytes -= size
    allowance.entries -= 1


def too_large(limit: int) -> str:
    """The reason for a file above a limit of bytes."""
    return f"is larger than {limit / MEGABYTE:g} MB, the most that is read. Split it."
