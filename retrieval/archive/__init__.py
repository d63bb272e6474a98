"""Moves collections between machines: an archive of one version, treated as untrusted input."""

from retrieval.archive.agreement import Agreement
from retrieval.archive.documents import encode_document, read_documents
from retrieval.archive.pinning import Pinned, pin
from retrieval.archive.quarantine import try_in_child
from retrieval.archive.tar import Archive, Header, Member, open_archive, write_archive
from retrieval.archive.unpacked import check_unpacked
from retrieval.trials import Expected

__all__ = [
    "Agreement",
    "Archive",
    "Expected",
    "Header",
    "Member",
    "Pinned",
    "check_unpacked",
    "encode_document",
    "open_archive",
    "pin",
    "read_documents",
    "try_in_child",
    "write_archive",
]
