"""The errors of retrieval, each with its remedy."""

from __future__ import annotations

from base.errors import ExcerptaError


class RetrievalError(ExcerptaError):
    """An error of the retrieval package."""


class InvalidFilter(RetrievalError):
    """A metadata filter has an unknown operator, a wrong type, or a field no document has."""

    def __init__(self, reason: str, *, field: str | None = None, allowed: list[str] | None = None) -> None:
        super().__init__(reason)
        self.field = field
        self.allowed = allowed


class InvalidField(RetrievalError):
    """Documents cannot be counted or grouped by this metadata field."""

    def __init__(self, field: str, reason: str, *, allowed: list[str] | None = None) -> None:
        super().__init__(f"field {field!r}: {reason}.")
        self.field = field
        self.allowed = allowed


class CorruptSegment(RetrievalError):
    """A file of a segment is missing or its checksum does not hold; it was not used."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}. Run `excerpta rebuild` to make it again from its documents.")
        self.path = path
        self.reason = reason


class InvalidArchive(RetrievalError):
    """An archive is damaged, not made by `excerpta export`, or not for this service. Nothing was imported."""

    def __init__(self, archive: str, reason: str, remedy: str = "Export the collection again.") -> None:
        super().__init__(f"{archive}: {reason}. Nothing was imported. {remedy}")
        self.archive = archive
        self.reason = reason


class DuplicateDocument(RetrievalError):
    """One call names the same document twice. Nothing was added."""

    def __init__(self, document_id: str) -> None:
        super().__init__(f"document {document_id!r} comes twice in one call; send each id once")
        self.document_id = document_id


class UnreadableDocument(RetrievalError):
    """One file cannot be read in its format. Other files are not affected."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name}: {reason}")
        self.name = name
        self.reason = reason


class InvalidVectors(RetrievalError):
    """Token vectors are not finite, of the wrong dimension, or zero."""


class IndexMismatch(RetrievalError):
    """The index was built with another encoder or format than the one now in use."""

    def __init__(self, what: str, built_with: str, now: str) -> None:
        super().__init__(
            f"the index was built with {what} {built_with!r}, the service now has {now!r}. "
            "Use the profile it was built with, or run `excerpta rebuild`."
        )
        self.what = what
        self.built_with = built_with
        self.now = now
