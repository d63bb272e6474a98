"""Limits on the cost of reading one file."""

from __future__ import annotations

from dataclasses import dataclass, fields

from base.errors import ExcerptaError

MEGABYTE = 1024 * 1024


class InvalidLimits(ExcerptaError):
    """A limit is not a number above zero."""

    def __init__(self, limit: str, value: object) -> None:
        super().__init__(f"{limit}={value!r}: a limit is a number above 0.")
        self.limit = limit
        self.value = value


@dataclass(frozen=True, slots=True)
class LoadLimits:
    """Limits for untrusted files. A file over a limit is reported, never cut short.

    `max_file_bytes` is for one file, packed in an archive or not; `max_total_bytes` for an archive,
    and for all that unpacks from it; `max_ratio` for unpacked to packed bytes of a member above a
    megabyte; `max_entries` for the members of an archive and of the archives in it together;
    `max_depth` for archives in archives (1: none inside); `max_characters` for a document;
    `max_pages` and `max_pdf_seconds` (processor time) for a PDF. `max_seconds` (processor time; four times as
    much by the clock) and `max_memory_bytes` are for a file that is read in a process of its own.
    With `main_content` the menus, banners and footers of web pages are left out; without it, only what is
    hidden is.
    """

    max_file_bytes: int = 64 * MEGABYTE
    max_total_bytes: int = 1024 * MEGABYTE
    max_ratio: int = 200
    max_entries: int = 20_000
    max_depth: int = 2
    max_characters: int = 20_000_000
    max_pages: int = 5_000
    max_pdf_seconds: float = 120.0
    max_seconds: float = 300.0
    max_memory_bytes: int = 4096 * MEGABYTE
    main_content: bool = True

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if field.type == "bool":
                continue
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not value > 0:
                raise InvalidLimits(field.name, value)


DEFAULT_LIMITS = LoadLimits()
